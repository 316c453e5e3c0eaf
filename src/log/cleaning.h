// One run of compaction over a partition: plan on the committer, read and write on the disk pool,
// install on the committer, group of segments by group.
//
//   plan ─► step: keys into the map, first group written to <stem>.log.tmp ─► install ─► step …
//
// A group of neighbouring closed segments becomes one file named <base>-<generation>.log: synced,
// renamed, then named by the checkpoint in place of the old ones, which go last. So a crash at any
// point leaves either all old files or the new one in force, and the next start removes the rest.
// Bounds: one map of map_bytes_max, one batch and a write buffer in memory; one step at a time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "log/offset_map.h"
#include "log/partition_log.h"

namespace pinpipe::log {

class LogCleaning : public std::enable_shared_from_this<LogCleaning> {
 public:
  explicit LogCleaning(PartitionLog& log) : log_(log) {}

  io::OneShot<Result<Cleaned>>& answer() { return answer_; }

  // Both run on the committer.
  void plan();
  void install();

 private:
  using SegmentPointer = PartitionLog::SegmentPointer;
  using Group = std::vector<SegmentPointer>;

  // The new file of a group.
  struct Output {
    SegmentPointer segment;
    std::unique_ptr<io::File> file;
    SegmentIndex index;
    std::string buffer;
    std::optional<BatchHeader> unwritten;  // the last batch, when nothing of it was kept
    uint64_t records_dropped = 0;
    bool differs = false;
  };

  bool is_due(int64_t now_ms) const;
  void start_step();
  void step();  // on the pool
  Status fill_map();
  Result<bool> note_keys(const BatchHeader& header, std::string_view batch);
  void form_groups();
  Status write_group(const Group& group);
  Status write_batch(Output& output, const BatchHeader& header, std::string_view batch);
  Status add(Output& output, std::string_view batch);
  Status flush(Output& output);
  Status swap(const Group& group);
  void finish(Result<Cleaned> result);
  bool is_stopped() const;
  std::string temporary_path() const { return output_.segment->path + ".tmp"; }

  PartitionLog& log_;
  io::OneShot<Result<Cleaned>> answer_;
  std::shared_ptr<const LogOptions> options_;
  std::vector<SegmentPointer> sources_;
  std::map<int64_t, Offset> last_batches_;  // of each producer
  Offset cleaned_until_ = 0;
  std::optional<OffsetMap> map_;
  Offset map_end_ = 0;  // keys before it are in the map
  std::vector<Group> groups_;
  size_t next_group_ = 0;
  Output output_;
  Status outcome_;
  Cleaned cleaned_;
};

}  // namespace pinpipe::log
