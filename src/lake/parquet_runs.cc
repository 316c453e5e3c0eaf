#include "lake/parquet_runs.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bytes.h"

namespace pinpipe::lake {
namespace {

// `count` numbers of `width` bits each, lowest bits first; the bytes are there.
template <class T>
void unpack_bits(std::string_view bytes, int width, size_t count, std::vector<T>& out) {
  size_t bit = 0;
  uint64_t mask = width == 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1;
  for (size_t i = 0; i < count; ++i, bit += static_cast<size_t>(width)) {
    size_t at = bit / 8;
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min<size_t>(8, bytes.size() - at));
    uint64_t value = word >> (bit % 8);
    // Up to seven bits of a wide number lie in a ninth byte.
    if (bit % 8 + static_cast<size_t>(width) > 64) {
      value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[at + 8])) << (64 - bit % 8);
    }
    out.push_back(static_cast<T>(value & mask));
  }
}

}  // namespace

int bit_width(int max) {
  return std::bit_width(static_cast<unsigned>(max));
}

bool read_runs(std::string_view bytes, int width, size_t count, std::vector<uint32_t>& out) {
  out.clear();
  if (width == 0) return true;
  auto value_bytes = static_cast<size_t>(width + 7) / 8;
  Reader in(bytes);
  while (out.size() < count) {
    uint64_t head = in.uvarint();
    size_t left = count - out.size();
    if (in.failed()) return false;
    if ((head & 1) == 0) {
      uint64_t run = head >> 1;
      std::string_view value = in.take(static_cast<int64_t>(value_bytes));
      if (in.failed() || run == 0) return false;
      uint32_t number = 0;
      std::memcpy(&number, value.data(), value_bytes);
      out.insert(out.end(), std::min<uint64_t>(run, left), number);
      continue;
    }
    uint64_t groups = head >> 1;
    if (groups == 0 || groups > in.remaining()) return false;
    // The last group may be cut off behind the last value.
    size_t values = std::min<size_t>(groups * 8, left);
    size_t needed = (values * static_cast<size_t>(width) + 7) / 8;
    size_t whole = std::min<size_t>(groups * static_cast<size_t>(width), in.remaining());
    if (needed > whole) return false;
    unpack_bits(in.take(static_cast<int64_t>(whole)), width, values, out);
  }
  return true;
}

bool read_deltas(std::string_view bytes, size_t count, std::vector<int64_t>& out,
                 size_t& consumed) {
  out.clear();
  Reader in(bytes);
  uint64_t block = in.uvarint();
  uint64_t minis = in.uvarint();
  uint64_t total = in.uvarint();
  auto value = static_cast<uint64_t>(in.varint());
  bool good = !in.failed() && total == count && minis > 0 && minis <= 512 && block <= 1U << 20 &&
              block % minis == 0 && (block / minis) % 32 == 0 && block > 0;
  if (!good) return false;
  size_t per_mini = block / minis;
  if (count > 0) out.push_back(static_cast<int64_t>(value));
  std::vector<uint64_t> deltas;
  while (out.size() < count) {
    auto smallest = static_cast<uint64_t>(in.varint());
    std::string_view widths = in.take(static_cast<int64_t>(minis));
    if (in.failed()) return false;
    for (size_t i = 0; i < minis && out.size() < count; ++i) {
      int width = static_cast<unsigned char>(widths[i]);
      if (width > 64) return false;
      std::string_view packed =
          in.take(static_cast<int64_t>(per_mini * static_cast<size_t>(width) / 8));
      if (in.failed()) return false;
      deltas.clear();
      size_t values = std::min(per_mini, count - out.size());
      if (width == 0) {
        deltas.assign(values, 0);
      } else {
        unpack_bits(packed, width, values, deltas);
      }
      for (uint64_t delta : deltas) {
        value += smallest + delta;
        out.push_back(static_cast<int64_t>(value));
      }
    }
  }
  consumed = bytes.size() - in.remaining();
  return true;
}

}  // namespace pinpipe::lake
