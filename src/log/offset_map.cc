#include "log/offset_map.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/hash.h"

namespace pinpipe::log {
namespace {
constexpr size_t slots_least = 1024;
}  // namespace

OffsetMap::OffsetMap(size_t bytes_max)
    : slots_max_(std::max(std::bit_floor(bytes_max / sizeof(Slot)), slots_least)),
      slots_(slots_least) {}

OffsetMap::Digest OffsetMap::digest_of(std::string_view key) {
  std::string bytes = sha256(key);
  Digest digest;
  std::memcpy(&digest, bytes.data(), sizeof digest);
  return digest;
}

size_t OffsetMap::place_of(const Digest& digest) const {
  size_t mask = slots_.size() - 1;
  size_t at = digest.high & mask;
  while (slots_[at].offset >= 0 && slots_[at].digest != digest) at = (at + 1) & mask;
  return at;
}

bool OffsetMap::grow() {
  if (slots_.size() >= slots_max_) return false;
  std::vector<Slot> before(slots_.size() * 2);
  before.swap(slots_);
  for (const Slot& slot : before) {
    if (slot.offset >= 0) slots_[place_of(slot.digest)] = slot;
  }
  return true;
}

bool OffsetMap::put(std::string_view key, Offset offset) {
  Digest digest = digest_of(key);
  size_t at = place_of(digest);
  if (slots_[at].offset < 0) {
    // Three quarters full: beyond that the searches become long.
    if ((used_ + 1) * 4 > slots_.size() * 3) {
      if (!grow()) return false;
      at = place_of(digest);
    }
    ++used_;
  }
  slots_[at] = {digest, offset};
  return true;
}

Offset OffsetMap::latest(std::string_view key) const {
  return slots_[place_of(digest_of(key))].offset;
}

}  // namespace pinpipe::log
