#include "app/offset_words.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <string>

#include "lake/moment.h"

namespace pinpipe::app {
namespace {

std::optional<int64_t> whole_number(std::string_view text) {
  int64_t number = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool all = failure == std::errc{} && end == text.data() + text.size();
  return all ? std::optional(number) : std::nullopt;
}

// "90s", "10m", "2h", "7d".
std::optional<int64_t> duration_ms(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  int64_t unit_ms = 0;
  switch (text.back()) {
    case 's':
      unit_ms = 1'000;
      break;
    case 'm':
      unit_ms = 60'000;
      break;
    case 'h':
      unit_ms = 3'600'000;
      break;
    case 'd':
      unit_ms = 86'400'000;
      break;
    default:
      return std::nullopt;
  }
  auto count = whole_number(text.substr(0, text.size() - 1));
  constexpr int64_t count_max = 1'000'000'000;
  if (!count || *count < 0 || *count > count_max) return std::nullopt;
  return *count * unit_ms;
}

}  // namespace

Result<OffsetWord> parse_offset_word(std::string_view text, int64_t now_ms) {
  using Kind = OffsetWord::Kind;
  if (text == "beginning" || text == "earliest") return OffsetWord{Kind::beginning};
  if (text == "end" || text == "latest") return OffsetWord{Kind::end};
  if (text == "stored") return OffsetWord{Kind::stored};
  if (text.starts_with("s@")) {
    if (auto ms = whole_number(text.substr(2))) return OffsetWord{Kind::time, *ms};
    text.remove_prefix(2);
  } else if (auto number = whole_number(text)) {
    bool before_end = text.starts_with('-');
    return before_end ? OffsetWord{Kind::before_end, -*number} : OffsetWord{Kind::offset, *number};
  }
  if (auto ago_ms = duration_ms(text)) return OffsetWord{Kind::time, now_ms - *ago_ms};
  if (auto at_ms = lake::parse_moment(text)) return OffsetWord{Kind::time, *at_ms};
  return Error(
      Code::invalid,
      fmt::format("\"{}\" is no place in a topic: write beginning, end, stored, an offset, "
                  "-N for the last N, a moment (2026-01-02T10:15:00Z, s@MILLISECONDS) or "
                  "how long ago (90s, 10m, 2h, 7d)",
                  text));
}

io::Task<Result<broker::Offset>> resolve_offset(broker::Topics& topics,
                                                broker::TopicPartition where, OffsetWord word,
                                                std::optional<broker::Offset> stored) {
  auto range = co_await topics.range(where.topic, where.partition);
  if (!range) co_return range.error();
  auto within = [&](broker::Offset offset) {
    return std::clamp(offset, range->start, range->high_watermark);
  };
  switch (word.kind) {
    case OffsetWord::Kind::beginning:
      break;
    case OffsetWord::Kind::end:
      co_return range->high_watermark;
    case OffsetWord::Kind::stored:
      co_return within(stored.value_or(range->start));
    case OffsetWord::Kind::offset:
      co_return within(word.number);
    case OffsetWord::Kind::before_end:
      co_return within(word.number > range->high_watermark ? 0
                                                           : range->high_watermark - word.number);
    case OffsetWord::Kind::time: {
      auto found = co_await topics.offset_at(where.topic, where.partition, word.number);
      if (!found) co_return found.error();
      co_return found->value_or(range->high_watermark);
    }
  }
  co_return range->start;
}

}  // namespace pinpipe::app
