// Settings: DescribeConfigs (32), 0 to 4; AlterConfigs (33), 0 to 2; IncrementalAlterConfigs (44),
// 0 to
// 1. Of topics they are what the broker really does; of the broker, what a client may want to know.
#include "doors/kafka/configs.h"

#include <algorithm>
#include <set>
#include <vector>

#include "doors/kafka/call.h"

namespace pinpipe::kafka {
namespace {

constexpr int8_t of_topic = 2;
constexpr int8_t of_broker = 4;

// Shown, not set: they follow from how pinpipe was started.
struct BrokerFact {
  std::string_view name;
  std::string value;
};

std::vector<BrokerFact> broker_facts(Call& call) {
  return {{"auto.create.topics.enable", call.cluster().creates_topics() ? "true" : "false"},
          {"broker.id", std::to_string(node_id)},
          {"default.replication.factor", "1"},
          {"message.max.bytes", "1048588"},
          {"num.partitions", std::to_string(call.cluster().partitions_standard())},
          {"offsets.topic.replication.factor", "1"}};
}

struct Asked {
  int8_t type = 0;
  std::string name;
  std::optional<std::vector<std::string>> keys;  // nothing: all
};

bool wanted(const Asked& asked, std::string_view key) {
  return !asked.keys || std::ranges::find(*asked.keys, key) != asked.keys->end();
}

struct Shown {
  std::string_view name;
  std::string value;
  std::string_view standard;
  std::string_view meaning;
  int8_t source = 5;
  bool read_only = false;
  broker::ConfigType type = broker::ConfigType::text;
};

void write_entry(Call& call, const Shown& shown, bool synonyms, bool meanings) {
  Encoder& out = call.out;
  out.text(shown.name);
  out.maybe_text(shown.value);
  out.boolean(shown.read_only);
  if (call.version == 0)
    out.boolean(shown.source == 5);  // is the standard
  else
    out.number(shown.source);
  out.boolean(false);  // sensitive
  if (call.version >= 1) {
    bool also_standard = synonyms && shown.source == 1;
    out.count(synonyms ? (also_standard ? 2 : 1) : 0);
    if (synonyms) {
      out.text(shown.name);
      out.maybe_text(shown.value);
      out.number(shown.source);
      out.tags();
    }
    if (also_standard) {
      out.text(shown.name);
      out.maybe_text(shown.standard);
      out.number(int8_t{5});
      out.tags();
    }
  }
  if (call.version >= 3) {
    out.number(static_cast<int8_t>(shown.type));
    out.maybe_text(meanings ? std::optional(shown.meaning) : std::nullopt);
  }
  out.tags();
}

// The settings of a resource, or why there are none.
Result<std::vector<Shown>> show(Call& call, const Asked& asked) {
  std::vector<Shown> shown;
  if (asked.type == of_broker) {
    for (BrokerFact& fact : broker_facts(call))
      shown.push_back({fact.name, std::move(fact.value), "", "", 5, true});
    return shown;
  }
  if (asked.type != of_topic)
    return Error(Code::invalid, "only topics and the broker have settings");
  auto topic = call.cluster().find(asked.name);
  if (!topic) return topic.error();
  for (ConfigEntry& entry : describe_configs((*topic)->facts.configs)) {
    shown.push_back({entry.fact->name, std::move(entry.value), entry.fact->standard,
                     entry.fact->meaning, entry.source(), false, entry.fact->type});
  }
  return shown;
}

ErrorCode error_of(const Error& error) {
  return error.code() == Code::invalid ? ErrorCode::invalid_config : topic_error(error);
}

struct Change {
  std::string name;
  int8_t operation = 0;  // set
  std::optional<std::string> value;
};

struct Alteration {
  int8_t type = 0;
  std::string name;
  std::vector<Change> changes;
};

std::vector<Alteration> decode_alterations(Decoder& in, bool incremental) {
  std::vector<Alteration> alterations;
  in.each([&] {
    Alteration& alteration = alterations.emplace_back();
    alteration.type = in.number<int8_t>();
    alteration.name = in.text();
    in.each([&] {
      Change& change = alteration.changes.emplace_back();
      change.name = in.text();
      if (incremental) change.operation = in.number<int8_t>();
      if (auto value = in.maybe_text()) change.value = *value;
      in.tags();
    });
    in.tags();
  });
  return alterations;
}

std::set<std::string> words_of(const std::string& list) {
  std::set<std::string> words;
  for (size_t at = 0; at <= list.size();) {
    size_t end = std::min(list.find(',', at), list.size());
    if (end > at) words.insert(list.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// One change of an incremental alteration: set, delete, append, subtract.
Status apply(broker::ConfigMap& configs, const Change& change) {
  constexpr int8_t set = 0;
  constexpr int8_t remove = 1;
  constexpr int8_t append = 2;
  constexpr int8_t subtract = 3;
  auto facts = broker::topic_config_facts();
  auto fact = std::ranges::find(facts, change.name, &broker::ConfigFact::name);
  if (change.operation == remove) {
    configs.erase(change.name);
    return {};
  }
  if (!change.value) return Error(Code::invalid, "setting " + change.name + " has no value");
  if (change.operation == set) {
    configs[change.name] = *change.value;
    return {};
  }
  if (change.operation != append && change.operation != subtract)
    return Error(Code::invalid, "an unknown operation on setting " + change.name);
  if (fact == facts.end() || fact->type != broker::ConfigType::list)
    return Error(Code::invalid, "setting " + change.name + " is not a list");
  auto there = configs.find(change.name);
  auto words = words_of(there != configs.end() ? there->second : std::string(fact->standard));
  for (const std::string& word : words_of(*change.value)) {
    if (change.operation == append)
      words.insert(word);
    else
      words.erase(word);
  }
  std::string joined;
  for (const std::string& word : words) joined.append(joined.empty() ? "" : ",").append(word);
  configs[change.name] = joined;
  return {};
}

// Whether what is to be set has a value.
bool is_complete(const Alteration& alteration) {
  constexpr int8_t remove = 1;
  return std::ranges::all_of(alteration.changes, [](const Change& change) {
    return change.operation == remove || change.value.has_value();
  });
}

io::Task<Status> alter(Call& call, const Alteration& alteration, bool incremental,
                       bool validate_only) {
  if (alteration.type != of_topic)
    co_return Error(Code::invalid, "only the settings of topics can be changed");
  auto topic = call.cluster().find(alteration.name);
  if (!topic) co_return topic.error();
  broker::ConfigMap configs;
  if (incremental) configs = (*topic)->facts.configs;
  for (const Change& change : alteration.changes) {
    if (!incremental && !change.value) continue;
    if (Status applied = apply(configs, change); !applied) co_return applied;
  }
  co_return co_await call.cluster().set_configs(alteration.name, std::move(configs), validate_only);
}

io::Task<Status> answer_alterations(Call& call, bool incremental) {
  auto alterations = decode_alterations(call.in, incremental);
  bool validate_only = call.in.boolean();
  call.in.tags();
  if (call.in.failed()) co_return malformed("AlterConfigs");
  call.throttle();
  call.out.count(alterations.size());
  for (const Alteration& alteration : alterations) {
    Status altered = co_await alter(call, alteration, incremental, validate_only);
    ErrorCode error = altered ? ErrorCode::none : error_of(altered.error());
    if (!altered && incremental && !is_complete(alteration)) error = ErrorCode::invalid_request;
    call.error(error);
    if (altered)
      call.out.maybe_text(std::nullopt);
    else
      call.out.maybe_text(altered.error().text());
    call.out.number(alteration.type);
    call.out.text(alteration.name);
    call.out.tags();
  }
  call.out.tags();
  co_return Status{};
}

}  // namespace

io::Task<Status> handle_describe_configs(Call& call) {
  Decoder& in = call.in;
  std::vector<Asked> resources;
  in.each([&] {
    Asked& asked = resources.emplace_back();
    asked.type = in.number<int8_t>();
    asked.name = in.text();
    if (auto keys = in.maybe_count()) {
      asked.keys.emplace();
      for (size_t i = 0; i < *keys && !in.failed(); ++i) asked.keys->emplace_back(in.text());
    }
    in.tags();
  });
  bool synonyms = call.version >= 1 && in.boolean();
  bool meanings = call.version >= 3 && in.boolean();
  in.tags();
  if (in.failed()) co_return malformed("DescribeConfigs");
  call.throttle();
  call.out.count(resources.size());
  for (const Asked& asked : resources) {
    auto shown = show(call, asked);
    bool is_known = asked.type == of_topic || asked.type == of_broker;
    ErrorCode error = shown ? ErrorCode::none : error_of(shown.error());
    call.error(is_known ? error : ErrorCode::invalid_request);
    if (shown)
      call.out.maybe_text(std::nullopt);
    else
      call.out.maybe_text(shown.error().text());
    call.out.number(asked.type);
    call.out.text(asked.name);
    if (shown) std::erase_if(*shown, [&](const Shown& one) { return !wanted(asked, one.name); });
    call.out.count(shown ? shown->size() : 0);
    for (size_t i = 0; shown && i < shown->size(); ++i)
      write_entry(call, (*shown)[i], synonyms, meanings);
    call.out.tags();
  }
  call.out.tags();
  co_return Status{};
}

io::Task<Status> handle_alter_configs(Call& call) {
  return answer_alterations(call, false);
}
io::Task<Status> handle_incremental_alter_configs(Call& call) {
  return answer_alterations(call, true);
}

}  // namespace pinpipe::kafka
