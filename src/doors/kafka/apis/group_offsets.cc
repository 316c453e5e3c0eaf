// Positions of groups: OffsetCommit (8), 0 to 9; OffsetFetch (9), 0 to 9; OffsetDelete (47), 0.
#include <set>
#include <vector>

#include "broker/consumer_protocol.h"
#include "doors/kafka/call.h"

namespace pinpipe::kafka {
namespace {

constexpr int64_t no_offset = -1;

struct Committed {
  broker::TopicPartition which;
  broker::Position position;
  ErrorCode error = ErrorCode::none;
};

struct CommittedTopic {
  std::string name;
  std::vector<Committed> partitions;
};

CommittedTopic decode_commit_topic(Call& call) {
  Decoder& in = call.in;
  CommittedTopic topic;
  topic.name = in.text();
  in.each([&] {
    Committed& committed = topic.partitions.emplace_back();
    committed.which = {topic.name, in.number<int32_t>()};
    committed.position.offset = in.number<int64_t>();
    if (call.version >= 6) committed.position.leader_epoch = in.number<int32_t>();
    if (call.version == 1) in.number<int64_t>();  // commit time: ours is taken
    committed.position.metadata = in.maybe_text().value_or("");
    in.tags();
  });
  in.tags();
  return topic;
}

// What is wrong with one position by itself.
ErrorCode check(Call& call, const Committed& committed) {
  if (committed.position.metadata.size() > broker::CommittedOffsets::metadata_bytes_max)
    return ErrorCode::offset_metadata_too_large;
  auto log = call.cluster().partition(committed.which.topic, committed.which.partition,
                                      auth::Action::read);
  if (!log) return topic_error(log.error());
  // Kafka takes any offset; kafkajs commits −2 for the beginning and understands it when it comes
  // back.
  return ErrorCode::none;
}

io::Task<> commit(Call& call, const broker::MemberRef& who, std::vector<CommittedTopic>& topics) {
  auto groups = call.cluster().groups(who.group, auth::Action::read);
  ErrorCode all =
      groups ? group_error((*groups)->check_commit(who)) : group_access_error(groups.error());
  broker::Positions positions;
  for (CommittedTopic& topic : topics) {
    for (Committed& committed : topic.partitions) {
      committed.error = all != ErrorCode::none ? all : check(call, committed);
      if (committed.error == ErrorCode::none) positions[committed.which] = committed.position;
    }
  }
  if (positions.empty()) co_return;
  Status done = co_await call.cluster().commit(std::string(who.group), std::move(positions));
  if (done) co_return;
  for (CommittedTopic& topic : topics) {
    for (Committed& committed : topic.partitions) {
      if (committed.error == ErrorCode::none) committed.error = group_access_error(done.error());
    }
  }
}

struct AskedTopic {
  std::string name;
  std::vector<int32_t> partitions;
};

struct AskedGroup {
  std::string name;
  std::optional<std::vector<AskedTopic>> topics;  // nothing: all
};

std::optional<std::vector<AskedTopic>> decode_asked_topics(Decoder& in) {
  auto count = in.maybe_count();
  if (!count) return std::nullopt;
  std::vector<AskedTopic> topics;
  for (size_t i = 0; i < *count && !in.failed(); ++i) {
    AskedTopic& topic = topics.emplace_back();
    topic.name = in.text();
    topic.partitions = in.numbers32();
    in.tags();
  }
  return topics;
}

// All that the group has, in the form of a question.
std::vector<AskedTopic> everything(const broker::Positions& positions) {
  std::vector<AskedTopic> topics;
  for (const auto& [which, position] : positions) {
    if (topics.empty() || topics.back().name != which.topic) topics.push_back({which.topic, {}});
    topics.back().partitions.push_back(which.partition);
  }
  return topics;
}

void write_group(Call& call, const AskedGroup& group) {
  Encoder& out = call.out;
  auto positions = call.cluster().positions(group.name);
  ErrorCode error = positions ? ErrorCode::none : group_access_error(positions.error());
  broker::Positions none;
  const broker::Positions& there = positions ? *positions : none;
  std::vector<AskedTopic> topics = group.topics ? *group.topics : everything(there);
  if (call.version >= 8) out.text(group.name);
  out.count(topics.size());
  for (const AskedTopic& topic : topics) {
    out.text(topic.name);
    out.count(topic.partitions.size());
    for (int32_t partition : topic.partitions) {
      auto found = there.find({topic.name, partition});
      bool has = found != there.end();
      out.number(partition);
      out.number(has ? found->second.offset : no_offset);
      if (call.version >= 5) out.number(has ? found->second.leader_epoch : -1);
      out.maybe_text(has ? std::string_view(found->second.metadata) : std::string_view(""));
      call.error(call.version < 2 ? error : ErrorCode::none);
      out.tags();
    }
    out.tags();
  }
  if (call.version >= 2) call.error(error);
  if (call.version >= 8) out.tags();
}

std::set<std::string> subscribed_topics(const broker::GroupDescription& group) {
  std::set<std::string> topics;
  for (const auto& member : group.members) {
    auto subscription = broker::decode_subscription(member.metadata);
    if (subscription) topics.insert(subscription->begin(), subscription->end());
  }
  return topics;
}

}  // namespace

io::Task<Status> handle_offset_commit(Call& call) {
  Decoder& in = call.in;
  Encoder& out = call.out;
  broker::MemberRef who;
  who.group = in.text();
  if (call.version >= 1) {
    who.generation = in.number<int32_t>();
    who.member_id = in.text();
  }
  if (call.version >= 7) who.instance_id = in.maybe_text();
  if (call.version >= 2 && call.version <= 4) in.number<int64_t>();  // retention: the broker's own
  std::vector<CommittedTopic> topics;
  in.each([&] { topics.push_back(decode_commit_topic(call)); });
  in.tags();
  if (in.failed()) co_return malformed("OffsetCommit");
  co_await commit(call, who, topics);
  if (call.version >= 3) call.throttle();
  out.count(topics.size());
  for (const CommittedTopic& topic : topics) {
    out.text(topic.name);
    out.count(topic.partitions.size());
    for (const Committed& committed : topic.partitions) {
      out.number(committed.which.partition);
      call.error(committed.error);
      out.tags();
    }
    out.tags();
  }
  out.tags();
  co_return Status{};
}

io::Task<Status> handle_offset_fetch(Call& call) {
  Decoder& in = call.in;
  std::vector<AskedGroup> groups;
  if (call.version < 8) {
    AskedGroup& group = groups.emplace_back();
    group.name = in.text();
    group.topics = decode_asked_topics(in);
  } else {
    in.each([&] {
      AskedGroup& group = groups.emplace_back();
      group.name = in.text();
      if (call.version >= 9) {
        in.maybe_text();       // member id
        in.number<int32_t>();  // member epoch
      }
      group.topics = decode_asked_topics(in);
      in.tags();
    });
  }
  if (call.version >= 7) in.boolean();  // require stable: without transactions all are
  in.tags();
  if (in.failed()) co_return malformed("OffsetFetch");
  if (call.version >= 3) call.throttle();
  if (call.version >= 8) call.out.count(groups.size());
  for (const AskedGroup& group : groups) write_group(call, group);
  call.out.tags();
  co_return Status{};
}

io::Task<Status> handle_offset_delete(Call& call) {
  Decoder& in = call.in;
  Encoder& out = call.out;
  std::string group(in.text());
  std::vector<AskedTopic> topics;
  in.each([&] {
    AskedTopic& topic = topics.emplace_back();
    topic.name = in.text();
    topic.partitions = in.numbers32();
  });
  if (in.failed()) co_return malformed("OffsetDelete");
  auto coordinator = call.cluster().groups(group, auth::Action::remove);
  ErrorCode error = coordinator ? ErrorCode::none : group_access_error(coordinator.error());
  auto described = call.cluster().describe_group(group);
  if (coordinator && !described) error = group_access_error(described.error());
  std::set<std::string> read;  // now, by members
  if (described && !described->members.empty()) {
    bool is_known = described->protocol_type == broker::consumer_protocol_type;
    if (is_known)
      read = subscribed_topics(*described);
    else
      error = ErrorCode::non_empty_group;
  }
  broker::Positions forgotten;
  for (const AskedTopic& topic : topics) {
    if (read.contains(topic.name)) continue;
    for (int32_t partition : topic.partitions) forgotten[{topic.name, partition}] = {};
  }
  if (error == ErrorCode::none) {
    Status done = co_await call.cluster().commit(group, std::move(forgotten));
    if (!done) error = group_access_error(done.error());
  }
  call.error(error);
  call.throttle();
  out.count(error == ErrorCode::none ? topics.size() : 0);
  for (const AskedTopic& topic : topics) {
    if (error != ErrorCode::none) break;
    out.text(topic.name);
    out.count(topic.partitions.size());
    for (int32_t partition : topic.partitions) {
      out.number(partition);
      call.error(read.contains(topic.name) ? ErrorCode::group_subscribed_to_topic
                                           : ErrorCode::none);
    }
  }
  co_return Status{};
}

}  // namespace pinpipe::kafka
