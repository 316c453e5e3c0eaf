#include "doors/kinesis/subscribe.h"

#include <fmt/format.h>

#include "codec/event_stream.h"

namespace pinpipe::kinesis {
namespace {

// What goes on after the call that began it.
struct Sending {
  std::shared_ptr<broker::StreamAccess> streams;
  std::shared_ptr<broker::Subscription> subscription;
  broker::Ticket at;
  std::string sequence;  // the last one sent, or the one before the first
  Form form = Form::json;
};

std::string message_of(std::string_view kind, std::string_view name, Form form,
                       std::string payload) {
  std::string message;
  codec::append_event(
      message,
      {.headers = {{fmt::format(":{}-type", kind), std::string(name)},
                   {":content-type", std::string(form == Form::cbor ? cbor_type : json_type)},
                   {":message-type", std::string(kind)}},
       .payload = std::move(payload)});
  return message;
}

std::string empty_payload(Form form) {
  std::string payload;
  AnswerWriter(form, payload).begin_object().end_object();
  return payload;
}

std::string event_of(const Sending& sending, const broker::StreamRead& read) {
  std::string payload;
  AnswerWriter out(sending.form, payload);
  out.begin_object();
  write_records(out, read);
  // At a shard's end there is nowhere to go on: its children are where.
  if (read.next) out.field("ContinuationSequenceNumber", sending.sequence);
  out.field("MillisBehindLatest", read.behind_ms);
  if (!read.next) write_children(out, read);
  out.end_object();
  return message_of("event", "SubscribeToShardEvent", sending.form, std::move(payload));
}

std::string exception_of(const Sending& sending, std::string_view type, std::string_view message) {
  std::string payload;
  AnswerWriter(sending.form, payload).begin_object().field("message", message).end_object();
  return message_of("exception", type, sending.form, std::move(payload));
}

std::string last_words(const Sending& sending, const Error& error) {
  switch (error.code()) {
    case Code::not_found:
      return exception_of(sending, "ResourceNotFoundException",
                          fmt::format("Stream {} not found.", sending.at.name));
    case Code::cancelled:
      return exception_of(sending, "ResourceInUseException",
                          "Another active subscription exists for this consumer, or the consumer "
                          "is no longer registered.");
    default:
      return exception_of(sending, "InternalFailureException", "Internal service failure.");
  }
}

io::Task<Status> send_events(std::shared_ptr<Sending> sending, http::BodyWriter& events) {
  const io::Instant end = io::after(subscription_life);
  // SDKs take no other message for the first.
  Status sent = co_await events.write(
      message_of("event", "initial-response", sending->form, empty_payload(sending->form)));
  while (sent) {
    auto read = co_await sending->streams->follow(
        sending->at, {.bytes_max = event_records_bytes_max}, *sending->subscription,
        std::min(end, io::after(heartbeat_every)));
    if (!read) co_return co_await events.write(last_words(*sending, read.error()));
    if (!read->records.empty())
      sending->sequence =
          read->shard->sequence_of(read->records.back().offset, read->records.back().timestamp_ms);
    sending->at.position = read->position;
    sent = co_await events.write(event_of(*sending, *read));
    if (!read->next || io::after(Millis(0)) >= end) break;
  }
  co_return sent;
}

}  // namespace

io::Task<Outcome> subscribe(const Call& call) {
  auto found = consumer_of_arn(call, call.text("ConsumerARN"));
  if (!found) co_return std::unexpected(found.error());
  const broker::Stream& stream = *found->stream;
  auto number = shard_number(call.text("ShardId"));
  const broker::Shard* shard = number ? stream.find_shard(*number) : nullptr;
  if (shard == nullptr) co_return no_shard(call, call.text("ShardId"), stream.name);
  const codec::Json& position = call["StartingPosition"];
  Begin begin{.type = *position["Type"].as_string(),
              .sequence = position["SequenceNumber"].as_string(),
              .time_ms = {}};
  if (auto seconds = position["Timestamp"].as_double()) begin.time_ms = time_ms_of(*seconds);
  auto start = start_of(call, stream, *shard, begin);
  if (!start) co_return std::unexpected(start.error());
  const std::string& consumer = found->consumer->name;
  auto subscription = call.streams.subscribe(stream, consumer, *number);
  if (!subscription && subscription.error().code() == Code::conflict)
    co_return std::unexpected(
        Failure{"ResourceInUseException", "Another active subscription exists for this consumer"});
  if (!subscription) co_return failed(call, subscription.error(), stream.name);
  auto iterator = co_await call.streams.iterator(found->stream, *number, *start);
  if (!iterator) co_return failed(call, iterator.error(), stream.name);
  auto at = call.streams.read(*iterator, broker::Ticket::Kind::iterator);
  if (!at) co_return failed(call, at.error(), stream.name);
  auto sending = std::make_shared<Sending>();
  sending->streams = call.access;
  sending->subscription = std::move(*subscription);
  sending->sequence = shard->sequence_before(at->position, call.now_ms);
  sending->at = std::move(*at);
  sending->form = call.form;
  co_return Output([sending](http::BodyWriter& events) { return send_events(sending, events); });
}

}  // namespace pinpipe::kinesis
