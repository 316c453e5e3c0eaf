#include "log/checkpoint.h"

#include <charconv>
#include <fmt/format.h>

#include "base/hash.h"

namespace pinpipe::log {
namespace {

constexpr std::string_view first_line = "pinpipe partition 1";
// From the first cleaning on: an older pinpipe would not find the files.
constexpr std::string_view first_line_cleaned = "pinpipe partition 2";

std::string_view take_line(std::string_view& text) {
  size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

// The numbers after the line's first word; nothing when one is not a number.
std::optional<std::vector<int64_t>> numbers_of(std::string_view line) {
  std::vector<int64_t> numbers;
  size_t at = line.find(' ');
  while (at != std::string_view::npos) {
    size_t end = line.find(' ', at + 1);
    std::string_view word = line.substr(at + 1, end == std::string_view::npos ? end : end - at - 1);
    int64_t number = 0;
    auto [rest, failure] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (failure != std::errc{} || rest != word.data() + word.size()) return std::nullopt;
    numbers.push_back(number);
    at = end;
  }
  return numbers;
}

bool take_producer(const std::vector<int64_t>& numbers, Producers& producers) {
  if (numbers.size() < 3 || (numbers.size() - 3) % 4 != 0) return false;
  Producer producer{
      .epoch = static_cast<int16_t>(numbers[1]), .touched_ms = numbers[2], .batches = {}};
  for (size_t i = 3; i < numbers.size(); i += 4) {
    producer.batches.push_back({.first_sequence = static_cast<int32_t>(numbers[i]),
                                .last_sequence = static_cast<int32_t>(numbers[i + 1]),
                                .base_offset = numbers[i + 2],
                                .timestamp_ms = numbers[i + 3]});
  }
  producers.put(numbers[0], std::move(producer));
  return true;
}

bool take_fact(std::string_view line, Checkpoint& into) {
  auto numbers = numbers_of(line);
  if (!numbers) return false;
  const auto& n = *numbers;
  std::string_view word = line.substr(0, line.find(' '));
  if (word == "producer") return take_producer(n, into.producers);
  if (word == "start" && n.size() == 1) {
    into.start = n[0];
  } else if (word == "segment" && (n.size() == 3 || n.size() == 4)) {
    into.closed.push_back({n[0], static_cast<uint64_t>(n[1]), n[2], n.size() == 4 ? n[3] : 0});
  } else if (word == "cleaned" && n.size() == 1) {
    into.cleaned_until = n[0];
  } else if (word == "epoch" && n.size() == 2) {
    into.epochs.push_back({static_cast<int32_t>(n[0]), n[1]});
  } else if (word == "recovery" && n.size() == 3) {
    into.recovery_base = n[0];
    into.recovery_position = static_cast<uint64_t>(n[1]);
    into.recovery_offset = n[2];
  } else if (word == "clean" && n.size() == 2) {
    into.clean = {n[0], static_cast<uint64_t>(n[1])};
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string Checkpoint::text() const {
  bool cleaned = cleaned_until > 0;
  auto text = fmt::format("{}\nstart {}\n", cleaned ? first_line_cleaned : first_line, start);
  auto out = std::back_inserter(text);
  for (const ClosedSegment& segment : closed) {
    fmt::format_to(out, "segment {} {} {}", segment.base, segment.size_bytes,
                   segment.max_timestamp_ms);
    if (segment.generation > 0) fmt::format_to(out, " {}", segment.generation);
    text += '\n';
  }
  if (cleaned) fmt::format_to(out, "cleaned {}\n", cleaned_until);
  for (const EpochStart& epoch : epochs)
    fmt::format_to(out, "epoch {} {}\n", epoch.epoch, epoch.start);
  fmt::format_to(out, "recovery {} {} {}\n", recovery_base, recovery_position, recovery_offset);
  for (const auto& [id, producer] : producers.all()) {
    fmt::format_to(out, "producer {} {} {}", id, producer.epoch, producer.touched_ms);
    for (const ProducerBatch& batch : producer.batches)
      fmt::format_to(out, " {} {} {} {}", batch.first_sequence, batch.last_sequence,
                     batch.base_offset, batch.timestamp_ms);
    text += '\n';
  }
  if (clean) fmt::format_to(out, "clean {} {}\n", clean->end, clean->active_bytes);
  text += fmt::format("crc {:08x}\n", crc32c(text));
  return text;
}

Result<Checkpoint> Checkpoint::from_text(std::string_view text) {
  Error corrupt(Code::corrupt, "the checkpoint is not what was written");
  size_t crc_at = text.rfind("crc ");
  if (crc_at == std::string_view::npos ||
      text.substr(crc_at) != fmt::format("crc {:08x}\n", crc32c(text.substr(0, crc_at))))
    return corrupt;
  std::string_view facts = text.substr(0, crc_at);
  std::string_view version = take_line(facts);
  if (version != first_line && version != first_line_cleaned)
    return Error(Code::invalid, "the checkpoint is of another version than 1 or 2");
  Checkpoint checkpoint;
  while (!facts.empty()) {
    if (!take_fact(take_line(facts), checkpoint)) return corrupt;
  }
  return checkpoint;
}

}  // namespace pinpipe::log
