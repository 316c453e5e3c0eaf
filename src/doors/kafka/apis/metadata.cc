// Metadata (3), versions 0 to 12. Creates topics that are asked for by name when the broker and the
// request allow it. The address is the one by which the client reached us.
#include <limits>
#include <vector>

#include "broker/names.h"
#include "doors/kafka/call.h"

namespace pinpipe::kafka {
namespace {

constexpr int32_t operations_not_asked = std::numeric_limits<int32_t>::min();

struct Asked {
  std::optional<std::string> name;
  Uuid id;
};

struct Request {
  bool all = false;
  std::vector<Asked> topics;
  bool may_create = true;
};

struct Described {
  ErrorCode error = ErrorCode::none;
  std::optional<std::string> name;
  Uuid id;
  broker::TopicPointer topic;
};

Result<Request> decode(Call& call) {
  Decoder& in = call.in;
  Request request;
  auto count = in.maybe_count();
  request.all = !count || (call.version == 0 && *count == 0);
  for (size_t i = 0; i < count.value_or(0) && !in.failed(); ++i) {
    Asked asked;
    if (call.version >= 10) asked.id = in.uuid();
    if (auto name = in.maybe_text()) asked.name = *name;
    in.tags();
    request.topics.push_back(std::move(asked));
  }
  if (call.version >= 4) request.may_create = in.boolean();
  if (call.version >= 8 && call.version <= 10) in.boolean();  // cluster operations
  if (call.version >= 8) in.boolean();                        // topic operations
  in.tags();
  if (in.failed()) return malformed("Metadata");
  return request;
}

io::Task<Described> describe(Call& call, Asked asked, bool may_create) {
  Described described{.name = asked.name, .id = asked.id, .topic = nullptr};
  Result<broker::TopicPointer> found = Error(Code::not_found, "");
  if (!asked.name) {
    found = call.cluster().find(asked.id);
  } else if (may_create) {
    found = co_await call.cluster().find_or_create(*asked.name);
  } else {
    found = call.cluster().find(*asked.name);
  }
  if (found) {
    described.topic = *found;
  } else if (!asked.name && found.error().code() == Code::not_found) {
    described.error = ErrorCode::unknown_topic_id;
  } else {
    bool may_be = !asked.name || broker::check_topic_name(*asked.name);
    described.error = may_be ? topic_error(found.error()) : ErrorCode::invalid_topic;
  }
  co_return described;
}

void write_partition(Call& call, int32_t index, const log::PartitionLog& log) {
  Encoder& out = call.out;
  call.error(log.is_poisoned() ? ErrorCode::kafka_storage_error : ErrorCode::none);
  out.number(index);
  out.number(node_id);
  if (call.version >= 7) out.number(log.leader_epoch());
  out.numbers32({node_id});
  out.numbers32({node_id});
  if (call.version >= 5) out.numbers32({});
  out.tags();
}

void write_topic(Call& call, const Described& described) {
  Encoder& out = call.out;
  const broker::Topic* topic = described.topic.get();
  call.error(described.error);
  std::optional<std::string_view> name = described.name;
  if (topic != nullptr) name = topic->facts.name;
  if (call.version >= 12)
    out.maybe_text(name);
  else
    out.text(name.value_or(""));
  if (call.version >= 10) out.uuid(topic != nullptr ? topic->facts.id : described.id);
  if (call.version >= 1) out.boolean(topic != nullptr && topic->facts.internal);
  out.count(topic != nullptr ? topic->logs.size() : 0);
  for (size_t i = 0; topic != nullptr && i < topic->logs.size(); ++i)
    write_partition(call, static_cast<int32_t>(i), *topic->logs[i]);
  if (call.version >= 8) out.number(operations_not_asked);
  out.tags();
}

void write_cluster(Call& call) {
  Encoder& out = call.out;
  if (call.version >= 3) call.throttle();
  out.count(1);
  out.number(node_id);
  out.text(call.session.host);
  out.number(call.session.port);
  if (call.version >= 1) out.maybe_text(std::nullopt);  // rack
  out.tags();
  if (call.version >= 2) out.maybe_text(call.cluster().cluster_id());
  if (call.version >= 1) out.number(node_id);  // controller
}

}  // namespace

io::Task<Status> handle_metadata(Call& call) {
  auto request = decode(call);
  if (!request) co_return request.error();
  std::vector<Described> topics;
  if (request->all) {
    for (broker::TopicPointer& topic : call.cluster().list()) {
      Described described;
      described.topic = std::move(topic);
      topics.push_back(std::move(described));
    }
  }
  for (Asked& asked : request->topics) {
    Described described = co_await describe(call, std::move(asked), request->may_create);
    topics.push_back(std::move(described));
  }
  write_cluster(call);
  call.out.count(topics.size());
  for (const Described& described : topics) write_topic(call, described);
  if (call.version >= 8 && call.version <= 10) call.out.number(operations_not_asked);
  call.out.tags();
  co_return Status{};
}

}  // namespace pinpipe::kafka
