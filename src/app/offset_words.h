// Where to begin in a partition, in the words of kcat and of Kafka's own tools:
//   beginning  end  stored      the group's position, else the beginning
//   12                          that offset
//   -3                          so many before the end
//   s@1700000000000             the first record of that millisecond or later
//   2026-01-02T10:15:00Z  10m   likewise: a moment, or so long ago (s, m, h, d)
// Promise: an offset outside the partition becomes its nearest end.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "broker/topics.h"

namespace pinpipe::app {

struct OffsetWord {
  enum class Kind { beginning, end, stored, offset, before_end, time } kind = Kind::beginning;
  int64_t number = 0;  // of the last three: an offset, a count, milliseconds since 1970
};

Result<OffsetWord> parse_offset_word(std::string_view text, int64_t now_ms);

io::Task<Result<broker::Offset>> resolve_offset(
    broker::Topics& topics, broker::TopicPartition where, OffsetWord word,
    std::optional<broker::Offset> stored = std::nullopt);

}  // namespace pinpipe::app
