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
#include <vector>

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
  // Where its objects are: their keys begin with the prefix, and stem and offset are in them.
  std::string bucket, prefix, stem;
  bool operator==(const FollowedAs&) const = default;
};

// Where a set of files ends, and their directory where the wall clock named it.
struct Boundary {
  int64_t end = 0;
  std::string path;
};

// A connector as it was asked for.
struct ConnectorRow {
  std::string name;
  std::string config;    // JSON; empty when it was deleted
  std::string state;     // RUNNING, PAUSED, STOPPED: what is wanted
  std::string declared;  // the project's configuration that was last applied; may be empty
};

class SinkState {
 public:
  static Result<std::unique_ptr<SinkState>> open(const std::string& path);

  // How it was followed last; nothing when never.
  Result<std::optional<FollowedAs>> followed(const FollowedPartition& who);
  // Forgets the boundaries kept under another incarnation or rule.
  Status follow(const FollowedPartition& who, const FollowedAs& how);

  // The files that begin at `from` end before `boundary.end`, whatever the records say.
  Status keep_boundary(const FollowedPartition& who, int64_t from, const Boundary& boundary);
  Result<std::map<int64_t, Boundary>> boundaries(const FollowedPartition& who);
  // Those that end at or before `offset`.
  Status forget_boundaries(const FollowedPartition& who, int64_t offset);

  Result<std::vector<ConnectorRow>> connectors();
  Status keep_connector(const ConnectorRow& row);

 private:
  explicit SinkState(std::unique_ptr<state::Database> database) : database_(std::move(database)) {}
  std::unique_ptr<state::Database> database_;
};

}  // namespace pinpipe::sink
