// group list|describe|seek|delete: who reads topics together, how far they are and how much is
// left.
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

#include "app/offset_words.h"
#include "app/operations/list.h"
#include "base/clock.h"
#include "broker/consumer_protocol.h"
#include "project/nearest.h"

namespace pinpipe::app {

using codec::Json;

namespace {

std::unique_ptr<broker::Cluster> cluster_of(House& house) {
  return house.broker().cluster_as(auth::service_principal("pinpipe"));
}

Error no_group(const broker::Cluster& cluster, const std::string& name) {
  std::vector<std::string> names;
  for (const broker::GroupDescription& group : cluster.list_groups()) names.push_back(group.name);
  std::string meant = project::did_you_mean(name, names);
  return {Code::not_found,
          fmt::format("there is no group \"{}\"; {}`pinpipe group list` lists them", name,
                      meant.empty() ? "" : meant + " ")};
}

// How much of the partition is behind the position; nothing when the topic is gone.
io::Task<std::optional<broker::OffsetRange>> range_of(House& house, broker::TopicPartition which) {
  auto range = co_await house.topics().range(which.topic, which.partition);
  if (!range) co_return std::nullopt;
  co_return *range;
}

int64_t lag_of(const broker::OffsetRange& range, broker::Offset position) {
  return std::max<int64_t>(0, range.high_watermark - std::max(position, range.start));
}

io::Task<Result<Answer>> list_groups(House& house, Json) {
  auto cluster = cluster_of(house);
  Answer answer;
  answer.columns = {"group", "state", "type", "members", "topics", "lag"};
  for (const broker::GroupDescription& group : cluster->list_groups()) {
    auto positions = cluster->positions(group.name);
    if (!positions) co_return positions.error();
    std::set<std::string> topics;
    int64_t lag = 0;
    for (const auto& [which, position] : *positions) {
      topics.insert(which.topic);
      auto range = co_await range_of(house, which);
      if (range) lag += lag_of(*range, position.offset);
    }
    answer.add_row(
        {group.name, group.state, group.protocol_type, group.members.size(), topics.size(), lag});
  }
  co_return answer;
}

using Owners = std::map<broker::TopicPartition, const broker::GroupDescription::Member*>;

Owners owners_in(const broker::GroupDescription& group) {
  Owners owners;
  if (group.protocol_type != broker::consumer_protocol_type) return owners;
  for (const auto& member : group.members) {
    auto assigned = broker::decode_assignment(member.assignment);
    if (!assigned) continue;
    for (broker::TopicPartition& which : *assigned) owners[std::move(which)] = &member;
  }
  return owners;
}

void add_member_cells(std::vector<Json>& row, const broker::GroupDescription::Member* member) {
  row.emplace_back(member != nullptr ? Json(member->id) : Json());
  row.emplace_back(member != nullptr ? Json(member->client_id) : Json());
  row.emplace_back(member != nullptr ? Json(member->client_host) : Json());
}

// A line a partition that the group has a position in or a member for, and one for each member
// without partitions.
io::Task<Result<Answer>> describe_group(House& house, Json arguments) {
  auto cluster = cluster_of(house);
  std::string name = text_argument(arguments, "group");
  auto group = cluster->describe_group(name);
  if (!group) {
    bool unknown = group.error().code() == Code::not_found;
    co_return unknown ? no_group(*cluster, name) : group.error();
  }
  auto positions = cluster->positions(name);
  if (!positions) co_return positions.error();
  Owners owners = owners_in(*group);
  std::set<broker::TopicPartition> rows;
  std::set<const broker::GroupDescription::Member*> busy;
  for (const auto& [which, position] : *positions) rows.insert(which);
  for (const auto& [which, member] : owners) {
    rows.insert(which);
    busy.insert(member);
  }
  Answer answer;
  answer.title = fmt::format("{} is {} with {} member{}", name, group->state, group->members.size(),
                             group->members.size() == 1 ? "" : "s");
  answer.columns = {"topic",     "partition", "position", "end",  "lag",
                    "committed", "member",    "client",   "host", "metadata"};
  for (const broker::TopicPartition& which : rows) {
    auto position = positions->find(which);
    bool known = position != positions->end();
    auto range = co_await range_of(house, which);
    auto owner = owners.find(which);
    std::vector<Json> row = {which.topic, which.partition};
    row.emplace_back(known ? Json(position->second.offset) : Json());
    row.emplace_back(range ? Json(range->high_watermark) : Json());
    row.emplace_back(known && range ? Json(lag_of(*range, position->second.offset)) : Json());
    row.emplace_back(known ? Json(to_rfc3339(position->second.committed_ms)) : Json());
    add_member_cells(row, owner == owners.end() ? nullptr : owner->second);
    row.emplace_back(known ? Json(position->second.metadata) : Json());
    answer.add_row(std::move(row));
  }
  for (const auto& member : group->members) {
    if (busy.contains(&member)) continue;
    std::vector<Json> row(6);
    add_member_cells(row, &member);
    row.emplace_back();
    answer.add_row(std::move(row));
  }
  co_return answer;
}

// Which partitions to seek in: of the topic, of that partition of it, or all the group has.
Result<std::vector<broker::TopicPartition>> sought(House& house, const Json& arguments,
                                                   const broker::Positions& positions) {
  std::string topic = text_argument(arguments, "topic");
  int64_t asked = integer_argument(arguments, "partition");
  std::vector<broker::TopicPartition> which;
  if (topic.empty()) {
    for (const auto& [known, position] : positions) which.push_back(known);
    if (which.empty() || asked >= 0) return Error(Code::invalid, "name the topic with --topic");
    return which;
  }
  auto facts = house.topics().find(topic);
  if (!facts) return facts.error();
  for (broker::PartitionId p = 0; p < facts->partitions; ++p) {
    if (asked < 0 || asked == p) which.push_back({topic, p});
  }
  if (which.empty())
    return Error(Code::not_found, fmt::format("topic {} has partitions 0 to {}, not {}", topic,
                                              facts->partitions - 1, asked));
  return which;
}

struct Target {
  std::optional<OffsetWord> to;
  int64_t shift = 0;
};

Result<Target> target_of(const Json& arguments) {
  std::string to = text_argument(arguments, "to");
  Target target{.to = std::nullopt, .shift = integer_argument(arguments, "shift")};
  if (to.empty() == (target.shift == 0))
    return Error(Code::invalid, "say where: either --to or --shift");
  if (to.empty()) return target;
  auto word = parse_offset_word(to, system_clock().wall_ms());
  if (!word) return word.error();
  target.to = *word;
  return target;
}

io::Task<Result<Answer>> seek_group(House& house, Json arguments) {
  auto cluster = cluster_of(house);
  std::string name = text_argument(arguments, "group");
  auto target = target_of(arguments);
  if (!target) co_return target.error();
  auto positions = cluster->positions(name);
  if (!positions) co_return positions.error();
  auto which = sought(house, arguments, *positions);
  if (!which) co_return which.error();
  Answer answer;
  answer.columns = {"topic", "partition", "before", "position", "lag"};
  broker::Positions moved;
  for (const broker::TopicPartition& one : *which) {
    auto known = positions->find(one);
    std::optional<broker::Offset> before;
    if (known != positions->end()) before = known->second.offset;
    auto range = co_await house.topics().range(one.topic, one.partition);
    if (!range) co_return range.error();
    OffsetWord to{.kind = OffsetWord::Kind::offset,
                  .number = before.value_or(range->start) + target->shift};
    if (target->to) to = *target->to;
    auto offset = co_await resolve_offset(house.topics(), one, to, before);
    if (!offset) co_return offset.error();
    broker::Position position;
    position.offset = *offset;
    moved.emplace(one, std::move(position));
    answer.add_row({one.topic, one.partition, before ? Json(*before) : Json(), *offset,
                    lag_of(*range, *offset)});
  }
  if (flag_argument(arguments, "dry-run")) co_return answer;
  Status done = co_await house.topics().commit(name, std::move(moved));
  if (!done) co_return done.error();
  co_return answer;
}

io::Task<Result<Answer>> delete_group(House& house, Json arguments) {
  auto cluster = cluster_of(house);
  std::string name = text_argument(arguments, "group");
  Status gone = co_await cluster->remove_group(name);
  if (!gone) {
    bool unknown = gone.error().code() == Code::not_found;
    co_return unknown ? no_group(*cluster, name) : gone.error();
  }
  Answer answer;
  answer.columns = {"group", "status"};
  answer.add_row({name, "deleted"});
  co_return answer;
}

const Parameter which{.name = "group", .positional = true, .required = true, .summary = "its name"};

}  // namespace

// tidy: long because it is one table.
std::vector<Operation> group_operations() {
  using Kind = Parameter::Kind;
  return {
      {.noun = "group",
       .verb = "list",
       .summary = "the consumer groups and how much they have left to read",
       .example = "pinpipe group list",
       .parameters = {},
       .run = list_groups},
      {.noun = "group",
       .verb = "describe",
       .summary = "how far a group is in each partition, and who reads it",
       .example = "pinpipe group describe my-consumers",
       .parameters = {which},
       .run = describe_group},
      {.noun = "group",
       .verb = "seek",
       .summary = "move a group without members to another place",
       .example = "pinpipe group seek my-consumers --topic orders --to 2026-01-02T10:15:00Z",
       .writes = true,
       .parameters = {which,
                      {.name = "topic",
                       .summary = "in which; all it has positions in unless given"},
                      {.name = "partition",
                       .kind = Kind::integer,
                       .summary = "only this one; -1 is all",
                       .fallback = "-1",
                       .letter = 'p'},
                      {.name = "to",
                       .summary = "beginning, end, an offset, -N (the last N), a moment, or how "
                                  "long ago (10m, 7d)"},
                      {.name = "shift",
                       .kind = Kind::integer,
                       .summary = "so many records on, or back (-5)",
                       .fallback = "0"},
                      {.name = "dry-run", .kind = Kind::flag, .summary = "only say where that is"}},
       .run = seek_group},
      {.noun = "group",
       .verb = "delete",
       .summary = "forget a group without members, and its positions",
       .example = "pinpipe group delete my-consumers",
       .writes = true,
       .parameters = {which},
       .run = delete_group},
  };
}

}  // namespace pinpipe::app
