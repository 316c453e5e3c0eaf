// Fetch sessions (KIP-227): what a client follows is remembered, so that its requests name only
// what changed and answers only what is new.
//
//   epoch −1: no session · 0: a new one (and the named one ends) · n: the session's next request
//
// A session belongs to its connection and ends with it: a client that comes back opens another one.
// Bounds: sessions_max per connection (the one used longest ago goes), partitions_max per session,
// and FollowedTotal over all connections; beyond them a session is declined, which every client
// copes with.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "base/id.h"
#include "doors/kafka/errors.h"

namespace pinpipe::kafka {

// One partition as a client reads it, and what it knows of it.
struct FollowedPartition {
  std::string topic;  // or its id, from version 13 on
  Uuid topic_id = {};
  int32_t partition = 0;
  int32_t leader_epoch = -1;
  int64_t offset = 0;
  int32_t bytes_max = 0;
  int64_t told_start = -1;
  int64_t told_high_watermark = -1;
};

struct FollowedKey {
  std::string topic;
  Uuid topic_id = {};
  int32_t partition = 0;
  auto operator<=>(const FollowedKey&) const = default;
};
FollowedKey key_of(const FollowedPartition& followed);

// The partitions in all sessions of a door.
class FollowedTotal {
 public:
  explicit FollowedTotal(size_t most) : most_(most) {}

  bool take(size_t count) {
    if (used_.fetch_add(count) + count <= most_) return true;
    used_.fetch_sub(count);
    return false;
  }
  void give_back(size_t count) { used_.fetch_sub(count); }
  size_t used() const { return used_.load(); }

 private:
  std::atomic<size_t> used_{0};
  const size_t most_;
};

class FetchSession {
 public:
  FetchSession(int32_t id, bool by_id) : id_(id), by_id_(by_id) {}

  int32_t id() const { return id_; }
  size_t size() const { return places_.size(); }
  // In the order in which they are served.
  std::list<FollowedPartition>& partitions() { return partitions_; }
  // It was served: next time the others come first.
  void move_back(const FollowedPartition& served);

 private:
  friend class FetchSessions;

  void follow(FollowedPartition changed);
  void forget(const FollowedKey& key);

  int32_t id_;
  int32_t next_epoch_ = 1;
  bool by_id_;
  std::list<FollowedPartition> partitions_;
  std::map<FollowedKey, std::list<FollowedPartition>::iterator> places_;
};

// Those of one connection; on its loop only.
class FetchSessions {
 public:
  static constexpr size_t sessions_max = 8;
  static constexpr size_t partitions_max = 100'000;

  explicit FetchSessions(FollowedTotal& total) : total_(total) {}
  ~FetchSessions();
  FetchSessions(const FetchSessions&) = delete;

  struct Request {
    int32_t id = 0;
    int32_t epoch = -1;
    bool by_id = false;  // topics by id
    std::vector<FollowedPartition> partitions;
    std::vector<FollowedKey> forgotten;
  };

  // Null: declined.
  FetchSession* open(const Request& request);
  // The session with the request's changes; the error to answer when it is not there, its turn is
  // another or it speaks of topics in the other way.
  std::expected<FetchSession*, ErrorCode> go_on(const Request& request);
  void close(int32_t id);

 private:
  std::list<FetchSession>::iterator find(int32_t id);
  void close(std::list<FetchSession>::iterator session);

  FollowedTotal& total_;
  std::list<FetchSession> sessions_;  // used longest ago first
};

}  // namespace pinpipe::kafka
