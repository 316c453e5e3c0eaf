// topic consume|produce|tail: what is in a topic. Consume and produce are one step each here; the
// commands of the same names repeat them (commands/consume.cc, commands/produce.cc).
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <map>

#include "app/offset_words.h"
#include "app/operations/list.h"
#include "app/record_text.h"
#include "base/clock.h"

namespace pinpipe::app {

using codec::Json;

namespace {

constexpr size_t step_bytes_max = 1 << 20;  // of records, but at least one batch
constexpr int64_t step_records_max = 10'000;
constexpr int64_t wait_ms_max = 60'000;

Json headers_cell(const std::vector<broker::RecordHeader>& headers, bool always_base64) {
  Json cells = Json::array();
  for (const broker::RecordHeader& header : headers)
    cells.push(
        Json::object({{"key", header.key}, {"value", cell_of(header.value, always_base64)}}));
  return cells;
}

// One step of reading a topic: from positions, which move on.
struct Reading {
  House& house;
  std::string topic;
  std::map<broker::PartitionId, broker::Offset> next;
  int64_t count = step_records_max;
  bool base64 = false;
  Answer answer = {};

  io::Task<Status> read_what_is_there() {
    for (auto& [partition, offset] : next) {
      if (std::ssize(answer.rows) >= count) break;
      auto range = co_await house.topics().range(topic, partition);
      if (!range) co_return range.error();
      if (offset < range->start) {
        answer.notes.push_back(fmt::format("partition {}: records {} to {} are deleted", partition,
                                           offset, range->start - 1));
        offset = range->start;
      }
      if (offset >= range->high_watermark) continue;
      auto fetched = co_await house.topics().fetch(topic, partition, offset, step_bytes_max,
                                                   io::after(Millis(0)));
      if (!fetched) co_return fetched.error();
      offset = fetched->next;
      for (const broker::RecordOut& record : fetched->records) {
        if (std::ssize(answer.rows) >= count) {
          offset = record.offset;
          break;
        }
        add(partition, record);
      }
    }
    co_return Status{};
  }

  void add(broker::PartitionId partition, const broker::RecordOut& record) {
    answer.add_row({partition, record.offset, to_rfc3339(record.timestamp_ms),
                    cell_of(record.key, base64), cell_of(record.value, base64),
                    headers_cell(record.headers, base64)});
  }

  // Until a partition has grown beyond its position, or the time is over.
  io::Task<> wait(io::Instant deadline) const {
    std::vector<broker::FetchPart> parts;
    for (const auto& [partition, offset] : next)
      parts.push_back({.topic = topic, .partition = partition, .from = offset, .bytes_max = 1});
    auto cluster = house.broker().cluster_as(auth::service_principal("pinpipe"));
    broker::FetchBounds bounds{.bytes_min = 1, .bytes_max = 1, .deadline = deadline};
    (void)co_await cluster->fetch(std::move(parts), bounds);
  }

