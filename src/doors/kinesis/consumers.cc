// Actions on registered consumers: register, deregister, describe, list.
#include <fmt/format.h>

#include "doors/kinesis/action.h"
#include "doors/kinesis/subscribe.h"

namespace pinpipe::kinesis {
namespace {

constexpr size_t consumers_max = 20;  // of a stream
constexpr int64_t listed_max = 10'000;
constexpr int64_t listed_standard = 100;
constexpr size_t tags_max = 50;

constexpr Member name_member{
    .name = "ConsumerName", .pattern = &name_pattern, .least = 1, .most = 128};
constexpr Member name_required{
    .name = "ConsumerName", .required = true, .pattern = &name_pattern, .least = 1, .most = 128};
constexpr Member stream_required{.name = "StreamARN",
                                 .required = true,
                                 .pattern = &stream_arn_pattern,
                                 .least = 1,
                                 .most = 2048};
constexpr Member arn_member{
    .name = "ConsumerARN", .pattern = &consumer_arn_pattern, .least = 1, .most = 2048};
constexpr Member tag_value{.name = "member", .least = 0, .most = 256};

constexpr Member register_members[] = {
    name_required,
    stream_required,
    {.name = "Tags", .type = Type::map, .least = 0, .most = tags_max, .element = &tag_value},
};
constexpr Member one_members[] = {arn_member, name_member, stream_arn_member};
constexpr Member list_members[] = {
    {.name = "MaxResults", .type = Type::integer, .least = 1, .most = listed_max},
    {.name = "NextToken", .least = 1, .most = 1'048'576},
    stream_required,
    {.name = "StreamCreationTimestamp", .type = Type::time},
};

void write_consumer(const Call& call, AnswerWriter& out, const broker::Stream& stream,
                    const broker::StreamConsumer& consumer) {
  out.field("ConsumerName", consumer.name)
      .field("ConsumerARN", arn_of(call, stream.name, consumer))
      .field("ConsumerStatus", "ACTIVE")
      .key("ConsumerCreationTimestamp")
      .whole_seconds(consumer.created_ms);
}

// By its ARN, or by its stream's and its name.
std::expected<FoundConsumer, Failure> consumer_of(const Call& call) {
  if (call.has("ConsumerARN")) return consumer_of_arn(call, call.text("ConsumerARN"));
  if (!call.has("StreamARN") || !call.has("ConsumerName"))
    return invalid_argument(
        "Either a ConsumerARN or both a StreamARN and a ConsumerName must be provided.");
  auto stream = stream_of(call);
  if (!stream) return std::unexpected(stream.error());
  auto found = (*stream)->consumers.find(call.text("ConsumerName"));
  if (found == (*stream)->consumers.end())
    return std::unexpected(
        Failure{"ResourceNotFoundException", fmt::format("Consumer {}, account {} not found.",
                                                         call.text("ConsumerName"), call.account)});
  const broker::StreamConsumer* consumer = &found->second;
  return FoundConsumer{std::move(*stream), consumer};
}

io::Task<Outcome> enlist(const Call& call) {
  auto stream = stream_of(call);
  if (!stream) co_return std::unexpected(stream.error());
  const std::string& name = (*stream)->name;
  if ((*stream)->consumers.size() >= consumers_max)
    co_return std::unexpected(
        Failure{"LimitExceededException",
                fmt::format("Stream {} under account {} already has {} registered consumers.", name,
                            call.account, consumers_max)});
  broker::StreamConsumer consumer{
      .name = std::string(call.text("ConsumerName")), .created_ms = call.now_ms, .tags = {}};
  for (const codec::JsonMember& tag : call["Tags"].members())
    consumer.tags[tag.key] = tag.value.as_string().value_or("");
  Status added = co_await call.streams.add_consumer(*stream, consumer);
  if (!added && added.error().code() == Code::conflict)
    co_return std::unexpected(
        Failure{"ResourceInUseException",
                fmt::format("Consumer {} under stream {} already exists for account {}.",
                            consumer.name, name, call.account)});
  if (!added) co_return failed(call, added.error(), name);
  std::string body;
  AnswerWriter out(call.form, body);
  out.begin_object().key("Consumer").begin_object();
  write_consumer(call, out, **stream, consumer);
  out.end_object().end_object();
  co_return std::move(body);
}

io::Task<Outcome> dismiss(const Call& call) {
  auto found = consumer_of(call);
  if (!found) co_return std::unexpected(found.error());
  Status gone = co_await call.streams.remove_consumer(found->stream, found->consumer->name);
  if (!gone) co_return failed(call, gone.error(), found->stream->name);
  co_return "";
}

io::Task<Outcome> describe(const Call& call) {
  auto found = consumer_of(call);
  if (!found) co_return std::unexpected(found.error());
  std::string body;
  AnswerWriter out(call.form, body);
  out.begin_object().key("ConsumerDescription").begin_object();
  write_consumer(call, out, *found->stream, *found->consumer);
  out.field("StreamARN", arn_of(call, found->stream->name)).end_object().end_object();
  co_return std::move(body);
}

io::Task<Outcome> list(const Call& call) {
  auto stream = stream_of(call);
  if (!stream) co_return std::unexpected(stream.error());
  std::string after;
  if (call.has("NextToken")) {
    auto page = call.streams.read(call.text("NextToken"), broker::Ticket::Kind::consumer_page);
    if (!page || page->stream_id != (*stream)->id) co_return invalid_argument("Invalid NextToken.");
    if (call.now_ms - page->issued_ms > broker::ticket_life_ms)
      co_return std::unexpected(Failure{"ExpiredNextTokenException", "The NextToken has expired."});
    after = page->name;
  }
  if (call.has("StreamCreationTimestamp") &&
      call.time_ms("StreamCreationTimestamp") / 1000 != (*stream)->created_ms / 1000)
    co_return failed(call, Error(Code::not_found, ""), (*stream)->name);
  auto left = call.integer("MaxResults", listed_standard);
  const auto& consumers = (*stream)->consumers;
  std::string last;
  bool more = false;
  std::string body;
  AnswerWriter out(call.form, body);
  out.begin_object().key("Consumers").begin_array();
  for (auto at = consumers.upper_bound(after); at != consumers.end(); ++at) {
    more = left-- == 0;
    if (more) break;
    last = at->first;
    out.begin_object();
    write_consumer(call, out, **stream, at->second);
    out.end_object();
  }
  out.end_array();
  if (more)
    out.field("NextToken", call.streams.seal({.kind = broker::Ticket::Kind::consumer_page,
                                              .stream_id = (*stream)->id,
                                              .name = last}));
  out.end_object();
  co_return std::move(body);
}

constexpr Action actions[] = {
    {"RegisterStreamConsumer", register_members, enlist, 5},
    {"DeregisterStreamConsumer", one_members, dismiss, 5, true},
    {"DescribeStreamConsumer", one_members, describe, 20, true},
    {"ListStreamConsumers", list_members, list, 5, true},
    {"SubscribeToShard", subscribe_members, subscribe},
};

}  // namespace

std::span<const Action> consumer_actions() {
  return actions;
}

}  // namespace pinpipe::kinesis
