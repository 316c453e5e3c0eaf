// What the sink has to remember beside the group's offsets: where files ended that the clock ended,
// and which incarnation of a topic a position belongs to. One SQLite file for all connectors.
// Promise: what a call returned ok for survives a power cut. All calls block.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/id.h"
#include "base/result.h"
#include "state/database.h"

namespace pinpipe::sink {

// One partition as one connector follows it.
struct FollowedPartition {
  std::string connector;
  std::string topic;
  int partition = 0;
};

struct FollowedAs {
  Uuid incarnation;
  std::string boundary_rule;
  bool operator==(const FollowedAs&) const = default;
};

class SinkState {
 public:
  static Result<std::unique_ptr<SinkState>> open(const std::string& path);

  // How it was followed last; nothing when never.
  Result<std::optional<FollowedAs>> followed(const FollowedPartition& who);
  // Forgets the boundaries kept under another incarnation or rule.
  Status follow(const FollowedPartition& who, const FollowedAs& how);

  // The file that begins at `from` ends before `end`, whatever the records say.
  Status keep_boundary(const FollowedPartition& who, int64_t from, int64_t end);
  Result<std::map<int64_t, int64_t>> boundaries(const FollowedPartition& who);
  // Those of files before `offset`.
  Status forget_boundaries(const FollowedPartition& who, int64_t offset);
  Status forget_connector(std::string_view connector);

 private:
  explicit SinkState(std::unique_ptr<state::Database> database) : database_(std::move(database)) {}
  std::unique_ptr<state::Database> database_;
};

}  // namespace pinpipe::sink
