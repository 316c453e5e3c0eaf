// Sequence numbers: 56 decimal digits that say which record of which shard this is. As 47 hex
// digits:
//
//   2 | create time of the shard, s (9) | low nibble of the shard (1) | index (16, top bit 0)
//     | 00 (2) | time of the record, s (9) | shard (8) | 2
//
// The index is the record's offset plus one, so that a shard's own starting number (index 0) lies
// before all of its records, and numbers rise strictly with offsets whatever the clock does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pinpipe::broker {

struct Sequence {
  static constexpr uint64_t index_max = 0x7fff'ffff'ffff'ffff;  // of a closed shard's ending number

  int64_t created_s = 0;  // of the shard
  int32_t shard = 0;
  uint64_t index = 0;
  int64_t time_s = 0;

  // Of the record with this number; the first one's for a shard's starting number.
  int64_t offset() const { return index == 0 ? 0 : static_cast<int64_t>(index - 1); }
  std::string text() const;
  // Nothing for digits that no text() wrote.
  static std::optional<Sequence> from_text(std::string_view decimal);
  bool operator==(const Sequence&) const = default;
};

}  // namespace pinpipe::broker
