#include "codec/compression.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <lz4frame.h>
#include <memory>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include "base/bytes.h"
#include "base/check.h"

namespace pinpipe::codec {
namespace {

// Output grows from here by doubling, so that a small claim costs a small allocation.
constexpr size_t first_output_bytes = 16 * 1024;

constexpr std::array<std::string_view, 5> names = {"none", "gzip", "snappy", "lz4", "zstd"};

constexpr std::string_view xerial_magic{"\x82SNAPPY\0", 8};
constexpr size_t xerial_block_bytes = 32 * 1024;

// windowBits of zlib: 15, plus 16 for the gzip header.
constexpr int window_zlib = 15;
constexpr int window_gzip = 15 + 16;

Error too_large(size_t bytes_max) {
  return {Code::invalid, fmt::format("the data decompresses to more than {} bytes", bytes_max)};
}
Error damaged(std::string_view what) {
  return {Code::corrupt, fmt::format("the {} data is damaged or cut off", what)};
}

// An output that grows up to a limit. One byte beyond the limit is allowed, so that a decoder can
// show that there is more.
class BoundedOutput {
 public:
  BoundedOutput(size_t bytes_max, size_t input_bytes) : bytes_max_(bytes_max) {
    out_.resize(std::min(bytes_max + 1, std::max(first_output_bytes, input_bytes * 2)));
  }
  char* free_at() { return out_.data() + used_; }
  size_t free_bytes() {
    if (used_ == out_.size()) out_.resize(std::min(bytes_max_ + 1, out_.size() * 2));
    return out_.size() - used_;
  }
  void use(size_t bytes) { used_ += bytes; }
  bool is_over() const { return used_ > bytes_max_; }
  std::string take() {
    out_.resize(used_);
    return std::move(out_);
  }

 private:
  std::string out_;
  size_t used_ = 0;
  size_t bytes_max_;
};

Bytef* zlib_bytes(std::string_view bytes) {
  // zlib's interface is not const-correct; it does not write to its input.
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}

Result<std::string> zlib_compress(std::string_view bytes, int window) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return Error(Code::busy, "no memory to compress");
  }
  std::string out;
  out.resize(deflateBound(&stream, bytes.size()));
  stream.next_in = zlib_bytes(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int done = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  CHECK(done == Z_STREAM_END, "zlib finishes within the bound that it gave");
  return out;
}

Result<std::string> zlib_decompress(std::string_view bytes, int window, size_t bytes_max) {
  z_stream stream{};
  if (inflateInit2(&stream, window) != Z_OK) return Error(Code::busy, "no memory to decompress");
  std::unique_ptr<z_stream, decltype(&inflateEnd)> owner(&stream, inflateEnd);
  BoundedOutput out(bytes_max, bytes.size());
  stream.next_in = zlib_bytes(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  for (;;) {
    const size_t room = out.free_bytes();
    stream.next_out = reinterpret_cast<Bytef*>(out.free_at());
    stream.avail_out = static_cast<uInt>(room);
    const int done = inflate(&stream, Z_NO_FLUSH);
    out.use(room - stream.avail_out);
    if (out.is_over()) return too_large(bytes_max);
    if (done == Z_STREAM_END) {
      if (stream.avail_in == 0) return out.take();
      if (window != window_gzip || inflateReset(&stream) != Z_OK) return damaged("deflate");
    } else if (done != Z_OK || (stream.avail_in == 0 && stream.avail_out > 0)) {
      return damaged(window == window_gzip ? "gzip" : "deflate");
    }
  }
}

std::string snappy_block(std::string_view bytes) {
  std::string out;
  size_t written = snappy_max_compressed_length(bytes.size());
  out.resize(written);
  auto done = snappy_compress(bytes.data(), bytes.size(), out.data(), &written);
  CHECK(done == SNAPPY_OK, "snappy compresses within the bound that it gave");
  out.resize(written);
  return out;
}

std::string xerial_compress(std::string_view bytes) {
  std::string out(xerial_magic);
  append_be<int32_t>(out, 1);  // version
  append_be<int32_t>(out, 1);  // least version that can read it
  for (size_t at = 0; at < bytes.size(); at += xerial_block_bytes) {
    std::string block = snappy_block(bytes.substr(at, xerial_block_bytes));
    append_be<int32_t>(out, static_cast<int32_t>(block.size()));
    out += block;
  }
  return out;
}

// Appends the raw snappy block to `out`.
Status snappy_append(std::string_view block, size_t bytes_max, std::string& out) {
  size_t size = 0;
  if (snappy_uncompressed_length(block.data(), block.size(), &size) != SNAPPY_OK) {
    return damaged("snappy");
  }
  if (size > bytes_max - out.size()) return too_large(bytes_max);
  // The size is the sender's claim. A block cannot grow by more than about 64/3; checking that
  // before allocating keeps a lie cheap.
  if (size / 32 > block.size()) return damaged("snappy");
  const size_t before = out.size();
  out.resize(before + size);
  if (snappy_uncompress(block.data(), block.size(), out.data() + before, &size) != SNAPPY_OK) {
    return damaged("snappy");
  }
  return {};
}

Result<std::string> snappy_decompress(std::string_view bytes, size_t bytes_max) {
  std::string out;
  if (!bytes.starts_with(xerial_magic)) {
    if (Status done = snappy_append(bytes, bytes_max, out); !done) return done.error();
    return out;
  }
  Reader reader(bytes.substr(xerial_magic.size()));
  reader.take(8);  // the two versions
  while (!reader.failed() && reader.remaining() > 0) {
    std::string_view block = reader.take(reader.be<int32_t>());
    if (reader.failed()) break;
    if (Status done = snappy_append(block, bytes_max, out); !done) return done.error();
  }
  if (reader.failed()) return damaged("snappy");
  return out;
}

Result<std::string> lz4_compress(std::string_view bytes) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;  // what Kafka's Java client can read
  std::string out;
  out.resize(LZ4F_compressFrameBound(bytes.size(), &preferences));
  size_t written =
      LZ4F_compressFrame(out.data(), out.size(), bytes.data(), bytes.size(), &preferences);
  CHECK(!LZ4F_isError(written), "lz4 compresses within the bound that it gave");
  out.resize(written);
  return out;
}

Result<std::string> lz4_decompress(std::string_view bytes, size_t bytes_max) {
  LZ4F_dctx* raw = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&raw, LZ4F_VERSION))) {
    return Error(Code::busy, "no memory to decompress");
  }
  std::unique_ptr<LZ4F_dctx, decltype(&LZ4F_freeDecompressionContext)> context(
      raw, LZ4F_freeDecompressionContext);
  BoundedOutput out(bytes_max, bytes.size());
  size_t hint = 1;
  while (!bytes.empty() || hint != 0) {
    const size_t input_before = bytes.size();
    size_t read = bytes.size();
    size_t written = out.free_bytes();
    hint = LZ4F_decompress(raw, out.free_at(), &written, bytes.data(), &read, nullptr);
    if (LZ4F_isError(hint)) return damaged("lz4");
    bytes.remove_prefix(read);
    out.use(written);
    if (out.is_over()) return too_large(bytes_max);
    if (input_before == 0 && written == 0) return damaged("lz4");
  }
  return out.take();
}

