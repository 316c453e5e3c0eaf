// One request on its way through the door, and the list of all APIs: dispatch, version checks and
// the ApiVersions answer are derived from that list.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "broker/cluster.h"
#include "doors/kafka/errors.h"
#include "doors/kafka/fetch_sessions.h"
#include "doors/kafka/wire.h"
#include "io/task.h"

namespace pinpipe::kafka {

inline constexpr int32_t node_id = 1;

// What a connection's requests have in common.
struct Session {
  broker::Cluster& cluster;
  std::string host;  // what to advertise to this client
  int32_t port = 0;
  std::string peer;
  FetchSessions fetches;
};

struct Call {
  int16_t key = 0;
  int16_t version = 0;
  int32_t correlation_id = 0;
  std::string client_id;
  std::shared_ptr<char[]> frame;  // owns what `in` reads
  Session& session;
  Decoder in;
  Encoder out;
  bool wants_reply = true;

  void error(ErrorCode code) { out.number(static_cast<int16_t>(code)); }
  void throttle() { out.number(int32_t{0}); }
  broker::Cluster& cluster() const { return session.cluster; }
};

// Writes the response's body. An error is a request that cannot be answered: the connection is
// closed with the error's text in the log.
using Handler = io::Task<Status> (*)(Call& call);

struct Api {
  int16_t key;
  std::string_view name;
  int16_t lowest;  // advertised
  int16_t highest;
  int16_t flexible_from;  // beyond `highest`: never
  Handler handle;
  int16_t lowest_served;  // Produce: advertised from 0, because old clients look for that

  bool is_flexible(int16_t version) const { return version >= flexible_from; }
};

// In key order.
std::span<const Api> apis();
const Api* find_api(int16_t key);

// Produce in two steps, so that the batches of many requests in one burst become one commit.
class Begun {
 public:
  virtual ~Begun() = default;
  virtual io::Task<Status> finish(Call& call) = 0;
};
Result<std::unique_ptr<Begun>> begin_produce(Call& call);

io::Task<Status> handle_produce(Call& call);
io::Task<Status> handle_fetch(Call& call);
io::Task<Status> handle_list_offsets(Call& call);
io::Task<Status> handle_metadata(Call& call);
io::Task<Status> handle_find_coordinator(Call& call);
io::Task<Status> handle_join_group(Call& call);
io::Task<Status> handle_sync_group(Call& call);
io::Task<Status> handle_heartbeat(Call& call);
io::Task<Status> handle_leave_group(Call& call);
io::Task<Status> handle_offset_commit(Call& call);
io::Task<Status> handle_offset_fetch(Call& call);
io::Task<Status> handle_offset_delete(Call& call);
io::Task<Status> handle_describe_groups(Call& call);
io::Task<Status> handle_list_groups(Call& call);
io::Task<Status> handle_delete_groups(Call& call);
io::Task<Status> handle_delete_records(Call& call);
io::Task<Status> handle_describe_configs(Call& call);
io::Task<Status> handle_alter_configs(Call& call);
io::Task<Status> handle_incremental_alter_configs(Call& call);
io::Task<Status> handle_describe_log_dirs(Call& call);
io::Task<Status> handle_create_partitions(Call& call);
io::Task<Status> handle_describe_cluster(Call& call);
io::Task<Status> handle_api_versions(Call& call);
io::Task<Status> handle_create_topics(Call& call);
io::Task<Status> handle_delete_topics(Call& call);
io::Task<Status> handle_init_producer_id(Call& call);
io::Task<Status> handle_offset_for_leader_epoch(Call& call);
io::Task<Status> handle_elect_leaders(Call& call);
io::Task<Status> handle_alter_reassignments(Call& call);
io::Task<Status> handle_list_reassignments(Call& call);
io::Task<Status> handle_describe_topic_partitions(Call& call);

// The answer to ApiVersions of a version that nobody knows: body version 0 with error 35.
void write_unsupported_api_versions(Encoder& out);

inline Error malformed(std::string_view what) {
  return Error(Code::invalid, "a malformed " + std::string(what) + " request");
}

}  // namespace pinpipe::kafka
