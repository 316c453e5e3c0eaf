// Actions that read: where a reader begins, and going on from there.
#include <array>
#include <fmt/format.h>

#include "base/bytes.h"
#include "broker/streams_sequence.h"
#include "doors/kinesis/action.h"

namespace pinpipe::kinesis {
namespace {

using broker::StreamStart;

constexpr int64_t records_max = 10'000;

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

// The position that a sequence number names, if it is one of this shard's.
std::expected<StreamStart, Failure> start_at_sequence(const Call& call,
                                                      const broker::Stream& stream,
                                                      const broker::Shard& shard,
                                                      const Begin& begin) {
  std::string_view text = *begin.sequence;
  std::string used = fmt::format(
      "StartingSequenceNumber {} used in {} on shard {} in stream {} under account {} is invalid",
      text, call.action, shard.id(), stream.name, call.account);
  auto sequence = broker::Sequence::from_text(text);
  if (!sequence) return invalid_argument(used + ".");
  if (sequence->shard != shard.number)
    return invalid_argument(
        fmt::format("Invalid StartingSequenceNumber. It encodes {}, while it was used in a call to "
                    "a shard with {}",
                    broker::shard_id(sequence->shard), shard.id()));
  if (sequence->created_s != shard.created_s)
    return invalid_argument(used + " because it did not come from this stream.");
  bool after = begin.type == "AFTER_SEQUENCE_NUMBER" && sequence->index > 0;
  if (sequence->index == broker::Sequence::index_max) return StreamStart{StreamStart::Kind::latest};
  return StreamStart{StreamStart::Kind::offset, sequence->offset() + (after ? 1 : 0)};
}

std::unexpected<Failure> no_such_shard(const Call& call, std::string_view shard,
                                       std::string_view stream) {
  return std::unexpected(
      Failure{"ResourceNotFoundException",
              fmt::format("Shard {} in stream {} under account {} does not exist", shard, stream,
                          call.account)});
}

std::unexpected<Failure> too_many(const Call& call, std::string_view shard,
                                  std::string_view stream) {
  return std::unexpected(
      Failure{"ProvisionedThroughputExceededException",
              fmt::format("Rate exceeded for shard {} in stream {} under account {}.", shard,
                          stream, call.account)});
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
  Begin begin{.type = call.text("ShardIteratorType"),
              .sequence = call["StartingSequenceNumber"].as_string(),
              .time_ms = {}};
  if (call.has("Timestamp")) begin.time_ms = call.time_ms("Timestamp");
  auto start = start_of(call, **stream, *shard, begin);
  if (!start) co_return std::unexpected(start.error());
  auto iterator = co_await call.streams.iterator(*stream, *number, *start);
  if (!iterator && iterator.error().code() == Code::busy)
    co_return too_many(call, broker::shard_id(*number), name);
  if (!iterator) co_return failed(call, iterator.error(), name);
  std::string body;
  AnswerWriter(call.form, body).begin_object().field("ShardIterator", *iterator).end_object();
  co_return std::move(body);
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
  auto records = static_cast<size_t>(call.integer("Limit", records_max));
  auto read = co_await call.streams.get(std::move(*ticket), {.records_max = records});
  if (!read && read.error().code() == Code::not_found)
    co_return no_such_shard(call, broker::shard_id(shard), name);
  if (!read && read.error().code() == Code::busy)
    co_return too_many(call, broker::shard_id(shard), name);
  if (!read) co_return failed(call, read.error(), name);
  std::string body;
  AnswerWriter out(call.form, body);
  out.begin_object();
  write_records(out, *read);
  if (read->next) out.field("NextShardIterator", *read->next);
  out.field("MillisBehindLatest", read->behind_ms);
  if (!read->next) write_children(out, *read);
  out.end_object();
  co_return std::move(body);
}

constexpr Action actions[] = {
    {"GetShardIterator", iterator_members, shard_iterator},
    {"GetRecords", get_members, get},
};

void write_record(AnswerWriter& out, const broker::Shard& shard, const broker::RecordOut& record) {
  out.begin_object()
      .field("SequenceNumber", shard.sequence_of(record.offset, record.timestamp_ms))
      .key("ApproximateArrivalTimestamp");
  out.time(record.timestamp_ms)
      .key("Data")
      .blob(record.value.value_or(std::string_view()))
      .field("PartitionKey", record.key.value_or(std::string_view()))
      .end_object();
}

}  // namespace

std::expected<StreamStart, Failure> start_of(const Call& call, const broker::Stream& stream,
                                             const broker::Shard& shard, const Begin& begin) {
  std::string_view type = begin.type;
  bool by_number = type == "AT_SEQUENCE_NUMBER" || type == "AFTER_SEQUENCE_NUMBER";
  bool by_time = type == "AT_TIMESTAMP";
  if (!by_time && by_number != begin.sequence.has_value())
    return invalid_argument(
        fmt::format("Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and "
                    "StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no "
                    "StartingSequenceNumber. Request specified {} and {} StartingSequenceNumber.",
                    type, by_number ? "no" : "also a"));
  if (by_number) return start_at_sequence(call, stream, shard, begin);
  if (!by_time)
    return StreamStart{type == "LATEST" ? StreamStart::Kind::latest : StreamStart::Kind::horizon};
  if (!begin.time_ms)
    return invalid_argument(
        "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current "
        "request has no timestamp parameter.");
  int64_t time_ms = *begin.time_ms;
  if (time_ms > call.now_ms)
    return invalid_argument(
        fmt::format("The timestampInMillis parameter cannot be greater than the "
                    "currentTimestampInMillis. timestampInMillis: {}, currentTimestampInMillis: {}",
                    time_ms, call.now_ms));
  return StreamStart{StreamStart::Kind::time, time_ms};
}

void write_records(AnswerWriter& out, const broker::StreamRead& read) {
  out.key("Records").begin_array();
  for (const broker::RecordOut& record : read.records) write_record(out, *read.shard, record);
  out.end_array();
}

void write_children(AnswerWriter& out, const broker::StreamRead& read) {
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

std::span<const Action> read_actions() {
  return actions;
}

}  // namespace pinpipe::kinesis
