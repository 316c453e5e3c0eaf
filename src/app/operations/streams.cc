// stream list|create|describe|put|read|reshard|delete.
#include "broker/streams.h"

#include <algorithm>
#include <fmt/format.h>

#include "app/operations/list.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "broker/streams_sequence.h"
#include "codec/json_text.h"

namespace pinpipe::app {
namespace {

using broker::Shard;
using broker::Stream;
using broker::StreamPointer;
using broker::StreamStart;
using codec::Json;

constexpr int64_t hour_ms = 3'600'000;
constexpr int64_t read_records_max = 10'000;
constexpr int64_t wait_s_max = 60;
constexpr size_t put_records_max = 500;

broker::StreamAccess access_to(House& house) {
  return house.streams().as(auth::local_principal());
}

io::Task<Result<int64_t>> records_in(House& house, const Stream& stream, int32_t shard) {
  auto range = co_await house.topics().range(stream.name, shard);
  if (!range) co_return range.error();
  co_return range->high_watermark - range->start;
}

io::Task<Result<Answer>> list_streams(House& house, Json) {
  broker::StreamAccess access = access_to(house);
  Answer answer;
  answer.columns = {"stream",          "mode",      "shards", "closed",
                    "retention_hours", "consumers", "records"};
  for (const StreamPointer& stream : access.list()) {
    int64_t records = 0;
    for (const Shard& shard : stream->shards) {
      auto count = co_await records_in(house, *stream, shard.number);
      if (!count) co_return count.error();
      records += *count;
    }
    auto closed = static_cast<int64_t>(stream->shards.size()) - stream->open_shards();
    answer.add_row({stream->name, stream->on_demand ? "on-demand" : "provisioned",
                    stream->open_shards(), closed, access.retention_ms(*stream) / hour_ms,
                    stream->consumers.size(), records});
  }
  co_return answer;
}

io::Task<Result<Answer>> create_stream(House& house, Json arguments) {
  broker::StreamAccess access = access_to(house);
  int64_t shards = integer_argument(arguments, "shards");
  int64_t hours = integer_argument(arguments, "retention");
  if (shards < 1 || shards > 10'000) co_return Error(Code::invalid, "--shards is 1 to 10000");
  if (hours < 24 || hours > 8760) co_return Error(Code::invalid, "--retention is 24 to 8760 hours");
  auto made = co_await access.create({.name = text_argument(arguments, "stream"),
                                      .shards = static_cast<int32_t>(shards),
                                      .on_demand = flag_argument(arguments, "on-demand"),
                                      .tags = {}});
  if (!made) co_return made.error();
  Status kept = co_await access.set_retention(*made, hours * hour_ms);
  if (!kept) co_return kept.error();
  Answer answer;
  answer.columns = {"stream", "shards", "id"};
  answer.add_row({(*made)->name, (*made)->open_shards(), (*made)->id.text()});
  co_return answer;
}

std::string parents_of(const Shard& shard) {
  if (!shard.parent) return "";
  std::string text = std::to_string(*shard.parent);
  if (shard.adjacent_parent) text += " " + std::to_string(*shard.adjacent_parent);
  return text;
}

io::Task<Result<Answer>> describe_stream(House& house, Json arguments) {
  broker::StreamAccess access = access_to(house);
  auto stream = access.find(text_argument(arguments, "stream"));
  if (!stream) co_return stream.error();
  Answer answer;
  answer.columns = {"shard", "state", "parents", "first_key", "last_key", "records", "starts_at"};
  for (const Shard& shard : (*stream)->shards) {
    auto records = co_await records_in(house, **stream, shard.number);
    if (!records) co_return records.error();
    answer.add_row({shard.number, shard.is_open() ? "open" : "closed", parents_of(shard),
                    broker::to_decimal(shard.range.first), broker::to_decimal(shard.range.last),
                    *records, shard.starting_sequence()});
  }
  answer.notes.push_back(fmt::format(
      "{}, kept for {} hours, created {}", (*stream)->on_demand ? "on-demand" : "provisioned",
      access.retention_ms(**stream) / hour_ms, to_rfc3339((*stream)->created_ms)));
  co_return answer;
}

// A record is what was given, or each line of the file.
std::vector<std::string_view> records_given(std::string_view data, std::string_view lines) {
  std::vector<std::string_view> records;
  if (!data.empty()) records.push_back(data);
  while (!lines.empty()) {
    size_t end = std::min(lines.find('\n'), lines.size());
    if (end > 0) records.push_back(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return records;
}

io::Task<Result<Answer>> put_records(House& house, Json arguments) {
  broker::StreamAccess access = access_to(house);
  auto stream = access.find(text_argument(arguments, "stream"));
  if (!stream) co_return stream.error();
  const std::string data = text_argument(arguments, "record");
  const std::string lines = text_argument(arguments, "file");
  // One key for all keeps their order.
  std::string key = text_argument(arguments, "key");
  if (key.empty()) key = Uuid::random().text();
  std::vector<std::string_view> given = records_given(data, lines);
  if (given.empty())
    co_return Error(Code::invalid, "there is nothing to put: give a record or --file");
  Answer answer;
  answer.columns = {"shard", "sequence"};
  for (size_t from = 0; from < given.size(); from += put_records_max) {
    std::vector<broker::StreamRecord> records;
    for (size_t i = from; i < std::min(from + put_records_max, given.size()); ++i)
      records.push_back({.partition_key = key, .data = given[i], .explicit_hash = {}});
    auto placed = co_await access.put(*stream, records);
    if (!placed) co_return placed.error();
    for (const broker::StreamPlaced& place : *placed) {
      if (place.error)
        co_return Error(place.error->code(), place.error->text())
            .with(fmt::format("after {} of {} records", answer.rows.size(), given.size()));
      answer.add_row({place.shard, place.sequence});
    }
  }
  co_return answer;
}

Json decoded(std::string_view data) {
  if (auto json = codec::parse_json(data)) return std::move(*json);
  if (codec::is_utf8(data)) return {data};
  return {"base64:" + to_base64(data)};
}

// One record and when it came, for merging shards.
struct Row {
  int64_t time_ms = 0;
  size_t place = 0;  // as it was read
  std::vector<Json> cells;
};

// Where a reader is: by default `from`, and after each shard's number that is given.
struct Places {
  StreamStart from;
  std::map<int32_t, broker::Offset> next;

  StreamStart of(int32_t shard) const {
    auto found = next.find(shard);
    if (found == next.end()) return from;
    return {StreamStart::Kind::offset, found->second};
  }
};

Result<Places> places_of(const Stream& stream, const Json& arguments) {
  Places places;
  std::string from = text_argument(arguments, "from");
  if (from == "latest") {
    places.from.kind = StreamStart::Kind::latest;
  } else if (from != "horizon") {
    auto time = from_rfc3339(from);
    if (!time)
      return Error(Code::invalid,
                   "--from is horizon, latest or a time such as 2026-01-02T10:15:00Z");
    places.from = {StreamStart::Kind::time, *time};
  }
  std::string after = text_argument(arguments, "after");
  for (std::string_view rest = after; !rest.empty();) {
    size_t end = std::min(rest.find(','), rest.size());
    auto sequence = broker::Sequence::from_text(rest.substr(0, end));
    const Shard* shard = sequence ? stream.find_shard(sequence->shard) : nullptr;
    if (shard == nullptr || shard->created_s != sequence->created_s)
      return Error(Code::invalid, fmt::format("{} is no sequence number of stream {}",
                                              rest.substr(0, end), stream.name));
    places.next[sequence->shard] = sequence->offset() + (sequence->index > 0 ? 1 : 0);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return places;
}

io::Task<Result<std::vector<Row>>> rows_of(broker::StreamAccess& access, StreamPointer stream,
                                           const Places& places, int64_t only_shard, size_t count) {
  std::vector<Row> rows;
  for (const Shard& shard : stream->shards) {
    if (only_shard >= 0 && shard.number != only_shard) continue;
    auto read =
        co_await access.look(stream, shard.number, places.of(shard.number), {.records_max = count});
    if (!read) co_return read.error();
    for (const broker::RecordOut& record : read->records)
      rows.push_back({record.timestamp_ms,
                      rows.size(),
                      {to_rfc3339(record.timestamp_ms), shard.number,
                       shard.sequence_of(record.offset, record.timestamp_ms),
                       record.key ? Json(*record.key) : Json(),
                       decoded(record.value.value_or(std::string_view()))}});
  }
  // Records of a shard, and those of its children, keep their order.
  std::ranges::sort(rows, {}, [](const Row& row) { return std::pair(row.time_ms, row.place); });
  if (rows.size() > count) rows.resize(count);
  co_return rows;
}

io::Task<Result<Answer>> read_stream(House& house, Json arguments) {
  broker::StreamAccess access = access_to(house);
  const std::string name = text_argument(arguments, "stream");
  const auto count = static_cast<size_t>(
      std::clamp<int64_t>(integer_argument(arguments, "count"), 1, read_records_max));
  const int64_t only = integer_argument(arguments, "shard");
  const int64_t wait_s = std::clamp<int64_t>(integer_argument(arguments, "wait"), 0, wait_s_max);
  const io::Instant deadline = io::after(Millis(wait_s * 1000));
  Answer answer;
  answer.columns = {"time", "shard", "sequence", "key", "data"};
  while (true) {
    auto stream = access.find(name);
    if (!stream) co_return stream.error();
    if (only >= 0 && (*stream)->find_shard(static_cast<int32_t>(only)) == nullptr)
      co_return Error(Code::not_found, fmt::format("stream {} has no shard {}", name, only));
    auto places = places_of(**stream, arguments);
    if (!places) co_return places.error();
    broker::StreamWatch watch = access.watch(**stream);
    auto rows = co_await rows_of(access, *stream, *places, only, count);
    if (!rows) co_return rows.error();
    for (Row& row : *rows) answer.add_row(std::move(row.cells));
    if (!answer.rows.empty() || wait_s == 0) co_return answer;
    Status woken = co_await watch.wait(deadline);
    if (!woken && woken.error().code() == Code::timeout) co_return answer;
    if (!woken) co_return woken.error();
  }
}

// The open shard right above the given one.
Result<int32_t> upper_neighbour(const Stream& stream, const Shard& lower) {
  auto at = std::ranges::find(stream.open, lower.number);
  if (at == stream.open.end()) return Error(Code::conflict, lower.id() + " is closed");
  if (++at == stream.open.end())
    return Error(Code::invalid, lower.id() + " is the last one: nothing is above it");
  return *at;
}

io::Task<Result<Answer>> reshard_stream(House& house, Json arguments) {
  broker::StreamAccess access = access_to(house);
  const std::string name = text_argument(arguments, "stream");
  auto stream = access.find(name);
  if (!stream) co_return stream.error();
  const int64_t shards = integer_argument(arguments, "shards");
  const int64_t to_split = integer_argument(arguments, "split");
  const int64_t to_merge = integer_argument(arguments, "merge");
  if ((shards > 0) + (to_split >= 0) + (to_merge >= 0) != 1)
    co_return Error(Code::invalid, "give one of --shards, --split and --merge");
  Status done;
  if (shards > 0) {
    done = co_await access.set_shard_count(
        *stream, static_cast<int32_t>(std::min<int64_t>(shards, 1'000'000)));
  } else {
    auto number = static_cast<int32_t>(std::max(to_split, to_merge));
    const Shard* shard = (*stream)->find_shard(number);
    if (shard == nullptr)
      co_return Error(Code::not_found, fmt::format("stream {} has no shard {}", name, number));
    if (to_split >= 0) {
      const broker::HashRange range = shard->range;
      done =
          co_await access.split(*stream, number, range.first + (range.last - range.first) / 2 + 1);
    } else {
      auto upper = upper_neighbour(**stream, *shard);
      if (!upper) co_return upper.error();
      done = co_await access.merge(*stream, number, *upper);
    }
  }
  if (!done) co_return done.error();
  auto now = access.find(name);
  if (!now) co_return now.error();
  Answer answer;
  answer.columns = {"stream", "before", "shards"};
  answer.add_row({name, (*stream)->open_shards(), (*now)->open_shards()});
  co_return answer;
}

io::Task<Result<Answer>> delete_stream(House& house, Json arguments) {
  broker::StreamAccess access = access_to(house);
  std::string name = text_argument(arguments, "stream");
  auto stream = access.find(name);
  if (!stream) co_return stream.error();
  if (Status gone = co_await access.remove(*stream); !gone) co_return gone.error();
  Answer answer;
  answer.columns = {"stream", "status"};
  answer.add_row({name, "deleted"});
  co_return answer;
}

}  // namespace

std::vector<Operation> stream_operations() {
  using Kind = Parameter::Kind;
  const Parameter name{
      .name = "stream", .positional = true, .required = true, .summary = "its name"};
  return {
      {.noun = "stream",
       .verb = "list",
       .summary = "the streams, their shards and how many records they hold",
       .example = "pinpipe stream list",
       .parameters = {},
       .run = list_streams},
      {.noun = "stream",
       .verb = "create",
       .summary = "make a stream",
       .example = "pinpipe stream create orders --shards 2",
       .writes = true,
       .parameters =
           {name,
            {.name = "shards", .kind = Kind::integer, .summary = "how many", .fallback = "1"},
            {.name = "retention",
             .kind = Kind::integer,
             .summary = "hours that records stay",
             .fallback = "24"},
            {.name = "on-demand",
             .kind = Kind::flag,
             .summary = "the mode whose shards nobody changes by hand"}},
       .run = create_stream},
      {.noun = "stream",
       .verb = "describe",
       .summary = "the shards of a stream, closed ones too",
       .example = "pinpipe stream describe orders",
       .parameters = {name},
       .run = describe_stream},
      {.noun = "stream",
       .verb = "put",
       .summary = "put a record, or each line of a file as one",
       .example = R"(pinpipe stream put orders '{"n": 1}' --key ada)",
       .writes = true,
       .parameters = {name,
                      {.name = "record", .positional = true, .summary = "what to put"},
                      {.name = "file",
                       .kind = Kind::file,
                       .summary = "a file whose lines are records; - is the standard input"},
                      {.name = "key", .summary = "the partition key; any unless given"}},
       .run = put_records},
      {.noun = "stream",
       .verb = "read",
       .summary = "records of all shards in the order in which they came",
       .example = "pinpipe stream read streaming-0e90e0175553-pin --count 3",
       .parameters =
           {{.name = "stream", .positional = true, .required = true, .summary = "its name"},
            {.name = "from",
             .summary = "horizon, latest, or a time such as 2026-01-02T10:15:00Z",
             .fallback = "horizon"},
            {.name = "after",
             .summary =
                 "sequence numbers, with commas: in their shards only what comes after them"},
            {.name = "count", .kind = Kind::integer, .summary = "at most", .fallback = "100"},
            {.name = "shard",
             .kind = Kind::integer,
             .summary = "only of this one; -1 is all",
             .fallback = "-1"},
            {.name = "wait",
             .kind = Kind::integer,
             .summary = "seconds to wait for a record when there is none",
             .fallback = "0"}},
       .run = read_stream},
      {.noun = "stream",
       .verb = "reshard",
       .summary = "bring a stream to a number of shards, or split or merge one",
       .example = "pinpipe stream reshard orders --shards 4",
       .writes = true,
       .parameters =
           {name,
            {.name = "shards", .kind = Kind::integer, .summary = "how many", .fallback = "0"},
            {.name = "split",
             .kind = Kind::integer,
             .summary = "the shard to split in the middle",
             .fallback = "-1"},
            {.name = "merge",
             .kind = Kind::integer,
             .summary = "the shard to merge with the one above it",
             .fallback = "-1"}},
       .run = reshard_stream},
      {.noun = "stream",
       .verb = "delete",
       .summary = "remove a stream and all its records",
       .example = "pinpipe stream delete orders",
       .writes = true,
       .parameters = {name},
       .run = delete_stream},
  };
}

}  // namespace pinpipe::app
