// What speaks of replicas, of which there is one each: ElectLeaders (43), 0 to 2,
// AlterPartitionReassignments (45) and ListPartitionReassignments (46), version 0. What is asked
// for is so already, or cannot be: nothing is ever moved.
#include <vector>

#include "doors/kafka/call.h"

namespace pinpipe::kafka {
namespace {

struct Asked {
  std::string topic;
  std::vector<int32_t> partitions;
};

struct Moved {
  int32_t partition = 0;
  std::optional<std::vector<int32_t>> replicas;  // nothing: cancel
};

bool is_there(Call& call, std::string_view topic, int32_t partition) {
  auto found = call.cluster().find(topic);
  return found && partition >= 0 && static_cast<size_t>(partition) < (*found)->logs.size();
}

void write_outcome(Call& call, int32_t partition, ErrorCode error, std::string_view text) {
  call.out.number(partition);
  call.error(error);
  if (text.empty())
    call.out.maybe_text(std::nullopt);
  else
    call.out.maybe_text(text);
  call.out.tags();
}

void write_move(Call& call, std::string_view topic, const Moved& moved) {
  if (!is_there(call, topic, moved.partition))
    write_outcome(call, moved.partition, ErrorCode::unknown_topic_or_partition,
                  "there is no such partition");
  else if (!moved.replicas)
    write_outcome(call, moved.partition, ErrorCode::no_reassignment_in_progress,
                  "nothing is being moved");
  else if (*moved.replicas != std::vector<int32_t>{node_id})
    write_outcome(call, moved.partition, ErrorCode::invalid_replica_assignment,
                  "the only broker is " + std::to_string(node_id));
  else
    write_outcome(call, moved.partition, ErrorCode::none, {});
}

}  // namespace

io::Task<Status> handle_elect_leaders(Call& call) {
  Decoder& in = call.in;
  if (call.version >= 1) in.number<int8_t>();  // preferred or unclean: there is one to elect
  std::vector<Asked> topics;
  auto count = in.maybe_count();
  for (size_t i = 0; i < count.value_or(0) && !in.failed(); ++i) {
    Asked& asked = topics.emplace_back();
    asked.topic = in.text();
    asked.partitions = in.numbers32();
    in.tags();
  }
  in.number<int32_t>();  // timeout
  in.tags();
  if (in.failed()) co_return malformed("ElectLeaders");
  call.throttle();
  if (call.version >= 1) call.error(ErrorCode::none);
  call.out.count(topics.size());
  for (const Asked& asked : topics) {
    call.out.text(asked.topic);
    call.out.count(asked.partitions.size());
    for (int32_t partition : asked.partitions) {
      if (is_there(call, asked.topic, partition))
        write_outcome(call, partition, ErrorCode::election_not_needed, "it has its only leader");
      else
        write_outcome(call, partition, ErrorCode::unknown_topic_or_partition,
                      "there is no such partition");
    }
    call.out.tags();
  }
  call.out.tags();
  co_return Status{};
}

io::Task<Status> handle_alter_reassignments(Call& call) {
  Decoder& in = call.in;
  in.number<int32_t>();  // timeout
  std::vector<std::pair<std::string, std::vector<Moved>>> topics;
  in.each([&] {
    auto& [topic, moves] = topics.emplace_back();
    topic = in.text();
    in.each([&] {
      Moved& moved = moves.emplace_back();
      moved.partition = in.number<int32_t>();
      if (auto replicas = in.maybe_count()) {
        moved.replicas.emplace();
        for (size_t i = 0; i < *replicas && !in.failed(); ++i)
          moved.replicas->push_back(in.number<int32_t>());
      }
      in.tags();
    });
    in.tags();
  });
  in.tags();
  if (in.failed()) co_return malformed("AlterPartitionReassignments");
  call.throttle();
  call.error(ErrorCode::none);
  call.out.maybe_text(std::nullopt);
  call.out.count(topics.size());
  for (const auto& [topic, moves] : topics) {
    call.out.text(topic);
    call.out.count(moves.size());
    for (const Moved& moved : moves) write_move(call, topic, moved);
    call.out.tags();
  }
  call.out.tags();
  co_return Status{};
}

io::Task<Status> handle_list_reassignments(Call& call) {
  Decoder& in = call.in;
  in.number<int32_t>();  // timeout
  auto count = in.maybe_count();
  for (size_t i = 0; i < count.value_or(0) && !in.failed(); ++i) {
    in.text();
    in.numbers32();
    in.tags();
  }
  in.tags();
  if (in.failed()) co_return malformed("ListPartitionReassignments");
  call.throttle();
  call.error(ErrorCode::none);
  call.out.maybe_text(std::nullopt);
  call.out.count(0);
  call.out.tags();
  co_return Status{};
}

}  // namespace pinpipe::kafka
