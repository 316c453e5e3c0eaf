// Actions on a stream's settings: retention, tags, mode, largest record.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "doors/kinesis/action.h"

namespace pinpipe::kinesis {
namespace {

constexpr int64_t retention_hours_min = 24;
constexpr size_t tags_max = 50;
constexpr int64_t tags_listed_max = 50;

constexpr Member retention_members[] = {
    {.name = "RetentionPeriodHours", .type = Type::integer, .required = true},
    stream_name_member,
    stream_arn_member,
};
constexpr Member tag_key{.name = "member", .least = 1, .most = 128};
constexpr Member tag_value{.name = "member", .least = 0, .most = 256};
constexpr Member tags_member{.name = "Tags",
                             .type = Type::map,
                             .required = true,
                             .least = 1,
                             .most = 200,
                             .element = &tag_value};
constexpr Member tag_keys_member{.name = "TagKeys",
                                 .type = Type::list,
                                 .required = true,
                                 .least = 1,
                                 .most = 50,
                                 .element = &tag_key};
constexpr Member resource_member{.name = "ResourceARN",
                                 .required = true,
                                 .pattern = &stream_arn_pattern,
                                 .least = 1,
                                 .most = 2048};
constexpr Member add_members[] = {tags_member, stream_name_member, stream_arn_member};
constexpr Member remove_members[] = {tag_keys_member, stream_name_member, stream_arn_member};
constexpr Member list_members[] = {
    {.name = "Limit", .type = Type::integer, .least = 1, .most = tags_listed_max},
    {.name = "ExclusiveStartTagKey", .least = 1, .most = 128},
    stream_name_member,
    stream_arn_member,
};
constexpr Member tag_resource_members[] = {tags_member, resource_member};
constexpr Member untag_resource_members[] = {tag_keys_member, resource_member};
constexpr Member resource_tags_members[] = {resource_member};

constexpr std::array<std::string_view, 2> modes = {"PROVISIONED", "ON_DEMAND"};
constexpr Member mode_members[] = {{.name = "StreamMode", .required = true, .words = modes}};
constexpr Member arn_required{.name = "StreamARN",
                              .required = true,
                              .pattern = &stream_arn_pattern,
                              .least = 1,
                              .most = 2048};
constexpr Member set_mode_members[] = {
    arn_required,
    {.name = "StreamModeDetails",
     .type = Type::structure,
     .required = true,
     .members = mode_members},
};
constexpr Member record_size_members[] = {
    {.name = "MaxRecordSizeInKiB",
     .type = Type::integer,
     .required = true,
     .least = broker::record_kib_standard,
     .most = broker::record_kib_max},
    arn_required,
};

io::Task<Outcome> set_retention(const Call& call, bool grows) {
  auto stream = stream_of(call);
  if (!stream) co_return std::unexpected(stream.error());
  int64_t hours = call.integer("RetentionPeriodHours", 0);
  if (hours < retention_hours_min)
    co_return invalid_argument(
        fmt::format("Minimum allowed retention period is {} hours. Requested retention period ({} "
                    "hours) is too short.",
                    retention_hours_min, hours));
  if (hours > retention_hours_max)
    co_return invalid_argument(
        fmt::format("Maximum allowed retention period is {} hours. Requested retention period ({} "
                    "hours) is too long.",
                    retention_hours_max, hours));
  int64_t now = retention_hours(call, **stream);
  if (grows ? hours < now : hours > now)
    co_return invalid_argument(
        fmt::format("Requested retention period ({} hours) for stream {} can not be {} than "
                    "existing retention period ({} hours). Use {}RetentionPeriod API.",
                    hours, (*stream)->name, grows ? "shorter" : "longer", now,
                    grows ? "Decrease" : "Increase"));
  Status set = co_await call.streams.set_retention(*stream, hours * hour_ms);
  if (!set) co_return failed(call, set.error(), (*stream)->name);
  co_return "";
}

io::Task<Outcome> increase_retention(const Call& call) {
  return set_retention(call, true);
}
io::Task<Outcome> decrease_retention(const Call& call) {
  return set_retention(call, false);
}

// Letters of any script, digits, blanks and _ . / = + - @ :
bool is_legal_tag(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return static_cast<uint8_t>(c) >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') ||
           std::string_view("_./=+-@: ").find(c) != std::string_view::npos;
  });
}

constexpr std::string_view illegal_tag =
    "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, "
    "_ . / = + - % @ :.";

// What tags are put on: a stream, or one of its consumers.
struct Tagged {
  broker::StreamPointer stream;
  const broker::StreamConsumer* consumer = nullptr;

  const std::map<std::string, std::string>& tags() const {
    return consumer != nullptr ? consumer->tags : stream->tags;
  }
};