  io::Task<Status> add_positions() {
    Answer positions;
    positions.title = "positions";
    positions.columns = {"partition", "next", "end"};
    for (const auto& [partition, offset] : next) {
      auto range = co_await house.topics().range(topic, partition);
      if (!range) co_return range.error();
      positions.add_row({partition, offset, range->high_watermark});
    }
    answer.more.push_back(std::move(positions));
    co_return Status{};
  }
};

Result<std::map<broker::PartitionId, broker::Offset>> given_positions(const std::string& text) {
  auto json = codec::parse_json(text);
  if (!json) return json.error().with("positions");
  std::map<broker::PartitionId, broker::Offset> positions;
  for (const codec::JsonMember& member : json->members()) {
    auto offset = member.value.as_int();
    broker::PartitionId partition = -1;
    std::from_chars(member.key.data(), member.key.data() + member.key.size(), partition);
    if (!offset || *offset < 0 || partition < 0)
      return Error(Code::invalid, "positions are {\"partition\": offset}");
    positions[partition] = *offset;
  }
  return positions;
}

using Committed = std::map<broker::TopicPartition, broker::Position>;

io::Task<Result<Committed>> committed_by(House& house, std::string group,
                                         broker::TopicFacts topic) {
  if (group.empty()) co_return Committed{};
  std::vector<broker::TopicPartition> all;
  for (broker::PartitionId p = 0; p < topic.partitions; ++p) all.push_back({topic.name, p});
  co_return co_await house.topics().committed(group, std::move(all));
}

// Where a first step begins.
io::Task<Status> find_start(Reading& reading, const broker::TopicFacts& topic,
                            const Json& arguments, const Committed& committed) {
  std::string word = text_argument(arguments, "offset");
  bool in_group = !text_argument(arguments, "group").empty();
  if (word.empty()) word = in_group ? "stored" : "beginning";
  auto from = parse_offset_word(word, system_clock().wall_ms());
  if (!from) co_return from.error();
  if (from->kind == OffsetWord::Kind::stored && !in_group)
    co_return Error(Code::invalid, "only a group has stored positions: name one with --group");
  int64_t asked = integer_argument(arguments, "partition");
  for (broker::PartitionId p = 0; p < topic.partitions; ++p) {
    if (asked >= 0 && asked != p) continue;
    broker::TopicPartition where{topic.name, p};
    auto known = committed.find(where);
    std::optional<broker::Offset> stored;
    if (known != committed.end()) stored = known->second.offset;
    auto offset = co_await resolve_offset(reading.house.topics(), std::move(where), *from, stored);
    if (!offset) co_return offset.error();
    reading.next[p] = *offset;
  }
  if (reading.next.empty())
    co_return Error(Code::not_found, fmt::format("topic {} has partitions 0 to {}, not {}",
                                                 topic.name, topic.partitions - 1, asked));
  co_return Status{};
}

// What a later step was given has been used: that is how far the group is now.
io::Task<Status> commit_given(const Reading& reading, std::string group,
                              const Committed& committed) {
  Committed moved;
  for (const auto& [partition, offset] : reading.next) {
    broker::TopicPartition where{reading.topic, partition};
    auto known = committed.find(where);
    if (known != committed.end() && known->second.offset == offset) continue;
    broker::Position position;
    position.offset = offset;
    moved.emplace(std::move(where), std::move(position));
  }
  if (group.empty() || moved.empty()) co_return Status{};
  co_return co_await reading.house.topics().commit(group, std::move(moved));
}

io::Task<Result<Answer>> consume(House& house, Json arguments) {
  auto topic = house.topics().find(text_argument(arguments, "topic"));
  if (!topic) co_return topic.error();
  Reading reading{.house = house, .topic = topic->name, .next = {}};
  reading.base64 = flag_argument(arguments, "base64");
  reading.count = std::clamp<int64_t>(integer_argument(arguments, "count"), 0, step_records_max);
  reading.answer.columns = {"partition", "offset", "time", "key", "value", "headers"};
  std::string group = text_argument(arguments, "group");
  auto committed = co_await committed_by(house, group, *topic);
  if (!committed) co_return committed.error();
  std::string given = text_argument(arguments, "positions");
  if (given.empty()) {
    Status found = co_await find_start(reading, *topic, arguments, *committed);
    if (!found) co_return found.error();
  } else {
    auto positions = given_positions(given);
    if (!positions) co_return positions.error();
    reading.next = std::move(*positions);
    Status done = co_await commit_given(reading, group, *committed);
    if (!done) co_return done.error();
  }
  Status read = co_await reading.read_what_is_there();
  int64_t wait_ms = std::min(integer_argument(arguments, "wait"), wait_ms_max);
  if (read && reading.answer.rows.empty() && reading.count > 0 && wait_ms > 0) {
    co_await reading.wait(io::after(Millis(wait_ms)));
    read = co_await reading.read_what_is_there();
  }
  if (read) read = co_await reading.add_positions();
  if (!read) co_return read.error();
  co_return std::move(reading.answer);
}

// The views are into `records`, which must stay where it is.
std::vector<broker::RecordIn> views_of(const std::vector<TextRecord>& records) {
  std::vector<broker::RecordIn> views;
  views.reserve(records.size());
  for (const TextRecord& record : records) {
    broker::RecordIn& view = views.emplace_back();
    if (record.key) view.key = *record.key;
    if (record.value) view.value = *record.value;
    if (record.partition >= 0) view.partition = record.partition;
    if (record.timestamp_ms >= 0) view.timestamp_ms = record.timestamp_ms;
    for (const auto& [name, value] : record.headers) {
      broker::RecordHeader& header = view.headers.emplace_back();
      header.key = name;
      if (value) header.value = *value;
    }
  }
  return views;
}

Result<std::vector<TextRecord>> records_in(const std::string& text) {
  auto json = codec::parse_json(text);
  if (!json) return json.error().with("records");
  if (!json->is_array()) return Error(Code::invalid, "records are an array of objects");
  std::vector<TextRecord> records;
  records.reserve(json->size());
  for (const Json& one : json->elements()) {
    auto record = record_of(one);
    if (!record) return record.error().with(fmt::format("record {}", records.size()));
    records.push_back(std::move(*record));
  }
  return records;
}

io::Task<Result<Answer>> produce(House& house, Json arguments) {
  std::string topic = text_argument(arguments, "topic");
  auto records = records_in(text_argument(arguments, "records"));
  if (!records) co_return records.error();
  if (auto found = co_await house.topics().find_or_create(topic); !found) co_return found.error();
  std::vector<broker::RecordIn> views = views_of(*records);
  auto placed = co_await house.topics().produce(topic, views, broker::Acks::committed);
  if (!placed) co_return placed.error();
  Answer answer;
  answer.columns = {"partition", "offset", "time", "error"};
  for (const broker::Placed& place : *placed) {
    answer.failed |= place.error.has_value();
    answer.add_row({place.partition, place.error ? Json() : Json(place.offset),
                    place.error ? Json() : Json(to_rfc3339(place.timestamp_ms)),
                    place.error ? Json(place.error->text()) : Json()});
  }
  co_return answer;
}

// The last `count` records of every partition, oldest first.
io::Task<Result<Answer>> tail(House& house, Json arguments) {
  auto topic = house.topics().find(text_argument(arguments, "topic"));
  if (!topic) co_return topic.error();
  int64_t count = std::clamp<int64_t>(integer_argument(arguments, "count"), 1, 1000);
  Answer answer;
  answer.columns = {"partition", "offset", "time", "key", "value"};
  for (broker::PartitionId p = 0; p < topic->partitions; ++p) {
    auto range = co_await house.topics().range(topic->name, p);
    if (!range) co_return range.error();
    broker::Offset from = std::max(range->start, range->high_watermark - count);
    while (from < range->high_watermark) {
      auto fetched = co_await house.topics().fetch(topic->name, p, from, step_bytes_max,
                                                   io::after(Millis(1000)));
      if (!fetched) co_return fetched.error();
      if (fetched->records.empty()) break;
      for (const broker::RecordOut& record : fetched->records)
        answer.add_row({p, record.offset, to_rfc3339(record.timestamp_ms), cell_of(record.key),
                        cell_of(record.value)});
      from = fetched->next;
    }
  }
  co_return answer;
}

const Parameter which{.name = "topic", .positional = true, .required = true, .summary = "its name"};

}  // namespace

// tidy: long because it is one table.
std::vector<Operation> record_operations() {
  using Kind = Parameter::Kind;
  return {
      {.noun = "topic",
       .verb = "consume",
       .summary = "some records of a topic, and the positions to give next",
       .example = "pinpipe topic consume 0e90e0175553.pin -o -3 -e",
       .writes = true,  // with a group
       .parameters = {which,
                      {.name = "partition", .kind = Kind::integer, .fallback = "-1"},
                      {.name = "offset", .summary = "where to begin; beginning, or stored"},
                      {.name = "positions", .summary = "{\"partition\": offset} instead"},
                      {.name = "group", .summary = "whose positions the given ones become"},
                      {.name = "count", .kind = Kind::integer, .fallback = "1000"},
                      {.name = "wait",
                       .kind = Kind::integer,
                       .summary = "for the first record: milliseconds",
                       .fallback = "0"},
                      {.name = "base64", .kind = Kind::flag, .summary = "of all keys and values"}},
       .run = consume},
      {.noun = "topic",
       .verb = "produce",
       .summary = "add records to a topic",
       .example = "echo hello | pinpipe topic produce greetings",
       .writes = true,
       .parameters = {which,
                      {.name = "records",
                       .required = true,
                       .summary = "[{\"key\":…,\"value\":…,\"headers\":…,\"partition\":…}]"}},
       .run = produce},
      {.noun = "topic",
       .verb = "tail",
       .summary = "the last records of a topic",
       .example = "pinpipe topic tail 0e90e0175553.pin --count 3",
       .parameters = {which,
                      {.name = "count",
                       .kind = Kind::integer,
                       .summary = "how many of each partition",
                       .fallback = "10"}},
       .run = tail},
  };
}

}  // namespace pinpipe::app
