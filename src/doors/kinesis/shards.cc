// Actions on shards: list them with filters and pages, split, merge, bring them to a number.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "doors/kinesis/action.h"

namespace pinpipe::kinesis {
namespace {

constexpr int64_t listed_max = 1000;
constexpr int64_t updated_max = 10'000;

enum class Filter : uint8_t {
  none,
  after_shard_id,
  at_trim_horizon,
  from_trim_horizon,
  at_latest,
  at_timestamp,
  from_timestamp,
};
// By Filter, without `none`.
constexpr std::array<std::string_view, 6> filter_words = {"AFTER_SHARD_ID",    "AT_TRIM_HORIZON",
                                                          "FROM_TRIM_HORIZON", "AT_LATEST",
                                                          "AT_TIMESTAMP",      "FROM_TIMESTAMP"};

constexpr Member filter_members[] = {
    {.name = "Type", .required = true, .words = filter_words},
    {.name = "ShardId", .pattern = &name_pattern, .least = 1, .most = 128},
    {.name = "Timestamp", .type = Type::time},
};
constexpr Member list_members[] = {
    {.name = "ExclusiveStartShardId", .pattern = &name_pattern, .least = 1, .most = 128},
    {.name = "MaxResults", .type = Type::integer, .least = 1, .most = 10'000},
    {.name = "NextToken", .least = 1, .most = 1'048'576},
    {.name = "StreamCreationTimestamp", .type = Type::time},
    {.name = "StreamName", .pattern = &name_pattern, .least = 1, .most = 128},
    stream_arn_member,
    {.name = "ShardFilter", .type = Type::structure, .members = filter_members},
};
constexpr Member split_members[] = {
    {.name = "NewStartingHashKey", .required = true, .pattern = &hash_key_pattern},
    stream_name_member,
    stream_arn_member,
    {.name = "ShardToSplit", .required = true, .pattern = &name_pattern, .least = 1, .most = 128},
};
constexpr std::array<std::string_view, 1> scalings = {"UNIFORM_SCALING"};
constexpr Member update_members[] = {
    {.name = "ScalingType", .required = true, .words = scalings},
    stream_name_member,
    stream_arn_member,
    {.name = "TargetShardCount", .type = Type::integer, .required = true, .least = 1},
};
constexpr Member merge_members[] = {
    {.name = "ShardToMerge", .required = true, .pattern = &name_pattern, .least = 1, .most = 128},
    {.name = "AdjacentShardToMerge",
     .required = true,
     .pattern = &name_pattern,
     .least = 1,
     .most = 128},
    stream_name_member,
    stream_arn_member,
};

// One page of a listing: which stream, where it goes on, what is let through.
struct Listing {
  broker::StreamPointer stream;
  int32_t after = -1;
  Filter filter = Filter::none;
  int64_t time_ms = 0;
};

std::expected<Listing, Failure> next_page(const Call& call) {
  if (call.has("StreamName") || call.has("StreamARN"))
    return invalid_argument("NextToken and StreamName cannot be provided together.");
  auto page = call.streams.read(call.text("NextToken"), broker::Ticket::Kind::shard_page);
  if (!page) return invalid_argument("Invalid NextToken.");
  if (call.now_ms - page->issued_ms > broker::ticket_life_ms)
    return std::unexpected(Failure{"ExpiredNextTokenException", "The NextToken has expired."});
  auto stream = stream_named(call, page->name);
  if (!stream) return std::unexpected(stream.error());
  if ((*stream)->id != page->stream_id) return invalid_argument("Invalid NextToken.");
  return Listing{std::move(*stream), page->shard, static_cast<Filter>(page->detail),
                 page->position};
}

std::expected<int32_t, Failure> shard_in(const Call& call, std::string_view id,
                                         const broker::Stream& stream) {
  auto number = shard_number(id);
  if (!number) return no_shard(call, id, stream.name);
  return *number;
}

std::expected<Listing, Failure> first_page(const Call& call) {
  if (!call.has("StreamName") && !call.has("StreamARN"))
    return invalid_argument("Either NextToken or StreamName should be provided.");
  auto stream = stream_of(call);
  if (!stream) return std::unexpected(stream.error());
  Listing listing{.stream = std::move(*stream)};
  const codec::Json& filter = call["ShardFilter"];
  if (auto word = filter["Type"].as_string()) {
    auto at = std::ranges::find(filter_words, *word);
    listing.filter = static_cast<Filter>(at - filter_words.begin() + 1);
  }
  std::string_view after = call.text("ExclusiveStartShardId");
  if (listing.filter == Filter::after_shard_id) {
    if (filter["ShardId"].is_null())
      return invalid_argument("ShardId must be provided for filter type AFTER_SHARD_ID.");
    after = *filter["ShardId"].as_string();
  }
  if (!after.empty()) {
    auto number = shard_in(call, after, *listing.stream);
    if (!number) return std::unexpected(number.error());
    listing.after = *number;
  }
  if (listing.filter == Filter::at_timestamp || listing.filter == Filter::from_timestamp) {
    if (filter["Timestamp"].is_null())
      return invalid_argument("Timestamp must be provided for this filter type.");
    listing.time_ms = time_ms_of(*filter["Timestamp"].as_double());
    if (listing.time_ms > call.now_ms)
      return invalid_argument("Timestamp must not be in the future.");
  }
  return listing;
}

// When the shard took over its keys. Not its own creation time, which is later by up to a second:
// the shards open at any moment cover all keys.
int64_t begin_ms(const broker::Stream& stream, const broker::Shard& shard) {
  int64_t begin = stream.created_ms;
  for (auto parent : {shard.parent, shard.adjacent_parent}) {
    if (parent) begin = std::max(begin, stream.find_shard(*parent)->closed->at_ms);
  }
  return begin;
}

bool passes(const Call& call, const Listing& listing, const broker::Shard& shard) {
  const broker::Stream& stream = *listing.stream;
  auto is_open_at = [&](int64_t time_ms) {
    time_ms = std::max(time_ms, stream.created_ms);
    return begin_ms(stream, shard) <= time_ms && (shard.is_open() || shard.closed->at_ms > time_ms);
  };
  int64_t kept_ms = call.streams.retention_ms(stream);
  int64_t horizon_ms = kept_ms < 0 ? 0 : call.now_ms - kept_ms;
  switch (listing.filter) {
    case Filter::at_latest:
      return shard.is_open();
    case Filter::at_trim_horizon:
      return is_open_at(horizon_ms);
    case Filter::at_timestamp:
      return is_open_at(std::max(horizon_ms, listing.time_ms));
    case Filter::from_timestamp:
      return is_listed(call, stream, shard) &&
             (shard.is_open() || shard.closed->at_ms > listing.time_ms);
    case Filter::none:
    case Filter::after_shard_id:
    case Filter::from_trim_horizon:
      break;
  }
  return is_listed(call, stream, shard);
}

io::Task<Outcome> list(const Call& call) {
  auto listing = call.has("NextToken") ? next_page(call) : first_page(call);
  if (!listing) co_return std::unexpected(listing.error());
  if (call.has("StreamCreationTimestamp") &&
      call.time_ms("StreamCreationTimestamp") / 1000 != listing->stream->created_ms / 1000)
    co_return failed(call, Error(Code::not_found, ""), listing->stream->name);
  auto left = std::min(call.integer("MaxResults", listed_max), listed_max);
  std::string body;
  AnswerWriter out(call.form, body);
  out.begin_object().key("Shards").begin_array();
  bool more = false;
  int32_t last = listing->after;
  for (const broker::Shard& shard : listing->stream->shards) {
    if (shard.number <= listing->after || !passes(call, *listing, shard)) continue;
    more = left-- == 0;
    if (more) break;
    last = shard.number;
    write_shard(out, shard);
  }
  out.end_array();
  if (more)
    out.field("NextToken", call.streams.seal({.kind = broker::Ticket::Kind::shard_page,
                                              .stream_id = listing->stream->id,
                                              .shard = last,
                                              .position = listing->time_ms,
                                              .detail = static_cast<uint8_t>(listing->filter),
                                              .name = listing->stream->name}));
  out.end_object();
  co_return std::move(body);
}

// The stream, when it is one whose shards may be changed by hand.
std::expected<broker::StreamPointer, Failure> provisioned_stream(const Call& call) {
  auto stream = stream_of(call);
  if (!stream) return stream;
  if ((*stream)->on_demand)
    return invalid_value(
        fmt::format("Request is invalid. Stream {} under account {} is in On-Demand "
                    "mode.",
                    (*stream)->name, call.account));
  return stream;
}

std::expected<const broker::Shard*, Failure> open_shard(const Call& call,
                                                        const broker::Stream& stream,
                                                        std::string_view id) {
  auto number = shard_in(call, id, stream);
  if (!number) return std::unexpected(number.error());
  const broker::Shard* shard = stream.find_shard(*number);
  if (shard == nullptr) return no_shard(call, broker::shard_id(*number), stream.name);
  if (!shard->is_open())
    return invalid_argument(
        fmt::format("Shard {} in stream {} under account {} has already been "
                    "merged or split, and thus is not eligible for merging or "
                    "splitting.",
                    shard->id(), stream.name, call.account));
  return shard;
}

Outcome resharded(const Call& call, const Status& done, const broker::Stream& stream) {
  if (done) return "";
  if (done.error().code() == Code::busy) return shard_limit_exceeded(call, 1);
  return failed(call, done.error(), stream.name);
}

io::Task<Outcome> split(const Call& call) {
  auto stream = provisioned_stream(call);
  if (!stream) co_return std::unexpected(stream.error());
  auto shard = open_shard(call, **stream, call.text("ShardToSplit"));
  if (!shard) co_return std::unexpected(shard.error());
  const broker::HashRange range = (*shard)->range;
  auto at = broker::hash_key_of(call.text("NewStartingHashKey"));
  bool inside = at && *at > range.first && *at - range.first > 1 && *at < range.last;
  if (!inside)
    co_return invalid_argument(fmt::format(
        "NewStartingHashKey {} used in SplitShard() on shard {} in stream {} under account {} is "
        "not both greater than one plus the shard's StartingHashKey {} and less than the shard's "
        "EndingHashKey {}.",
        call.text("NewStartingHashKey"), (*shard)->id(), (*stream)->name, call.account,
        broker::to_decimal(range.first), broker::to_decimal(range.last)));
  Status done = co_await call.streams.split(*stream, (*shard)->number, *at);
  co_return resharded(call, done, **stream);
}

io::Task<Outcome> merge(const Call& call) {
  auto stream = provisioned_stream(call);
  if (!stream) co_return std::unexpected(stream.error());
  auto lower = open_shard(call, **stream, call.text("ShardToMerge"));
  if (!lower) co_return std::unexpected(lower.error());
  auto upper = open_shard(call, **stream, call.text("AdjacentShardToMerge"));
  if (!upper) co_return std::unexpected(upper.error());
  bool adjacent = (*lower)->range.last != broker::hash_key_max &&
                  (*lower)->range.last + 1 == (*upper)->range.first;
  if (!adjacent)
    co_return invalid_argument(
        fmt::format("Shards {} and {} in stream {} under account {} are not an adjacent pair of "
                    "shards eligible for merging",
                    (*lower)->id(), (*upper)->id(), (*stream)->name, call.account));
  Status done = co_await call.streams.merge(*stream, (*lower)->number, (*upper)->number);
  co_return resharded(call, done, **stream);
}

std::unexpected<Failure> limit_exceeded(std::string message) {
  return std::unexpected(Failure{"LimitExceededException", std::move(message)});
}

io::Task<Outcome> update_count(const Call& call) {
  auto stream = provisioned_stream(call);
  if (!stream) co_return std::unexpected(stream.error());
  const std::string& name = (*stream)->name;
  const int64_t now = (*stream)->open_shards();
  const int64_t wanted = call.integer("TargetShardCount", 0);
  std::string counts =
      fmt::format("Current open shard count: {} Target shard count: {}", now, wanted);
  if (wanted > now * 2)
    co_return limit_exceeded(
        "UpdateShardCount cannot scale up over double your current open shard count. " + counts);
  if (wanted * 2 < now)
    co_return limit_exceeded(
        "UpdateShardCount cannot scale down below half your current open shard count. " + counts);
  if (wanted > updated_max)
    co_return limit_exceeded(fmt::format(
        "UpdateShardCount cannot scale a stream to more than {} shards. {}", updated_max, counts));
  if (!call.streams.admit_action("UpdateShardCount of a day", name, 10.0 / (24 * 3600)))
    co_return limit_exceeded(
        fmt::format("Rate exceeded for stream {} under account {}.", name, call.account));
  Status done = co_await call.streams.set_shard_count(*stream, static_cast<int32_t>(wanted));
  if (auto refused = resharded(call, done, **stream); !refused) co_return refused;
  std::string body;
  AnswerWriter(call.form, body)
      .begin_object()
      .field("StreamName", name)
      .field("CurrentShardCount", now)
      .field("TargetShardCount", wanted)
      .field("StreamARN", arn_of(call, name))
      .end_object();
  co_return std::move(body);
}

constexpr Action actions[] = {
    {"ListShards", list_members, list, 1000, true},
    {"SplitShard", split_members, split, 5},
    {"MergeShards", merge_members, merge, 5},
    {"UpdateShardCount", update_members, update_count, 10},
};

}  // namespace

std::span<const Action> shard_actions() {
  return actions;
}

}  // namespace pinpipe::kinesis