Result<std::string> zstd_compress(std::string_view bytes) {
  std::string out;
  out.resize(ZSTD_compressBound(bytes.size()));
  size_t written = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3);
  if (ZSTD_isError(written)) return Error(Code::busy, "no memory to compress");
  out.resize(written);
  return out;
}

Result<std::string> zstd_decompress(std::string_view bytes, size_t bytes_max) {
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  if (!context) return Error(Code::busy, "no memory to decompress");
  BoundedOutput out(bytes_max, bytes.size());
  ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
  size_t hint = 1;
  while (input.pos < input.size || hint != 0) {
    const size_t input_before = input.pos;
    const size_t room = out.free_bytes();
    ZSTD_outBuffer output{out.free_at(), room, 0};
    hint = ZSTD_decompressStream(context.get(), &output, &input);
    if (ZSTD_isError(hint)) return damaged("zstd");
    out.use(output.pos);
    if (out.is_over()) return too_large(bytes_max);
    if (input.pos == input_before && output.pos == 0 && hint != 0) return damaged("zstd");
  }
  return out.take();
}

Status check_input_size(std::string_view bytes) {
  if (bytes.size() <= compressed_bytes_max) return {};
  return Error(Code::invalid, fmt::format("{} bytes are over the limit of {} bytes for one buffer",
                                          bytes.size(), compressed_bytes_max));
}

}  // namespace

std::string_view name_of(Codec codec) {
  auto number = static_cast<size_t>(codec);
  return number < names.size() ? names[number] : "unknown";
}

std::optional<Codec> codec_of(std::string_view name) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<Codec>(i);
  }
  return std::nullopt;
}

Result<std::string> compress(Codec codec, std::string_view bytes) {
  if (Status good = check_input_size(bytes); !good) return good.error();
  switch (codec) {
    case Codec::none:
      return std::string(bytes);
    case Codec::gzip:
      return zlib_compress(bytes, window_gzip);
    case Codec::snappy:
      return xerial_compress(bytes);
    case Codec::lz4:
      return lz4_compress(bytes);
    case Codec::zstd:
      return zstd_compress(bytes);
  }
  return Error(Code::invalid, fmt::format("unknown compression codec {}", static_cast<int>(codec)));
}

Result<std::string> decompress(Codec codec, std::string_view bytes, size_t bytes_max) {
  if (Status good = check_input_size(bytes); !good) return good.error();
  bytes_max = std::min(bytes_max, compressed_bytes_max);
  switch (codec) {
    case Codec::none:
      if (bytes.size() > bytes_max) return too_large(bytes_max);
      return std::string(bytes);
    case Codec::gzip:
      return zlib_decompress(bytes, window_gzip, bytes_max);
    case Codec::snappy:
      return snappy_decompress(bytes, bytes_max);
    case Codec::lz4:
      return lz4_decompress(bytes, bytes_max);
    case Codec::zstd:
      return zstd_decompress(bytes, bytes_max);
  }
  return Error(Code::invalid, fmt::format("unknown compression codec {}", static_cast<int>(codec)));
}

Result<std::string> deflate_zlib(std::string_view bytes) {
  if (Status good = check_input_size(bytes); !good) return good.error();
  return zlib_compress(bytes, window_zlib);
}

Result<std::string> inflate_zlib(std::string_view bytes, size_t bytes_max) {
  if (Status good = check_input_size(bytes); !good) return good.error();
  return zlib_decompress(bytes, window_zlib, std::min(bytes_max, compressed_bytes_max));
}

}  // namespace pinpipe::codec
