// CreateTopics (19), versions 0 to 7.
#include <set>
#include <vector>

#include "doors/kafka/call.h"
#include "doors/kafka/configs.h"

namespace pinpipe::kafka {
namespace {

struct Asked {
  broker::TopicSpec spec;
  int16_t replicas = 1;
  std::vector<std::vector<int32_t>> assignments;
};

Asked decode_topic(Decoder& in) {
  Asked asked;
  asked.spec.name = in.text();
  asked.spec.partitions = in.number<int32_t>();
  asked.replicas = in.number<int16_t>();
  in.each([&] {
    in.number<int32_t>();
    asked.assignments.push_back(in.numbers32());
    in.tags();
  });
  in.each([&] {
    std::string name(in.text());
    auto value = in.maybe_text();
    in.tags();
    if (value) asked.spec.configs[name] = *value;
  });
  in.tags();
  return asked;
}

// What is wrong with the request itself.
std::optional<std::pair<ErrorCode, std::string>> check(Asked& asked) {
  if (!asked.assignments.empty()) {
    asked.spec.partitions = static_cast<int32_t>(asked.assignments.size());
    for (const auto& brokers : asked.assignments) {
      if (brokers != std::vector<int32_t>{node_id})
        return std::pair(ErrorCode::invalid_replica_assignment,
                         std::string("the only broker is " + std::to_string(node_id)));
    }
  } else if (asked.replicas != 1 && asked.replicas != -1) {
    return std::pair(ErrorCode::invalid_replication_factor,
                     std::string("there is one broker: the replication factor is 1"));
  }
  if (asked.spec.partitions == 0 || asked.spec.partitions < -1)
    return std::pair(ErrorCode::invalid_partitions,
                     std::string("the number of partitions is at least 1"));
  return std::nullopt;
}

void write(Call& call, std::string_view name, ErrorCode error, std::string_view text,
           const broker::Topic* topic) {
  Encoder& out = call.out;
  out.text(name);
  if (call.version >= 7) out.uuid(topic != nullptr ? topic->facts.id : Uuid{});
  call.error(error);
  if (call.version >= 1) out.maybe_text(text.empty() ? std::nullopt : std::optional(text));
  if (call.version >= 5) {
    out.number(topic != nullptr ? topic->facts.partitions : -1);
    out.number(static_cast<int16_t>(topic != nullptr ? 1 : -1));
    if (topic == nullptr) {
      out.count(0);
    } else {
      auto configs = describe_configs(topic->facts.configs);
      out.count(configs.size());
      for (const ConfigEntry& entry : configs) {
        out.text(entry.fact->name);
        out.maybe_text(entry.value);
        out.boolean(false);  // read only
        out.number(entry.source());
        out.boolean(false);  // sensitive
        out.tags();
      }
    }
  }
  out.tags();
}

// A refused setting is INVALID_CONFIG, a refused name INVALID_TOPIC.
ErrorCode error_of(const Error& error, const broker::TopicSpec& spec) {
  if (error.code() == Code::invalid && !broker::understand(spec.configs))
    return ErrorCode::invalid_config;
  if (error.code() == Code::busy) return ErrorCode::policy_violation;
  return topic_error(error);
}

}  // namespace

io::Task<Status> handle_create_topics(Call& call) {
  Decoder& in = call.in;
  std::vector<Asked> topics;
  in.each([&] { topics.push_back(decode_topic(in)); });
  in.number<int32_t>();  // timeout: creation is quick
  bool validate_only = call.version >= 1 && in.boolean();
  in.tags();
  if (in.failed()) co_return malformed("CreateTopics");
  std::multiset<std::string> names;
  for (const Asked& asked : topics) names.insert(asked.spec.name);
  if (call.version >= 2) call.throttle();
  call.out.count(topics.size());
  for (Asked& asked : topics) {
    std::string name = asked.spec.name;
    auto wrong = check(asked);
    if (names.count(name) > 1)
      wrong.emplace(ErrorCode::invalid_request, "the topic is named twice");
    if (wrong) {
      write(call, name, wrong->first, wrong->second, nullptr);
      continue;
    }
    broker::TopicSpec spec = asked.spec;
    auto created = co_await call.cluster().create(std::move(spec), validate_only);
    if (created)
      write(call, name, ErrorCode::none, {}, created->get());
    else
      write(call, name, error_of(created.error(), asked.spec), created.error().text(), nullptr);
  }
  call.out.tags();
  co_return Status{};
}

}  // namespace pinpipe::kafka