std::expected<Tagged, Failure> tagged(const Call& call) {
  std::string_view arn = call.text("ResourceARN");
  if (arn.find("/consumer/") != arn.npos) {
    auto found = consumer_of_arn(call, arn);
    if (!found) return std::unexpected(found.error());
    return Tagged{std::move(found->stream), found->consumer};
  }
  auto stream = arn.empty() ? stream_of(call) : stream_named(call, name_in_arn(arn));
  if (!stream) return std::unexpected(stream.error());
  return Tagged{std::move(*stream)};
}

io::Task<Outcome> add_tags(const Call& call) {
  auto found = tagged(call);
  if (!found) co_return std::unexpected(found.error());
  std::map<std::string, std::string> tags;
  for (const codec::JsonMember& tag : call["Tags"].members()) {
    std::string_view value = tag.value.as_string().value_or(std::string_view());
    if (tag.key.empty() || tag.key.size() > 512 || !is_legal_tag(tag.key) || !is_legal_tag(value))
      co_return invalid_argument(std::string(illegal_tag));
    tags[tag.key] = value;
  }
  const std::string& name = found->stream->name;
  auto all = found->tags();
  all.insert(tags.begin(), tags.end());
  if (all.size() > tags_max)
    co_return invalid_argument(
        fmt::format("Failed to add tags to stream {} under account {} because a given stream "
                    "cannot have more than {} tags associated with it.",
                    name, call.account, tags_max));
  Status added = found->consumer != nullptr
                     ? co_await call.streams.tag_consumer(found->stream, found->consumer->name,
                                                          std::move(tags))
                     : co_await call.streams.add_tags(found->stream, std::move(tags));
  if (!added) co_return failed(call, added.error(), name);
  co_return "";
}

io::Task<Outcome> remove_tags(const Call& call) {
  auto found = tagged(call);
  if (!found) co_return std::unexpected(found.error());
  std::vector<std::string> keys;
  for (const codec::Json& key : call["TagKeys"].elements()) {
    if (!is_legal_tag(*key.as_string())) co_return invalid_argument(std::string(illegal_tag));
    keys.emplace_back(*key.as_string());
  }
  Status removed = found->consumer != nullptr
                       ? co_await call.streams.untag_consumer(found->stream, found->consumer->name,
                                                              std::move(keys))
                       : co_await call.streams.remove_tags(found->stream, std::move(keys));
  if (!removed) co_return failed(call, removed.error(), found->stream->name);
  co_return "";
}

io::Task<Outcome> list_tags(const Call& call) {
  auto found = tagged(call);
  if (!found) co_return std::unexpected(found.error());
  const auto& tags = found->tags();
  auto left = call.integer("Limit", tags_listed_max);
  bool more = false;
  std::string body;
  AnswerWriter out(call.form, body);
  out.begin_object().key("Tags").begin_array();
  auto from = tags.upper_bound(std::string(call.text("ExclusiveStartTagKey")));
  for (; from != tags.end(); ++from) {
    more = left-- == 0;
    if (more) break;
    out.begin_object().field("Key", from->first).field("Value", from->second).end_object();
  }
  out.end_array();
  if (!call.has("ResourceARN")) out.field("HasMoreTags", more);
  out.end_object();
  co_return std::move(body);
}

io::Task<Outcome> set_mode(const Call& call) {
  auto stream = stream_of(call);
  if (!stream) co_return std::unexpected(stream.error());
  bool on_demand = call["StreamModeDetails"]["StreamMode"].as_string() == "ON_DEMAND";
  Status set = co_await call.streams.set_mode(*stream, on_demand);
  if (!set) co_return failed(call, set.error(), (*stream)->name);
  co_return "";
}

io::Task<Outcome> set_record_size(const Call& call) {
  auto stream = stream_of(call);
  if (!stream) co_return std::unexpected(stream.error());
  auto kib = static_cast<int32_t>(call.integer("MaxRecordSizeInKiB", broker::record_kib_standard));
  Status set = co_await call.streams.set_record_kib(*stream, kib);
  if (!set) co_return failed(call, set.error(), (*stream)->name);
  co_return "";
}

constexpr Action actions[] = {
    {"IncreaseStreamRetentionPeriod", retention_members, increase_retention, 5},
    {"DecreaseStreamRetentionPeriod", retention_members, decrease_retention, 5},
    {"AddTagsToStream", add_members, add_tags, 5},
    {"RemoveTagsFromStream", remove_members, remove_tags, 5},
    {"ListTagsForStream", list_members, list_tags, 5},
    {"TagResource", tag_resource_members, add_tags},
    {"UntagResource", untag_resource_members, remove_tags},
    {"ListTagsForResource", resource_tags_members, list_tags},
    {"UpdateStreamMode", set_mode_members, set_mode},
    {"UpdateMaxRecordSize", record_size_members, set_record_size},
};

}  // namespace

std::span<const Action> setting_actions() {
  return actions;
}

}  // namespace pinpipe::kinesis
