// topic list|create|describe|config|delete|trim: the topics themselves; records.cc has what is in
// them.
#include <algorithm>
#include <fmt/format.h>

#include "app/offset_words.h"
#include "app/operations/list.h"
#include "base/clock.h"
#include "broker/topic_configs.h"

namespace pinpipe::app {

using codec::Json;

namespace {

io::Task<Result<Answer>> list_topics(House& house, Json) {
  Answer answer;
  answer.columns = {"topic", "partitions", "start", "end", "records"};
  for (const broker::TopicFacts& topic : house.topics().list()) {
    int64_t start = 0;
    int64_t end = 0;
    for (broker::PartitionId p = 0; p < topic.partitions; ++p) {
      auto range = co_await house.topics().range(topic.name, p);
      if (!range) co_return range.error();
      start += range->start;
      end += range->high_watermark;
    }
    answer.add_row({topic.name, topic.partitions, start, end, end - start});
  }
  co_return answer;
}

// "retention.ms=1000" over what is set already.
Status apply_settings(const std::vector<std::string>& settings, broker::ConfigMap& configs) {
  for (const std::string& setting : settings) {
    size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error(Code::invalid, fmt::format("\"{}\": write NAME=VALUE", setting));
    configs[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return {};
}

io::Task<Result<Answer>> create_topic(House& house, Json arguments) {
  broker::TopicSpec spec{
      .name = text_argument(arguments, "topic"),
      .partitions = static_cast<int32_t>(integer_argument(arguments, "partitions")),
      .configs = {}};
  Status settings = apply_settings(texts_argument(arguments, "config"), spec.configs);
  if (!settings) co_return settings.error();
  Result<broker::TopicFacts> topic = Error(Code::not_found, "not looked for");
  if (flag_argument(arguments, "if-absent")) topic = house.topics().find(spec.name);
  if (!topic) topic = co_await house.topics().create(std::move(spec));
  if (!topic) co_return topic.error();
  Answer answer;
  answer.columns = {"topic", "partitions", "id"};
  answer.add_row({topic->name, topic->partitions, topic->id.text()});
  co_return answer;
}

io::Task<Result<Answer>> delete_topic(House& house, Json arguments) {
  std::string name = text_argument(arguments, "topic");
  if (Status gone = co_await house.topics().remove(name); !gone) co_return gone.error();
  Answer answer;
  answer.columns = {"topic", "status"};
  answer.add_row({name, "deleted"});
  co_return answer;
}

Answer settings_of(const broker::ConfigMap& configs) {
  Answer answer;
  answer.title = "settings";
  answer.columns = {"setting", "value", "from", "meaning"};
  for (const broker::ConfigFact& fact : broker::topic_config_facts()) {
    auto set = configs.find(std::string(fact.name));
    bool is_set = set != configs.end();
    answer.add_row({fact.name, is_set ? Json(set->second) : Json(fact.standard),
                    is_set ? "topic" : "standard", fact.meaning});
  }
  return answer;
}

io::Task<Result<Answer>> describe_topic(House& house, Json arguments) {
  auto cluster = house.broker().cluster_as(auth::service_principal("pinpipe"));
  auto topic = cluster->find(text_argument(arguments, "topic"));
  if (!topic) co_return topic.error();
  const broker::TopicFacts& facts = (*topic)->facts;
  Answer answer;
  answer.title = fmt::format("{} {}", facts.name, facts.id.text());
  answer.columns = {"partition", "start", "end", "records", "bytes", "leader_epoch"};
  for (broker::PartitionId p = 0; p < facts.partitions; ++p) {
    auto log = cluster->partition(facts.name, p, auth::Action::describe);
    if (!log) co_return log.error();
    log::Range range = (*log)->range();
    answer.add_row({p, range.start, range.high_watermark, range.high_watermark - range.start,
                    (*log)->size_bytes(), (*log)->leader_epoch()});
    if ((*log)->is_poisoned())
      answer.notes.push_back(
          fmt::format("partition {} takes no records until the next start: the disk failed", p));
  }
  answer.more.push_back(settings_of(facts.configs));
  co_return answer;
}

io::Task<Result<Answer>> configure_topic(House& house, Json arguments) {
  auto cluster = house.broker().cluster_as(auth::service_principal("pinpipe"));
  std::string name = text_argument(arguments, "topic");
  auto topic = cluster->find(name);
  if (!topic) co_return topic.error();
  broker::ConfigMap configs = (*topic)->facts.configs;
  if (Status set = apply_settings(texts_argument(arguments, "settings"), configs); !set)
    co_return set.error();
  for (const std::string& setting : texts_argument(arguments, "unset")) configs.erase(setting);
  auto partitions = static_cast<int32_t>(integer_argument(arguments, "partitions"));
  bool grows = partitions != 0 && partitions != (*topic)->facts.partitions;
  if (configs != (*topic)->facts.configs) {
    // Both changes are possible, or neither is made.
    Status can_grow = grows ? co_await cluster->add_partitions(name, partitions, true) : Status{};
    if (!can_grow) co_return can_grow.error();
    if (Status set = co_await cluster->set_configs(name, configs, false); !set)
      co_return set.error();
  }
  if (grows) {
    if (Status grown = co_await cluster->add_partitions(name, partitions, false); !grown)
      co_return grown.error();
  }
  Answer answer = settings_of(configs);
  answer.title.clear();
  co_return answer;
}

// The partition that is asked for, or all.
Result<std::vector<broker::PartitionId>> asked_partitions(const broker::TopicFacts& topic,
                                                          int64_t asked) {
  std::vector<broker::PartitionId> partitions;
  for (broker::PartitionId p = 0; p < topic.partitions; ++p) {
    if (asked < 0 || asked == p) partitions.push_back(p);
  }
  if (partitions.empty())
    return Error(Code::not_found, fmt::format("topic {} has partitions 0 to {}, not {}", topic.name,
                                              topic.partitions - 1, asked));
  return partitions;
}

io::Task<Result<Answer>> trim_topic(House& house, Json arguments) {
  auto cluster = house.broker().cluster_as(auth::service_principal("pinpipe"));
  std::string name = text_argument(arguments, "topic");
  auto topic = house.topics().find(name);
  if (!topic) co_return topic.error();
  auto before = parse_offset_word(text_argument(arguments, "before"), system_clock().wall_ms());
  if (!before) co_return before.error();
  auto partitions = asked_partitions(*topic, integer_argument(arguments, "partition"));
  if (!partitions) co_return partitions.error();
  Answer answer;
  answer.columns = {"partition", "start", "end", "deleted"};
  for (broker::PartitionId p : *partitions) {
    auto range = co_await house.topics().range(name, p);
    if (!range) co_return range.error();
    broker::TopicPartition where{name, p};
    auto offset = co_await resolve_offset(house.topics(), std::move(where), *before);
    if (!offset) co_return offset.error();
    auto start = co_await cluster->trim(name, p, *offset);
    if (!start) co_return start.error();
    answer.add_row({p, *start, range->high_watermark, *start - range->start});
  }
  co_return answer;
}

const Parameter which{.name = "topic", .positional = true, .required = true, .summary = "its name"};

}  // namespace

// tidy: long because it is one table.
std::vector<Operation> topic_operations() {
  using Kind = Parameter::Kind;
  return {
      {.noun = "topic",
       .verb = "list",
       .summary = "the topics and how many records they hold",
       .example = "pinpipe topic list",
       .parameters = {},
       .run = list_topics},
      {.noun = "topic",
       .verb = "create",
       .summary = "make a topic",
       .example = "pinpipe topic create orders --partitions 3 --config retention.ms=86400000",
       .writes = true,
       .parameters =
           {which,
            {.name = "partitions", .kind = Kind::integer, .summary = "how many", .fallback = "1"},
            {.name = "config",
             .kind = Kind::texts,
             .summary = "NAME=VALUE, a setting by Kafka's name; may be repeated"},
            {.name = "if-absent",
             .kind = Kind::flag,
             .summary = "one that is there already is fine, as it is"}},
       .run = create_topic},
      {.noun = "topic",
       .verb = "describe",
       .summary = "a topic's partitions, and its settings with what they mean",
       .example = "pinpipe topic describe 0e90e0175553.pin",
       .parameters = {which},
       .run = describe_topic},
      {.noun = "topic",
       .verb = "config",
       .summary = "change a topic's settings, and show them all",
       .example = "pinpipe topic config orders retention.ms=3600000 cleanup.policy=compact,delete",
       .writes = true,
       .parameters = {which,
                      {.name = "settings",
                       .kind = Kind::texts,
                       .positional = true,
                       .summary = "NAME=VALUE …; none: only show"},
                      {.name = "unset",
                       .kind = Kind::texts,
                       .summary = "a name that gets its standard again; may be repeated"},
                      {.name = "partitions",
                       .kind = Kind::integer,
                       .summary = "grow to that many; 0 leaves them",
                       .fallback = "0"}},
       .run = configure_topic},
      {.noun = "topic",
       .verb = "delete",
       .summary = "remove a topic and all its records",
       .example = "pinpipe topic delete orders",
       .writes = true,
       .parameters = {which},
       .run = delete_topic},
      {.noun = "topic",
       .verb = "trim",
       .summary = "delete a topic's oldest records",
       .example = "pinpipe topic trim orders --before 7d",
       .writes = true,
       .parameters = {which,
                      {.name = "before",
                       .required = true,
                       .summary = "the first to stay: an offset, end, -N (keep the last N), a "
                                  "moment, or how long ago (10m, 7d)"},
                      {.name = "partition",
                       .kind = Kind::integer,
                       .summary = "only this one; -1 is all",
                       .fallback = "-1",
                       .letter = 'p'}},
       .run = trim_topic},
  };
}

}  // namespace pinpipe::app
