// The latest offset of each key, for compaction: what is older than its key's entry is outdated.
// Keys are kept as 128 bits of their SHA-256. Bounds: bytes_max of memory; a key beyond it is not
// taken, and the caller stops there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "log/batch.h"

namespace pinpipe::log {

class OffsetMap {
 public:
  explicit OffsetMap(size_t bytes_max);

  // Offsets come in rising order. False when there is no room for another key.
  bool put(std::string_view key, Offset offset);
  // −1: the key is not there.
  Offset latest(std::string_view key) const;
  size_t size() const { return used_; }
  size_t size_bytes() const { return slots_.size() * sizeof(Slot); }

 private:
  struct Digest {
    uint64_t high = 0;
    uint64_t low = 0;
    bool operator==(const Digest&) const = default;
  };
  struct Slot {
    Digest digest;
    Offset offset = -1;  // −1: empty
  };

  static Digest digest_of(std::string_view key);
  // The slot that holds the digest, or the empty one where it belongs.
  size_t place_of(const Digest& digest) const;
  bool grow();

  size_t slots_max_;  // a power of two
  std::vector<Slot> slots_;
  size_t used_ = 0;
};

}  // namespace pinpipe::log
