// DescribeCluster (60), 0 to 1, and DescribeLogDirs (35), 0 to 4.
#include <algorithm>
#include <limits>
#include <vector>

#include "doors/kafka/call.h"

namespace pinpipe::kafka {
namespace {

constexpr int32_t operations_not_asked = std::numeric_limits<int32_t>::min();
constexpr int8_t brokers_endpoint = 1;

struct Wanted {
  std::string topic;
  std::vector<int32_t> partitions;
};

void write_log_topic(Call& call, const broker::Topic& topic,
                     const std::vector<int32_t>& partitions) {
  Encoder& out = call.out;
  out.text(topic.facts.name);
  out.count(partitions.size());
  for (int32_t partition : partitions) {
    out.number(partition);
    out.number(static_cast<int64_t>(topic.logs[static_cast<size_t>(partition)]->size_bytes()));
    out.number(int64_t{0});  // lag: there is no other replica
    out.boolean(false);      // not a future replica
    out.tags();
  }
  out.tags();
}

}  // namespace

io::Task<Status> handle_describe_cluster(Call& call) {
  Decoder& in = call.in;
  Encoder& out = call.out;
  in.boolean();  // authorised operations
  int8_t endpoint = call.version >= 1 ? in.number<int8_t>() : brokers_endpoint;
  in.tags();
  if (in.failed()) co_return malformed("DescribeCluster");
  call.throttle();
  call.error(endpoint == brokers_endpoint ? ErrorCode::none : ErrorCode::invalid_request);
  out.maybe_text(std::nullopt);
  if (call.version >= 1) out.number(brokers_endpoint);
  out.text(call.cluster().cluster_id());
  out.number(node_id);  // controller
  out.count(1);
  out.number(node_id);
  out.text(call.session.host);
  out.number(call.session.port);
  out.maybe_text(std::nullopt);  // rack
  out.tags();
  out.number(operations_not_asked);
  out.tags();
  co_return Status{};
}

io::Task<Status> handle_describe_log_dirs(Call& call) {
  Decoder& in = call.in;
  Encoder& out = call.out;
  std::vector<Wanted> wanted;
  auto count = in.maybe_count();
  for (size_t i = 0; i < count.value_or(0) && !in.failed(); ++i) {
    Wanted& one = wanted.emplace_back();
    one.topic = in.text();
    one.partitions = in.numbers32();
    in.tags();
  }
  in.tags();
  if (in.failed()) co_return malformed("DescribeLogDirs");
  std::vector<std::pair<broker::TopicPointer, std::vector<int32_t>>> shown;
  for (broker::TopicPointer& topic : call.cluster().list()) {
    std::vector<int32_t> partitions;
    for (int32_t i = 0; i < static_cast<int32_t>(topic->logs.size()); ++i) {
      bool is_wanted = !count;
      for (const Wanted& one : wanted) {
        is_wanted |= one.topic == topic->facts.name &&
                     std::ranges::find(one.partitions, i) != one.partitions.end();
      }
      if (is_wanted) partitions.push_back(i);
    }
    if (!partitions.empty()) shown.emplace_back(std::move(topic), std::move(partitions));
  }
  call.throttle();
  if (call.version >= 3) call.error(ErrorCode::none);
  out.count(1);
  call.error(ErrorCode::none);
  out.text(call.cluster().log_directory());
  out.count(shown.size());
  for (const auto& [topic, partitions] : shown) write_log_topic(call, *topic, partitions);
  if (call.version >= 4) {
    out.number(int64_t{-1});  // total and usable bytes: not measured
    out.number(int64_t{-1});
  }
  out.tags();
  out.tags();
  co_return Status{};
}

}  // namespace pinpipe::kafka
