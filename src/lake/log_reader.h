// Reads a table's log: the newest whole checkpoint that is not newer than wanted, then the commits
// behind it, in order and without a gap.
// Promise: `_last_checkpoint` is only a hint; missing, stale or corrupt hints and checkpoints cost
// time, not truth. A torn commit is `corrupt` and named, never skipped. A table with features that
// we do not read is refused by their names. Bounds: commits_at_once are read at a time and twice as
// many in memory, half of them as actions.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "io/task.h"
#include "lake/location.h"
#include "lake/services.h"
#include "lake/snapshot.h"

namespace pinpipe::lake {

struct LogListing {
  struct Checkpoint {
    Version version = 0;
    std::vector<std::string> keys;
    bool is_json = false;  // of V2
  };
  std::map<Version, int64_t> commits;    // when they were put, in ms, if that was asked for
  std::vector<Checkpoint> checkpoints;   // whole ones, by rising version
  std::map<Version, Version> compacted;  // the longest compaction from each version: its last one
  std::set<Version> checksums;
  std::vector<std::string> keys;  // every file of the log that was understood

  std::optional<Version> newest() const;
};

struct ReadCommit {
  Actions actions;
  std::string bytes;
};

class LogReader {
 public:
  static constexpr size_t commits_at_once = 256;
  static constexpr size_t portion_commits = 64;  // that one thread reads and decodes

  LogReader(const Services& services, Location location)
      : services_(services), location_(std::move(location)) {}

  // The table as it is now, or as it was at `version`. Error `not_found` when there is no table or
  // that version is gone.
  io::Task<Result<std::shared_ptr<const Snapshot>>> load(std::optional<Version> version = {});

  // The newest snapshot, from a former one: the same object when nothing happened since.
  io::Task<Result<std::shared_ptr<const Snapshot>>> advance(
      std::shared_ptr<const Snapshot> snapshot);

  // One commit; nothing when that version does not exist yet.
  io::Task<Result<std::optional<ReadCommit>>> read_commit(Version version);

  // The log's files from `first` on; with the commits' times, for which a store may have to look at
  // each.
  enum class Times : uint8_t { no, yes };
  io::Task<Result<LogListing>> list(Version first, Times times);

 private:
  using SnapshotPtr = std::shared_ptr<Snapshot>;

  io::Task<Result<LogListing>> list_from_hint(std::optional<Version> version);
  io::Task<Result<SnapshotPtr>> read_newest_checkpoint(const LogListing& listing, Version target);
  io::Task<Result<SnapshotPtr>> read_one_checkpoint(LogListing::Checkpoint checkpoint);
  struct CheckpointFiles {
    std::vector<std::string> sidecars;  // that they name
    int64_t bytes = 0;
  };
  io::Task<Result<CheckpointFiles>> read_checkpoint_files(std::span<const std::string> keys,
                                                          bool is_json, SnapshotPtr into);
  io::Task<Status> check_checksum(const Snapshot& snapshot, const LogListing& listing);
  io::Task<Status> apply_commits(SnapshotPtr snapshot, LogListing listing, Version last);
  io::Task<bool> apply_compaction(SnapshotPtr snapshot, Version last);
  struct Portion;
  io::Task<Status> apply_range(SnapshotPtr snapshot, Version first, Version end);
  std::vector<Portion> next_portions(Version first, Version end) const;
  io::Task<> read_portion(Portion& portion);
  Status decode(Portion& portion, std::span<const Result<std::string>> fetched) const;
  io::Task<> apply_portions(Snapshot& snapshot, std::vector<Portion>& portions, Status& applied);
  Status apply_now(Snapshot& snapshot, std::vector<Portion>& portions) const;
  std::string name_of(Version version) const { return location_.commit_key(version); }

  const Services& services_;
  Location location_;
};

}  // namespace pinpipe::lake
