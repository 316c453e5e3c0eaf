#include "doors/kinesis/action.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "base/log_line.h"

namespace pinpipe::kinesis {
namespace {

constexpr std::array groups = {stream_actions, shard_actions,   put_actions,
                               read_actions,   setting_actions, consumer_actions};

}  // namespace

std::string_view Call::text(std::string_view member) const {
  return given[member].as_string().value_or(std::string_view());
}
int64_t Call::integer(std::string_view member, int64_t fallback) const {
  auto number = given[member].as_double();
  return number ? static_cast<int64_t>(std::floor(std::clamp(*number, -9e15, 9e15))) : fallback;
}
int64_t Call::time_ms(std::string_view member) const {
  return time_ms_of(given[member].as_double().value_or(0));
}
int64_t time_ms_of(double seconds) {
  return std::llround(std::clamp(seconds, -9e12, 9e12) * 1000);
}

const Action* find_action(std::string_view name) {
  for (auto group : groups) {
    auto found = std::ranges::find(group(), name, &Action::name);
    if (found != group().end()) return &*found;
  }
  return nullptr;
}

std::vector<const Action*> all_actions() {
  std::vector<const Action*> all;
  for (auto group : groups) {
    for (const Action& action : group()) all.push_back(&action);
  }
  return all;
}

std::string_view name_in_arn(std::string_view arn) {
  size_t from = arn.find(":stream/");
  std::string_view name = from == std::string_view::npos ? arn : arn.substr(from + 8);
  return name.substr(0, name.find('/'));
}

std::string arn_of(const Call& call, std::string_view stream) {
  return fmt::format("arn:aws:kinesis:{}:{}:stream/{}", call.region, call.account, stream);
}

std::string arn_of(const Call& call, std::string_view stream,
                   const broker::StreamConsumer& consumer) {
  return fmt::format("{}/consumer/{}:{}", arn_of(call, stream), consumer.name,
                     consumer.created_ms / 1000);
}

std::expected<FoundConsumer, Failure> consumer_of_arn(const Call& call, std::string_view arn) {
  auto missing = [&] {
    return std::unexpected(
        Failure{"ResourceNotFoundException",
                fmt::format("Consumer {}, account {} not found.", arn, call.account)});
  };
  auto stream = stream_named(call, name_in_arn(arn));
  if (!stream && stream.error().type == "ResourceNotFoundException") return missing();
  if (!stream) return std::unexpected(stream.error());
  constexpr std::string_view middle = "/consumer/";
  size_t at = arn.find(middle);
  if (at == arn.npos) return missing();
  std::string_view name = arn.substr(at + middle.size());
  name = name.substr(0, name.rfind(':'));
  auto found = (*stream)->consumers.find(name);
  // The second of its creation is part of the name: one registered again is another.
  if (found == (*stream)->consumers.end() ||
      !arn.ends_with(fmt::format(":{}", found->second.created_ms / 1000)))
    return missing();
  const broker::StreamConsumer* consumer = &found->second;
  return FoundConsumer{std::move(*stream), consumer};
}

std::expected<broker::StreamPointer, Failure> stream_of(const Call& call) {
  std::string_view name = call.text("StreamName");
  if (call.has("StreamARN")) {
    std::string_view in_arn = name_in_arn(call.text("StreamARN"));
    if (!name.empty() && name != in_arn)
      return invalid_argument("StreamName and StreamARN do not name the same stream.");
    name = in_arn;
  }
  return stream_named(call, name);
}

std::expected<broker::StreamPointer, Failure> stream_named(const Call& call,
                                                           std::string_view name) {
  auto found = call.streams.find(name);
  if (!found) return failed(call, found.error(), name);
  return std::move(*found);
}

std::optional<int32_t> shard_number(std::string_view id) {
  std::string_view digits = id.substr(id.rfind('-') + 1);
  int32_t number = 0;
  auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (problem != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::unexpected<Failure> no_shard(const Call& call, std::string_view shard_id,
                                  std::string_view stream) {
  return std::unexpected(
      Failure{"ResourceNotFoundException",
              fmt::format("Could not find shard {} in stream {} under account {}.", shard_id,
                          stream, call.account)});
}

std::unexpected<Failure> failed(const Call& call, const Error& error, std::string_view stream) {
  auto say = [](std::string_view type, std::string message) {
    return std::unexpected(Failure{std::string(type), std::move(message)});
  };
  switch (error.code()) {
    case Code::not_found:
      return say("ResourceNotFoundException",
                 fmt::format("Stream {} under account {} not found.", stream, call.account));
    case Code::denied:
      return say("AccessDeniedException",
                 fmt::format("User: arn:aws:iam::{}:user/{} is not authorized to perform: "
                             "kinesis:{} on resource: {} because no identity-based policy allows "
                             "the kinesis:{} action",
                             call.account, call.principal, call.action, arn_of(call, stream),
                             call.action));
    case Code::conflict:
      return say("ResourceInUseException",
                 fmt::format("Stream {} under account {} not ACTIVE, instead in state UPDATING",
                             stream, call.account));
    case Code::invalid:
      return say("InvalidArgumentException", error.text());
    case Code::busy:
      return say(
          "LimitExceededException",
          fmt::format("Rate exceeded for stream {} under account {}.", stream, call.account));
    default:
      break;
  }
  log_warn("kinesis", "an action failed",
           {{"action", std::string(call.action)},
            {"stream", std::string(stream)},
            {"reason", error.text()}});
  return std::unexpected(Failure{"InternalFailure", "", 500});
}

std::unexpected<Failure> shard_limit_exceeded(const Call& call, int64_t more) {
  return std::unexpected(Failure{
      "LimitExceededException",
      fmt::format("This request would exceed the shard limit for the account {} in {}. Current "
                  "shard count for the account: {}. Limit: {}. Number of additional shards that "
                  "would have resulted from this request: {}. Refer to the AWS Service Limits page "
                  "(http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for "
                  "current limits and how to request higher limits.",
                  call.account, call.region, call.streams.open_shards(), call.shards_max, more)});
}

int64_t retention_hours(const Call& call, const broker::Stream& stream) {
  int64_t kept_ms = call.streams.retention_ms(stream);
  return kept_ms < 0 ? retention_hours_max : kept_ms / hour_ms;
}

bool is_listed(const Call& call, const broker::Stream& stream, const broker::Shard& shard) {
  if (shard.is_open()) return true;
  int64_t kept_ms = call.streams.retention_ms(stream);
  return kept_ms < 0 || shard.closed->at_ms > call.now_ms - kept_ms;
}

void write_shard(AnswerWriter& out, const broker::Shard& shard) {
  out.begin_object().field("ShardId", shard.id());
  if (shard.parent) out.field("ParentShardId", broker::shard_id(*shard.parent));
  if (shard.adjacent_parent)
    out.field("AdjacentParentShardId", broker::shard_id(*shard.adjacent_parent));
  out.key("HashKeyRange")
      .begin_object()
      .field("StartingHashKey", broker::to_decimal(shard.range.first))
      .field("EndingHashKey", broker::to_decimal(shard.range.last))
      .end_object();
  out.key("SequenceNumberRange")
      .begin_object()
      .field("StartingSequenceNumber", shard.starting_sequence());
  if (auto end = shard.ending_sequence()) out.field("EndingSequenceNumber", *end);
  out.end_object().end_object();
}

}  // namespace pinpipe::kinesis
