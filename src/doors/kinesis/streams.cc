// Actions on whole streams: create, delete, describe, list, limits.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "doors/kinesis/action.h"

namespace pinpipe::kinesis {
namespace {

constexpr int32_t on_demand_shards = 4;  // when the request says nothing
constexpr int64_t described_max = 100;
constexpr int64_t on_demand_max = 50;  // where AWS's limits are asked for

constexpr std::array<std::string_view, 2> modes = {"PROVISIONED", "ON_DEMAND"};
constexpr Member mode_members[] = {{.name = "StreamMode", .required = true, .words = modes}};
constexpr Member tag_value{.name = "member", .least = 0, .most = 256};

constexpr Member create_members[] = {
    {.name = "ShardCount", .type = Type::integer, .least = 1, .most = 100'000},
    {.name = "StreamName", .required = true, .pattern = &name_pattern, .least = 1, .most = 128},
    {.name = "StreamModeDetails", .type = Type::structure, .members = mode_members},
    {.name = "Tags", .type = Type::map, .least = 0, .most = 50, .element = &tag_value},
    {.name = "MaxRecordSizeInKiB",
     .type = Type::integer,
     .least = broker::record_kib_standard,
     .most = broker::record_kib_max},
};
constexpr Member delete_members[] = {
    {.name = "EnforceConsumerDeletion", .type = Type::boolean},
    stream_name_member,
    stream_arn_member,
};
constexpr Member describe_members[] = {
    {.name = "Limit", .type = Type::integer, .least = 1, .most = 10'000},
    {.name = "ExclusiveStartShardId", .pattern = &name_pattern, .least = 1, .most = 128},
    stream_name_member,
    stream_arn_member,
};
constexpr Member summary_members[] = {stream_name_member, stream_arn_member};
constexpr Member list_members[] = {
    {.name = "Limit", .type = Type::integer, .least = 1, .most = 10'000},
    {.name = "ExclusiveStartStreamName", .pattern = &name_pattern, .least = 1, .most = 128},
    {.name = "NextToken", .least = 1, .most = 1'048'576},
};

int64_t on_demand_streams(const Call& call) {
  auto streams = call.streams.list();
  return std::ranges::count_if(streams, [](const auto& stream) { return stream->on_demand; });
}

io::Task<Outcome> create(const Call& call) {
  const std::string name(call.text("StreamName"));
  bool on_demand = call["StreamModeDetails"]["StreamMode"].as_string() == "ON_DEMAND";
  if (!call.has("ShardCount") && !on_demand)
    co_return invalid_value(validation_text("null", "shardCount", "Member must not be null"));
  broker::StreamSpec spec{
      .name = name,
      .shards = static_cast<int32_t>(call.integer("ShardCount", on_demand_shards)),
      .on_demand = on_demand,
      .record_kib =
          static_cast<int32_t>(call.integer("MaxRecordSizeInKiB", broker::record_kib_standard)),
      .tags = {}};
  for (const codec::JsonMember& tag : call["Tags"].members())
    spec.tags[tag.key] = tag.value.as_string().value_or("");
  const int32_t shards = spec.shards;
  if (on_demand && call.streams.has_aws_limits() && on_demand_streams(call) >= on_demand_max)
    co_return std::unexpected(
        Failure{"LimitExceededException",
                fmt::format("Limit {} for on-demand streams under account {} reached.",
                            on_demand_max, call.account)});
  auto created = co_await call.streams.create(std::move(spec));
  if (created) co_return "";
  if (created.error().code() == Code::conflict)
    co_return std::unexpected(
        Failure{"ResourceInUseException",
                fmt::format("Stream {} under account {} already exists.", name, call.account)});
  if (created.error().code() == Code::busy) co_return shard_limit_exceeded(call, shards);
  co_return failed(call, created.error(), name);
}

io::Task<Outcome> remove(const Call& call) {
  auto stream = stream_of(call);
  if (!stream) co_return std::unexpected(stream.error());
  if (!(*stream)->consumers.empty() && call["EnforceConsumerDeletion"].as_bool() != true)
    co_return std::unexpected(Failure{
        "ResourceInUseException",
        fmt::format("DeleteStream can't delete {} because there are consumers associated "
                    "with this data stream. To delete {} anyway, set the "
                    "EnforceConsumerDeletion parameter to true to force the deletion of all "
                    "the consumers that are associated with it.",
                    arn_of(call, (*stream)->name), (*stream)->name)});
  Status removed = co_await call.streams.remove(*stream);
  if (!removed) co_return failed(call, removed.error(), (*stream)->name);
  co_return "";
}

// What all descriptions of a stream begin with.
void write_common(const Call& call, AnswerWriter& out, const broker::Stream& stream) {
  out.field("StreamName", stream.name)
      .field("StreamARN", arn_of(call, stream.name))
      .field("StreamStatus", stream.is_changing() ? "UPDATING" : "ACTIVE")
      .key("StreamModeDetails")
      .begin_object()
      .field("StreamMode", stream.on_demand ? "ON_DEMAND" : "PROVISIONED")
      .end_object()
      .key("StreamCreationTimestamp")
      .whole_seconds(stream.created_ms);
}

void write_settings(const Call& call, AnswerWriter& out, const broker::Stream& stream) {
  out.field("RetentionPeriodHours", retention_hours(call, stream))
      .key("EnhancedMonitoring")
      .begin_array()
      .begin_object()
      .key("ShardLevelMetrics")
      .begin_array()
      .end_array()
      .end_object()
      .end_array()
      .field("EncryptionType", "NONE");
}

io::Task<Outcome> describe(const Call& call) {
  auto stream = stream_of(call);
  if (!stream) co_return std::unexpected(stream.error());
  int32_t after = -1;
  if (call.has("ExclusiveStartShardId")) {
    auto number = shard_number(call.text("ExclusiveStartShardId"));
    if (!number) co_return no_shard(call, call.text("ExclusiveStartShardId"), (*stream)->name);
    after = *number;
  }
  auto left = std::min(call.integer("Limit", described_max), described_max);
  bool more = false;
  std::string body;
  AnswerWriter out(call.form, body);
  out.begin_object().key("StreamDescription").begin_object();
  write_common(call, out, **stream);
  write_settings(call, out, **stream);
  out.key("Shards").begin_array();
  for (const broker::Shard& shard : (*stream)->shards) {
    if (shard.number <= after || !is_listed(call, **stream, shard)) continue;
    more = left-- == 0;
    if (more) break;
    write_shard(out, shard);
  }
  out.end_array().field("HasMoreShards", more).end_object().end_object();
  co_return std::move(body);
}

io::Task<Outcome> summarize(const Call& call) {
  auto stream = stream_of(call);
  if (!stream) co_return std::unexpected(stream.error());
  std::string body;
  AnswerWriter out(call.form, body);
  out.begin_object().key("StreamDescriptionSummary").begin_object();
  write_common(call, out, **stream);
  write_settings(call, out, **stream);
  out.field("OpenShardCount", (*stream)->open_shards())
      .field("ConsumerCount", (*stream)->consumers.size())
      .field("MaxRecordSizeInKiB", (*stream)->record_kib)
      .end_object()
      .end_object();
  co_return std::move(body);
}

io::Task<Outcome> list(const Call& call) {
  std::string after(call.text("ExclusiveStartStreamName"));
  if (call.has("NextToken")) {
    auto page = call.streams.read(call.text("NextToken"), broker::Ticket::Kind::stream_page);
    if (!page) co_return invalid_argument("Invalid NextToken.");
    if (call.now_ms - page->issued_ms > broker::ticket_life_ms)
      co_return std::unexpected(Failure{"ExpiredNextTokenException", "The NextToken has expired."});
    after = page->name;
  }
  auto left = std::min(call.integer("Limit", described_max), described_max);
  std::vector<broker::StreamPointer> page;
  bool more = false;
  for (broker::StreamPointer& stream : call.streams.list()) {
    if (stream->name <= after) continue;
    more = left-- == 0;
    if (more) break;
    page.push_back(std::move(stream));
  }
  std::string body;
  AnswerWriter out(call.form, body);
  out.begin_object().key("StreamNames").begin_array();
  for (const auto& stream : page) out.value(stream->name);
  out.end_array().field("HasMoreStreams", more);
  if (more)
    out.field("NextToken", call.streams.seal({.kind = broker::Ticket::Kind::stream_page,
                                              .stream_id = {},
                                              .name = page.back()->name}));
  out.key("StreamSummaries").begin_array();
  for (const auto& stream : page) {
    out.begin_object();
    write_common(call, out, *stream);
    out.end_object();
  }
  out.end_array().end_object();
  co_return std::move(body);
}

io::Task<Outcome> limits(const Call& call) {
  std::string body;
  AnswerWriter(call.form, body)
      .begin_object()
      .field("ShardLimit", call.shards_max)
      .field("OpenShardCount", call.streams.open_shards())
      .field("OnDemandStreamCount", on_demand_streams(call))
      .field("OnDemandStreamCountLimit",
             call.streams.has_aws_limits() ? on_demand_max : int64_t{call.shards_max})
      .end_object();
  co_return std::move(body);
}

// Nobody commits to a throughput here.
io::Task<Outcome> account_settings(const Call& call) {
  std::string body;
  AnswerWriter(call.form, body)
      .begin_object()
      .key("MinimumThroughputBillingCommitment")
      .begin_object()
      .field("Status", "DISABLED")
      .end_object()
      .end_object();
  co_return std::move(body);
}

constexpr Action actions[] = {
    {"CreateStream", create_members, create, 5},
    {"DeleteStream", delete_members, remove, 5},
    {"DescribeStream", describe_members, describe, 10},
    {"DescribeStreamSummary", summary_members, summarize, 20},
    {"ListStreams", list_members, list, 5},
    {"DescribeLimits", {}, limits, 1},
    {"DescribeAccountSettings", {}, account_settings, 5},
};

}  // namespace

std::span<const Action> stream_actions() {
  return actions;
}

}  // namespace pinpipe::kinesis
