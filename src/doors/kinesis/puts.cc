// Actions that put records: one, or many.
#include <fmt/format.h>

#include "base/bytes.h"
#include "broker/streams_sequence.h"
#include "doors/kinesis/action.h"

namespace pinpipe::kinesis {
namespace {

using codec::Json;

constexpr int64_t blob_bytes_max = int64_t{broker::record_kib_max} << 10;
constexpr size_t request_bytes_max = 10 << 20;

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

// Records for the broker, and what their views point into: room for all of it is made beforehand.
struct Batch {
  std::string decoded;
  std::vector<broker::StreamRecord> records;
};

// `number` among many, from 1; 0 for the one of PutRecord.
std::optional<Failure> add_record(const Call& call, const Json& entry, const broker::Stream& stream,
                                  size_t number, Batch& batch) {
  std::string_view data = blob_of(entry["Data"], call.form, batch.decoded);
  std::string_view key = *entry["PartitionKey"].as_string();
  size_t most = static_cast<size_t>(stream.record_kib) << 10;
  if (data.size() + key.size() > most)
    return Failure{
        "ValidationException",
        validation_text("'" + blob_text(data.size()) + "'",
                        number == 0 ? "data" : fmt::format("records.{}.member.data", number),
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
  batch.records.push_back({.partition_key = key, .data = data, .explicit_hash = hash});
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
  batch.decoded.reserve(blob_size_max(call["Data"], call.form));
  if (auto wrong = add_record(call, call.given, **stream, 0, batch))
    co_return std::unexpected(std::move(*wrong));
  auto placed = co_await call.streams.put(*stream, batch.records);
  if (!placed) co_return failed(call, placed.error(), (*stream)->name);
  const broker::StreamPlaced& place = placed->front();
  if (place.error)
    co_return std::unexpected(record_failure(call, *place.error, **stream, place.shard));
  std::string body;
  AnswerWriter(call.form, body)
      .begin_object()
      .field("ShardId", broker::shard_id(place.shard))
      .field("SequenceNumber", place.sequence)
      .end_object();
  co_return std::move(body);
}

io::Task<Outcome> put_records(const Call& call) {
  auto stream = stream_of(call);
  if (!stream) co_return std::unexpected(stream.error());
  const Json::Array& entries = call["Records"].elements();
  Batch batch;
  batch.records.reserve(entries.size());
  size_t decoded_max = 0;
  for (const Json& entry : entries) decoded_max += blob_size_max(entry["Data"], call.form);
  batch.decoded.reserve(decoded_max);
  size_t bytes = 0;
  for (const Json& entry : entries) {
    if (auto wrong = add_record(call, entry, **stream, batch.records.size() + 1, batch))
      co_return std::unexpected(std::move(*wrong));
    bytes += batch.records.back().data.size() + batch.records.back().partition_key.size();
  }
  if (bytes > request_bytes_max) co_return invalid_argument("Records size exceeds 10 MB limit");
  auto placed = co_await call.streams.put(*stream, batch.records);
  if (!placed) co_return failed(call, placed.error(), (*stream)->name);
  int failures = 0;
  std::string body;
  AnswerWriter out(call.form, body);
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
  co_return std::move(body);
}

constexpr Action actions[] = {
    {"PutRecord", put_record_members, put_record},
    {"PutRecords", put_records_members, put_records},
};

}  // namespace

std::span<const Action> put_actions() {
  return actions;
}

}  // namespace pinpipe::kinesis
