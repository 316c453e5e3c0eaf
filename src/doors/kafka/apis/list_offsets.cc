// ListOffsets (2), versions 0 to 8.
#include <vector>

#include "doors/kafka/call.h"

namespace pinpipe::kafka {
namespace {

constexpr int64_t latest = -1;
constexpr int64_t earliest = -2;
constexpr int64_t newest = -3;
constexpr int64_t earliest_local = -4;

struct Asked {
  int32_t partition = 0;
  int32_t leader_epoch = -1;  // as the client knows it
  int64_t timestamp = 0;
};

struct Found {
  ErrorCode error = ErrorCode::none;
  int64_t timestamp_ms = -1;
  int64_t offset = -1;
  int32_t leader_epoch = -1;
};

io::Task<Found> look_up(Call& call, std::string_view topic, const Asked& asked) {
  const auto [partition, leader_epoch, timestamp] = asked;
  Found found;
  auto log = call.cluster().partition(topic, partition, auth::Action::describe);
  if (!log) {
    found.error = topic_error(log.error());
    co_return found;
  }
  found.error = epoch_error(leader_epoch, (*log)->leader_epoch());
  if (found.error != ErrorCode::none) co_return found;
  if (timestamp == latest) {
    found.offset = (*log)->range().high_watermark;
  } else if (timestamp == earliest || timestamp == earliest_local) {
    found.offset = (*log)->range().start;
  } else if (timestamp < earliest_local) {
    found.error = ErrorCode::unsupported_version;
  } else {
    auto at = timestamp == newest ? co_await call.cluster().newest(topic, partition)
                                  : co_await call.cluster().offset_at(topic, partition, timestamp);
    if (!at) {
      found.error = topic_error(at.error());
    } else if (*at) {
      found.timestamp_ms = (*at)->timestamp_ms;
      found.offset = (*at)->offset;
    }
  }
  if (found.offset >= 0) found.leader_epoch = (*log)->leader_epoch();
  co_return found;
}

void write(Call& call, int32_t partition, const Found& found, int32_t offsets_max) {
  Encoder& out = call.out;
  out.number(partition);
  call.error(found.error);
  if (call.version == 0) {
    bool has = found.offset >= 0 && offsets_max > 0;
    out.count(has ? 1 : 0);
    if (has) out.number(found.offset);
    return;
  }
  out.number(found.timestamp_ms);
  out.number(found.offset);
  if (call.version >= 4) out.number(found.leader_epoch);
  out.tags();
}

}  // namespace

io::Task<Status> handle_list_offsets(Call& call) {
  Decoder& in = call.in;
  in.number<int32_t>();                        // replica id
  if (call.version >= 2) in.number<int8_t>();  // isolation
  if (call.version >= 2) call.throttle();
  size_t topics = in.count();
  call.out.count(topics);
  for (size_t i = 0; i < topics && !in.failed(); ++i) {
    std::string_view topic = in.text();
    call.out.text(topic);
    size_t partitions = in.count();
    call.out.count(partitions);
    for (size_t j = 0; j < partitions && !in.failed(); ++j) {
      Asked asked;
      asked.partition = in.number<int32_t>();
      if (call.version >= 4) asked.leader_epoch = in.number<int32_t>();
      asked.timestamp = in.number<int64_t>();
      int32_t offsets_max = call.version == 0 ? in.number<int32_t>() : 1;
      in.tags();
      if (in.failed()) break;
      Found found = co_await look_up(call, topic, asked);
      write(call, asked.partition, found, offsets_max);
    }
    in.tags();
    call.out.tags();
  }
  in.tags();
  call.out.tags();
  if (in.failed()) co_return malformed("ListOffsets");
  co_return Status{};
}

}  // namespace pinpipe::kafka
