// Actions on records: put one or many, begin to read, read on.
#include <array>
#include <fmt/format.h>

#include "base/bytes.h"
#include "broker/streams_sequence.h"
#include "doors/kinesis/action.h"

namespace pinpipe::kinesis {
namespace {

using broker::StreamStart;
using codec::Json;
using codec::JsonWriter;

constexpr int64_t blob_bytes_max = int64_t{broker::record_kib_max} << 10;
constexpr size_t request_bytes_max = 10 << 20;
constexpr int64_t records_max = 10'000;

constexpr Member hash_key_member{.name = "ExplicitHashKey", .pattern = &hash_key_pattern};
constexpr Member partition_key_member{
    .name = "PartitionKey", .required = true, .least = 1, .most = 256};
constexpr Member data_member{
    .name = "Data", .type = Type::blob, .required = true, .most = blob_bytes_max};

constexpr Member put_record_members[] = {
    {.name = "SequenceNumberForOrdering", .pattern = &sequence_pattern},
    partition_key_member,
    hash_key_member,
    data_member,
    stream_name_member,
    stream_arn_member,
};
constexpr Member entry_members[] = {partition_key_member, data_member, hash_key_member};
constexpr Member entry_member{.name = "member", .type = Type::structure, .members = entry_members};
constexpr Member put_records_members[] = {
    {.name = "Records",
     .type = Type::list,
     .required = true,
     .least = 1,
     .most = 500,
     .element = &entry_member,
     .element_class = "com.amazonaws.kinesis.v20131202.PutRecordsRequestEntry"},
    stream_name_member,
    stream_arn_member,
};
constexpr std::array<std::string_view, 5> iterator_types = {
    "AFTER_SEQUENCE_NUMBER", "LATEST", "AT_TIMESTAMP", "AT_SEQUENCE_NUMBER", "TRIM_HORIZON"};
constexpr Member iterator_members[] = {
    {.name = "ShardId", .required = true, .pattern = &name_pattern, .least = 1, .most = 128},
    {.name = "ShardIteratorType", .required = true, .words = iterator_types},
    {.name = "StartingSequenceNumber", .pattern = &sequence_pattern},
    stream_name_member,
    stream_arn_member,
    {.name = "Timestamp", .type = Type::time},
};
constexpr Member get_members[] = {
    {.name = "Limit", .type = Type::integer, .least = 1, .most = records_max},
    {.name = "ShardIterator", .required = true, .least = 1, .most = 512},
    stream_arn_member,
};

// Records for the broker, and what their views point into.
struct Batch {
  std::vector<std::string> data;
  std::vector<broker::StreamRecord> records;
};

std::optional<Failure> add_record(const Json& entry, const broker::Stream& stream,
                                  const std::string& path, Batch& batch) {
  auto data = from_base64(*entry["Data"].as_string());
  if (!data) return Failure{"SerializationException", ""};
  size_t most = static_cast<size_t>(stream.record_kib) << 10;
  if (data->size() > most)
    return Failure{
        "ValidationException",
        validation_text("'" + blob_text(data->size()) + "'", path,
                        fmt::format("Member must have length less than or equal to {}", most))};
  std::optional<broker::HashKey> hash;
  if (auto text = entry["ExplicitHashKey"].as_string()) {
    hash = broker::hash_key_of(*text);
    if (!hash)
      return Failure{"InvalidArgumentException",
                     fmt::format("Invalid ExplicitHashKey. ExplicitHashKey must be in the range: "
                                 "[0, 2^128-1]. Specified value was {}",
                                 *text)};
  }
  batch.data.push_back(std::move(*data));
  batch.records.push_back({.partition_key = *entry["PartitionKey"].as_string(),
                           .data = batch.data.back(),
                           .explicit_hash = hash});
  return std::nullopt;
}

// Why one record was not stored, as PutRecords says it for each.
Failure record_failure(const Call& call, const Error& error, const broker::Stream& stream,
                       int32_t shard) {
  if (error.code() == Code::busy)
    return {"ProvisionedThroughputExceededException",
            fmt::format("Rate exceeded for shard {} in stream {} under account {}.",
                        broker::shard_id(shard), stream.name, call.account)};
  return {"InternalFailure", "Internal service failure.", 500};
}

io::Task<Outcome> put_record(const Call& call) {
  auto stream = stream_of(call);
  if (!stream) co_return std::unexpected(stream.error());
  if (call.has("SequenceNumberForOrdering") &&
      !broker::Sequence::from_text(call.text("SequenceNumberForOrdering")))
    co_return invalid_argument(
        fmt::format("ExclusiveMinimumSequenceNumber {} used in PutRecord on stream {} under "
                    "account {} is invalid.",
                    call.text("SequenceNumberForOrdering"), (*stream)->name, call.account));
  Batch batch;
  batch.data.reserve(1);
  if (auto wrong = add_record(call.given, **stream, "data", batch))
    co_return std::unexpected(std::move(*wrong));
  auto placed = co_await call.streams.put(*stream, batch.records);
  if (!placed) co_return failed(call, placed.error(), (*stream)->name);
  const broker::StreamPlaced& place = placed->front();
  if (place.error)
    co_return std::unexpected(record_failure(call, *place.error, **stream, place.shard));
  std::string body;
  JsonWriter(body)
      .begin_object()
      .field("ShardId", broker::shard_id(place.shard))
      .field("SequenceNumber", place.sequence)
      .end_object();
  co_return body;
}

io::Task<Outcome> put_records(const Call& call) {
  auto stream = stream_of(call);
  if (!stream) co_return std::unexpected(stream.error());
  const Json::Array& entries = call["Records"].elements();
  Batch batch;
  batch.data.reserve(entries.size());  // views point into its strings: it must not grow
  size_t bytes = 0;
  for (const Json& entry : entries) {
    std::string path = fmt::format("records.{}.member.data", batch.data.size() + 1);
    if (auto wrong = add_record(entry, **stream, path, batch))
      co_return std::unexpected(std::move(*wrong));
    bytes += batch.records.back().data.size() + batch.records.back().partition_key.size();
  }
  if (bytes > request_bytes_max) co_return invalid_argument("Records size exceeds 10 MB limit");
  auto placed = co_await call.streams.put(*stream, batch.records);
  if (!placed) co_return failed(call, placed.error(), (*stream)->name);
  int failures = 0;
  std::string body;
  JsonWriter out(body);
  out.begin_object().key("Records").begin_array();
  for (const broker::StreamPlaced& place : *placed) {
    out.begin_object();
    if (place.error) {
      ++failures;
      Failure why = record_failure(call, *place.error, **stream, place.shard);
      out.field("ErrorCode", why.type).field("ErrorMessage", why.message);
    } else {
      out.field("SequenceNumber", place.sequence).field("ShardId", broker::shard_id(place.shard));
    }
    out.end_object();
  }
  out.end_array().field("FailedRecordCount", failures).end_object();
  co_return body;
}

// The position that a sequence number names, if it is one of this shard's.
std::expected<StreamStart, Failure> start_at_sequence(const Call& call,
                                                      const broker::Stream& stream,
                                                      const broker::Shard& shard) {
  std::string_view text = call.text("StartingSequenceNumber");
  std::string used = fmt::format(
      "StartingSequenceNumber {} used in GetShardIterator on shard {} in stream {} "
      "under account {} is invalid",
      text, shard.id(), stream.name, call.account);
  auto sequence = broker::Sequence::from_text(text);
  if (!sequence) return invalid_argument(used + ".");
  if (sequence->shard != shard.number)
    return invalid_argument(
        fmt::format("Invalid StartingSequenceNumber. It encodes {}, while it was used in a call to "
                    "a shard with {}",
                    broker::shard_id(sequence->shard), shard.id()));
  if (sequence->created_s != shard.created_s)
    return invalid_argument(used + " because it did not come from this stream.");
  bool after = call.text("ShardIteratorType") == "AFTER_SEQUENCE_NUMBER" && sequence->index > 0;
  if (sequence->index == broker::Sequence::index_max) return StreamStart{StreamStart::Kind::latest};
  return StreamStart{StreamStart::Kind::offset, sequence->offset() + (after ? 1 : 0)};
}

std::expected<StreamStart, Failure> start_of(const Call& call, const broker::Stream& stream,
                                             const broker::Shard& shard) {
  std::string_view type = call.text("ShardIteratorType");
  bool by_number = type == "AT_SEQUENCE_NUMBER" || type == "AFTER_SEQUENCE_NUMBER";
  bool by_time = type == "AT_TIMESTAMP";
  if (!by_time && by_number != call.has("StartingSequenceNumber"))
    return invalid_argument(
        fmt::format("Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and "
                    "StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no "
                    "StartingSequenceNumber. Request specified {} and {} StartingSequenceNumber.",
                    type, by_number ? "no" : "also a"));
  if (by_number) return start_at_sequence(call, stream, shard);
  if (!by_time)
    return StreamStart{type == "LATEST" ? StreamStart::Kind::latest : StreamStart::Kind::horizon};
  if (!call.has("Timestamp"))
    return invalid_argument(
        "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current "
        "request has no timestamp parameter.");
  int64_t time_ms = call.time_ms("Timestamp");
  if (time_ms > call.now_ms)
    return invalid_argument(
        fmt::format("The timestampInMillis parameter cannot be greater than the "
                    "currentTimestampInMillis. timestampInMillis: {}, currentTimestampInMillis: {}",
                    time_ms, call.now_ms));
  return StreamStart{StreamStart::Kind::time, time_ms};
}

std::unexpected<Failure> no_such_shard(const Call& call, std::string_view shard,
                                       std::string_view stream) {
  return std::unexpected(
      Failure{"ResourceNotFoundException",
              fmt::format("Shard {} in stream {} under account {} does not exist", shard, stream,
                          call.account)});
}

io::Task<Outcome> shard_iterator(const Call& call) {
  auto stream = stream_of(call);
  std::string_view name =
      call.has("StreamName") ? call.text("StreamName") : name_in_arn(call.text("StreamARN"));
  auto number = shard_number(call.text("ShardId"));
  if (!number) co_return no_shard(call, call.text("ShardId"), name);
  if (!stream && stream.error().type == "ResourceNotFoundException")
    co_return no_such_shard(call, broker::shard_id(*number), name);
  if (!stream) co_return std::unexpected(stream.error());
  const broker::Shard* shard = (*stream)->find_shard(*number);
  if (shard == nullptr) co_return no_such_shard(call, broker::shard_id(*number), name);
  auto start = start_of(call, **stream, *shard);
  if (!start) co_return std::unexpected(start.error());
  auto iterator = co_await call.streams.iterator(*stream, *number, *start);
  if (!iterator) co_return failed(call, iterator.error(), name);
  std::string body;
  JsonWriter(body).begin_object().field("ShardIterator", *iterator).end_object();
  co_return body;
}

// "Thu Jan 22 01:22:02 UTC 2015"
std::string java_date(int64_t time_ms) {
  constexpr std::array days = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  CivilTime at = civil_of(time_ms);
  return fmt::format("{} {} {:02} {:02}:{:02}:{:02} UTC {}",
                     days[static_cast<size_t>(time_ms / 86'400'000 % 7)], months[at.month - 1],
                     at.day, at.hour, at.minute, at.second, at.year);
}

void write_record(JsonWriter& out, const broker::Shard& shard, const broker::RecordOut& record) {
  out.begin_object()
      .field("SequenceNumber", shard.sequence_of(record.offset, record.timestamp_ms))
      .key("ApproximateArrivalTimestamp");
  write_time(out, record.timestamp_ms);
  // Base64 needs no escapes.
  out.key("Data")
      .raw('"' + to_base64(record.value.value_or(std::string_view())) + '"')
      .field("PartitionKey", record.key.value_or(std::string_view()))
      .end_object();
}

void write_children(JsonWriter& out, const broker::StreamRead& read) {
  out.key("ChildShards").begin_array();
  for (const broker::Shard* child : read.children) {
    out.begin_object().field("ShardId", child->id()).key("ParentShards").begin_array();
    for (auto parent : {child->parent, child->adjacent_parent}) {
      if (parent) out.value(broker::shard_id(*parent));
    }
    out.end_array()
        .key("HashKeyRange")
        .begin_object()
        .field("StartingHashKey", broker::to_decimal(child->range.first))
        .field("EndingHashKey", broker::to_decimal(child->range.last))
        .end_object()
        .end_object();
  }
  out.end_array();
}

io::Task<Outcome> get(const Call& call) {
  auto ticket = call.streams.read(call.text("ShardIterator"), broker::Ticket::Kind::iterator);
  if (!ticket) co_return invalid_argument("Invalid ShardIterator.");
  if (call.has("StreamARN") && name_in_arn(call.text("StreamARN")) != ticket->name)
    co_return invalid_argument("StreamARN and ShardIterator do not belong to the same stream.");
  if (call.now_ms - ticket->issued_ms > broker::ticket_life_ms)
    co_return std::unexpected(Failure{
        "ExpiredIteratorException",
        fmt::format("Iterator expired. The iterator was created at time {} while right now "
                    "it is {} which is further in the future than the tolerated delay of "
                    "{} milliseconds.",
                    java_date(ticket->issued_ms), java_date(call.now_ms), broker::ticket_life_ms)});
  const std::string name = ticket->name;
  const int32_t shard = ticket->shard;
  auto read = co_await call.streams.get(std::move(*ticket),
                                        static_cast<size_t>(call.integer("Limit", records_max)));
  if (!read && read.error().code() == Code::not_found)
    co_return no_such_shard(call, broker::shard_id(shard), name);
  if (!read) co_return failed(call, read.error(), name);
  std::string body;
  JsonWriter out(body);
  out.begin_object().key("Records").begin_array();
  for (const broker::RecordOut& record : read->records) write_record(out, *read->shard, record);
  out.end_array();
  if (read->next) out.field("NextShardIterator", *read->next);
  out.field("MillisBehindLatest", read->behind_ms);
  if (!read->next) write_children(out, *read);
  out.end_object();
  co_return body;
}

constexpr Action actions[] = {
    {"PutRecord", put_record_members, put_record},
    {"PutRecords", put_records_members, put_records},
    {"GetShardIterator", iterator_members, shard_iterator},
    {"GetRecords", get_members, get},
};

}  // namespace

std::span<const Action> record_actions() {
  return actions;
}

}  // namespace pinpipe::kinesis
