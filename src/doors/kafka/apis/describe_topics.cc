// DescribeTopicPartitions (75), version 0: topics in name order, a page of partitions at a time.
#include <algorithm>
#include <limits>
#include <vector>

#include "doors/kafka/call.h"

namespace pinpipe::kafka {
namespace {

constexpr int32_t partitions_per_page_max = 2000;
constexpr int32_t operations_not_asked = std::numeric_limits<int32_t>::min();
constexpr int8_t nothing = -1;  // how a structure that may be missing begins
constexpr int8_t something = 1;

struct Cursor {
  std::string topic;
  int32_t partition = 0;
};

struct Request {
  std::vector<std::string> topics;  // none: all
  int32_t limit = 0;
  std::optional<Cursor> cursor;
};

Result<Request> decode(Call& call) {
  Decoder& in = call.in;
  Request request;
  in.each([&] {
    request.topics.emplace_back(in.text());
    in.tags();
  });
  request.limit = std::clamp(in.number<int32_t>(), 1, partitions_per_page_max);
  if (in.number<int8_t>() != nothing) {
    Cursor& cursor = request.cursor.emplace();
    cursor.topic = in.text();
    cursor.partition = in.number<int32_t>();
    in.tags();
  }
  in.tags();
  if (in.failed()) return malformed("DescribeTopicPartitions");
  return request;
}

void write_partition(Call& call, int32_t index, const log::PartitionLog& log) {
  Encoder& out = call.out;
  call.error(log.is_poisoned() ? ErrorCode::kafka_storage_error : ErrorCode::none);
  out.number(index);
  out.number(node_id);
  out.number(log.leader_epoch());
  out.numbers32({node_id});
  out.numbers32({node_id});
  out.numbers32({});  // eligible leaders beside the replicas in sync: none
  out.numbers32({});
  out.numbers32({});
  out.tags();
}

// A topic with its partitions from `first` on; gives how many were written.
int32_t write_topic(Call& call, const std::string& name, int32_t first, int32_t limit) {
  Encoder& out = call.out;
  auto found = call.cluster().find(name);
  const broker::Topic* topic = found ? found->get() : nullptr;
  call.error(found ? ErrorCode::none : topic_error(found.error()));
  out.maybe_text(name);
  out.uuid(topic != nullptr ? topic->facts.id : Uuid{});
  out.boolean(topic != nullptr && topic->facts.internal);
  int32_t total = topic != nullptr ? static_cast<int32_t>(topic->logs.size()) : 0;
  int32_t count = std::clamp(total - first, 0, limit);
  out.count(static_cast<size_t>(count));
  for (int32_t i = first; i < first + count; ++i)
    write_partition(call, i, *topic->logs[static_cast<size_t>(i)]);
  out.number(operations_not_asked);
  out.tags();
  return count;
}

int32_t partitions_of(Call& call, const std::string& name) {
  auto found = call.cluster().find(name);
  return found ? static_cast<int32_t>((*found)->logs.size()) : 0;
}

}  // namespace

io::Task<Status> handle_describe_topic_partitions(Call& call) {
  auto request = decode(call);
  if (!request) co_return request.error();
  std::vector<std::string>& names = request->topics;
  if (names.empty()) {
    for (const broker::TopicPointer& topic : call.cluster().list())
      names.push_back(topic->facts.name);
  }
  std::ranges::sort(names);
  auto [doubled, end] = std::ranges::unique(names);
  names.erase(doubled, end);
  const std::optional<Cursor>& cursor = request->cursor;
  if (cursor) std::erase_if(names, [&](const std::string& name) { return name < cursor->topic; });
  // How far this page goes, before it is written: the number of topics comes first.
  auto first_of = [&](const std::string& name) {
    return cursor && cursor->topic == name ? std::max(cursor->partition, 0) : 0;
  };
  size_t topics = 0;
  int32_t left = request->limit;
  while (topics < names.size() && left > 0) {
    left -= std::max(partitions_of(call, names[topics]) - first_of(names[topics]), 0);
    ++topics;
  }
  call.throttle();
  call.out.count(topics);
  left = request->limit;
  std::optional<Cursor> next;
  for (size_t i = 0; i < topics; ++i) {
    int32_t first = first_of(names[i]);
    int32_t written = write_topic(call, names[i], first, left);
    left -= written;
    if (first + written < partitions_of(call, names[i]))
      next = {names[i], first + written};
    else if (left == 0 && i + 1 < names.size())
      next = {names[i + 1], 0};
  }
  call.out.number(next ? something : nothing);
  if (next) {
    call.out.text(next->topic);
    call.out.number(next->partition);
    call.out.tags();
  }
  call.out.tags();
  co_return Status{};
}

}  // namespace pinpipe::kafka
