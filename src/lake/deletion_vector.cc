#include "lake/deletion_vector.h"

#include <bit>
#include <cstring>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/id.h"
#include "codec/json.h"

namespace pinpipe::lake {
namespace {

Error damaged(std::string_view what) {
  return {Code::corrupt, fmt::format("a deletion vector {}", what)};
}

// CRC-32 as in gzip; vectors are small and read once, so a bit at a time is fast enough.
uint32_t crc32(std::string_view bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

// Little-endian numbers, as Roaring has them.
class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  T number() {
    T value{};
    std::string_view bytes = take(sizeof value);
    if (!failed_) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  std::string_view take(size_t count) {
    if (count > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }
  bool failed() const { return failed_; }
  size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

class RoaringReader {
 public:
  explicit RoaringReader(std::string_view bytes) : in_(bytes) {}

  Result<std::vector<uint64_t>> read() {
    constexpr uint32_t portable_magic = 1681511377;
    if (in_.number<uint32_t>() != portable_magic) return damaged("has an unknown format");
    auto count = in_.number<uint64_t>();
    if (in_.failed() || count > in_.left()) return damaged("is cut off");
    for (uint64_t i = 0; i < count; ++i) {
      auto high = uint64_t{in_.number<uint32_t>()} << 32;
      if (!read_bitmap(high) || in_.failed()) return damaged("is malformed");
    }
    for (size_t i = 1; i < rows_.size(); ++i) {
      if (rows_[i - 1] >= rows_[i]) return damaged("is out of order");
    }
    return std::move(rows_);
  }

 private:
  // One 32-bit bitmap: containers of 65,536 numbers each, with or without runs among them.
  bool read_bitmap(uint64_t high) {
    constexpr uint32_t cookie_plain = 12346;
    constexpr uint32_t cookie_runs = 12347;
    constexpr size_t offsets_from = 4;  // with runs, fewer containers have no offsets
    auto cookie = in_.number<uint32_t>();
    size_t count = 0;
    std::string_view run_flags;
    if ((cookie & 0xFFFF) == cookie_runs) {
      count = (cookie >> 16) + 1;
      run_flags = in_.take((count + 7) / 8);
    } else if (cookie == cookie_plain) {
      count = in_.number<uint32_t>();
    } else {
      return false;
    }
    if (in_.failed() || count > 65'536) return false;
    std::string_view heads = in_.take(count * 4);
    if (run_flags.empty() || count >= offsets_from) (void)in_.take(count * 4);
    if (in_.failed()) return false;
    for (size_t i = 0; i < count; ++i) {
      uint16_t key = 0;
      uint16_t less_one = 0;
      std::memcpy(&key, heads.data() + i * 4, 2);
      std::memcpy(&less_one, heads.data() + i * 4 + 2, 2);
      uint64_t base = high | (uint64_t{key} << 16);
      bool is_run = !run_flags.empty() && ((run_flags[i / 8] >> (i % 8)) & 1) != 0;
      bool good = is_run ? read_runs(base) : read_container(base, size_t{less_one} + 1);
      if (!good || rows_.size() > DeletionVector::rows_max) return false;
    }
    return true;
  }
  bool read_runs(uint64_t base) {
    auto count = in_.number<uint16_t>();
    for (size_t i = 0; i < count; ++i) {
      auto first = in_.number<uint16_t>();
      auto more = in_.number<uint16_t>();
      if (in_.failed() || uint32_t{first} + more > 0xFFFF) return false;
      for (uint32_t value = first; value <= uint32_t{first} + more; ++value) {
        rows_.push_back(base | value);
      }
    }
    return !in_.failed();
  }
  bool read_container(uint64_t base, size_t count) {
    constexpr size_t array_max = 4096;
    if (count <= array_max) {
      for (size_t i = 0; i < count; ++i) rows_.push_back(base | in_.number<uint16_t>());
      return !in_.failed();
    }
    size_t before = rows_.size();
    for (uint64_t word = 0; word < 1024; ++word) {
      auto bits = in_.number<uint64_t>();
      for (; bits != 0; bits &= bits - 1) {
        rows_.push_back(base | (word * 64 + static_cast<uint64_t>(std::countr_zero(bits))));
      }
    }
    return !in_.failed() && rows_.size() - before == count;
  }

  Input in_;
  std::vector<uint64_t> rows_;
};

}  // namespace

std::optional<std::string> decode_z85(std::string_view text) {
  constexpr std::string_view alphabet =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
  if (text.size() % 5 != 0) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 5) {
    uint64_t value = 0;
    for (char c : text.substr(i, 5)) {
      size_t digit = alphabet.find(c);
      if (digit == std::string_view::npos) return std::nullopt;
      value = value * 85 + digit;
    }
    if (value > UINT32_MAX) return std::nullopt;
    append_be(bytes, static_cast<uint32_t>(value));
  }
  return bytes;
}

Result<DeletionVector> parse_deletion_vector(std::string_view json) {
  auto root = codec::parse_json(json);
  if (!root) return damaged("is described by no JSON");
  std::string storage((*root)["storageType"].as_string().value_or(""));
  std::string where((*root)["pathOrInlineDv"].as_string().value_or(""));
  int64_t offset = (*root)["offset"].as_int().value_or(0);
  int64_t bytes = (*root)["sizeInBytes"].as_int().value_or(-1);
  int64_t rows = (*root)["cardinality"].as_int().value_or(-1);
  bool good = offset >= 0 && bytes >= 0 && rows >= 0 &&
              static_cast<size_t>(bytes) <= DeletionVector::vector_bytes_max &&
              static_cast<uint64_t>(rows) <= DeletionVector::rows_max;
  if (!good) return damaged("has impossible sizes in the log");
  DeletionVector vector{.path = {},
                        .inlined = {},
                        .offset = static_cast<uint64_t>(offset),
                        .bytes = static_cast<uint64_t>(bytes),
                        .rows = static_cast<uint64_t>(rows)};
  if (storage == "p") {
    return Error(Code::invalid,
                 "a deletion vector lies at an absolute path: those are not followed");
  }
  constexpr size_t uuid_characters = 20;
  bool is_file = storage == "u" && where.size() >= uuid_characters;
  size_t folder = is_file ? where.size() - uuid_characters : 0;
  auto decoded = decode_z85(std::string_view(where).substr(folder));
  if (!decoded || (storage != "u" && storage != "i") || (storage == "u" && !is_file)) {
    return damaged("has no place that we understand");
  }
  if (storage == "i") {
    // What was padded to whole groups of four is cut off again.
    if (decoded->size() < vector.bytes) return damaged("is shorter than the log says");
    decoded->resize(vector.bytes);
    vector.inlined = std::move(*decoded);
    return vector;
  }
  Uuid id;
  std::memcpy(id.bytes.data(), decoded->data(), id.bytes.size());
  std::string prefix = where.substr(0, folder);
  if (prefix.find_first_of("/.\\") != std::string::npos) return damaged("lies in an odd folder");
  vector.path =
      fmt::format("{}{}deletion_vector_{}.bin", prefix, prefix.empty() ? "" : "/", id.text());
  return vector;
}

Result<std::vector<uint64_t>> decode_roaring(std::string_view bytes) {
  return RoaringReader(bytes).read();
}

Result<std::vector<uint64_t>> deleted_rows(const DeletionVector& vector, std::string_view file) {
  std::string_view bitmap = vector.inlined;
  if (!vector.path.empty()) {
    // Size, bitmap and checksum; sizes are big-endian here.
    constexpr size_t size_bytes = 4;
    if (vector.offset > file.size()) return damaged("lies behind its file's end");
    Reader in(file.substr(vector.offset));
    auto size = in.be<uint32_t>();
    bitmap = in.take(size);
    auto checksum = in.be<uint32_t>();
    if (in.failed() || size != vector.bytes) return damaged("is cut off");
    static_assert(sizeof size == size_bytes);
    if (crc32(bitmap) != checksum) return damaged("has another checksum than it says");
  }
  auto rows = decode_roaring(bitmap);
  if (!rows) return rows;
  if (rows->size() != vector.rows) {
    return damaged(fmt::format("has {} rows where the log says {}", rows->size(), vector.rows));
  }
  return rows;
}

}  // namespace pinpipe::lake
