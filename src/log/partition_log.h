// One partition on disk: append at the end, read from any offset, forget the old end.
//
//   append ─► pending ─► committer (one at a time, on the disk pool) ─► one write, one sync ─►
//   readers
//
// Promise: with Sync::always what append() answered survives a power cut; with `interval` and `os`
// it survives kill -9. Offsets are dense. Nobody reads what is not committed. A failed write fails
// its group alone; a failed sync poisons the partition until the next start: then nothing is
// appended. Compaction leaves gaps between offsets, never moves one. Thread-safe; one mutex, held
// for a few instructions. Bounds: pending_bytes_max waiting or being written (beyond it: busy); a
// segment never exceeds segment_bytes plus one batch; producers_max producers remembered.
#pragma once

#include <atomic>
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/files.h"
#include "io/pool.h"
#include "io/wake.h"
#include "log/batch.h"
#include "log/checkpoint.h"
#include "log/open_files.h"
#include "log/segment_index.h"

namespace pinpipe::log {

class LogCleaning;

enum class Sync { always, interval, os };

// When clean() finds something to do, and how: Kafka's rules.
struct Compaction {
  double dirty_ratio_min = 0.5;                      // of the closed segments' bytes
  int64_t lag_min_ms = 0;                            // younger records stay as they are
  int64_t lag_max_ms = INT64_MAX;                    // older ones are cleaned whatever the ratio
  int64_t delete_retention_ms = 24LL * 3600 * 1000;  // how long tombstones stay
  size_t map_bytes_max = 32 << 20;  // of keys in memory; more keys take more passes
};

struct Cleaned {
  uint64_t bytes_before = 0;  // of the segments that were written anew
  uint64_t bytes_after = 0;
  uint64_t records_dropped = 0;
};

struct LogOptions {
  uint64_t segment_bytes = 1ULL << 30;
  int64_t segment_ms = 7LL * 24 * 3600 * 1000;
  uint64_t index_interval_bytes = 4096;
  Sync sync = Sync::always;
  bool append_time = false;  // message.timestamp.type=LogAppendTime
  size_t pending_bytes_max = 64 << 20;
  uint64_t checkpoint_bytes = 64ULL << 20;  // this much at most is read again after a crash
  int64_t producer_expiry_ms = 24LL * 3600 * 1000;
  Compaction compaction = {};
};

// What the log lives in; the same for all partitions. The references outlive them.
struct LogHouse {
  io::Files& files;
  std::shared_ptr<OpenFiles>
      open_files;  // a partition may outlive its broker while work of its pool ends
  io::Pool& disk;
  const Clock& clock;
};

struct Appended {
  Offset base = 0;
  int64_t append_time_ms = -1;  // with append_time: what the records got; loose ones: their arrival
  Offset log_start = 0;
  bool duplicate = false;  // it was there already: nothing was written
};

// A producer's checked batch and whoever owns its bytes. The log fills in offset and epoch in
// place.
struct WholeBatch {
  std::shared_ptr<void> owner;
  std::span<char> bytes;
  BatchHeader header;
};

struct Range {
  Offset start = 0;
  Offset high_watermark = 0;
};

// A part of a segment's file, to be sent from there.
struct FileRange {
  std::shared_ptr<io::File> file;
  uint64_t offset = 0;
  uint64_t count = 0;
};

struct Slice {
  std::string buffer;
  size_t from = 0;
  FileRange stored = {};  // instead of a buffer; only read_warm() gives one
  std::string_view bytes() const { return std::string_view(buffer).substr(from); }
  size_t size_bytes() const { return buffer.size() - from + stored.count; }
};

struct TimedOffset {
  Offset offset = 0;
  int64_t timestamp_ms = 0;
};

struct Recovery {
  bool clean = true;
  uint64_t scanned_bytes = 0;
  uint64_t cut_bytes = 0;
  size_t dropped_segments = 0;
  std::string reason;  // why bytes were cut
};

class PartitionLog : public std::enable_shared_from_this<PartitionLog> {
 public:
  using Answer = Accepted<Appended>;

  // Opens or creates the partition in `directory`, recovering what a crash left. Without
  // `sync_found` the caller makes durable what recovery() says was scanned, of many partitions at
  // once, before anybody reads. Blocks.
  static Result<std::shared_ptr<PartitionLog>> open(std::string directory, LogOptions options,
                                                    LogHouse house, bool sync_found = true);
  ~PartitionLog();

  // Completes when the batch is committed. Dropping the answer does not undo the append.
  io::OneShot<Answer> append(WholeBatch batch);
  // Stored next to each other with those of others, in one batch. At least one record.
  io::OneShot<Answer> append(std::span<const LooseRecord> records);

  // Whole batches from the one that holds `from`, of about bytes_max bytes but at least one; empty
  // at the end. `invalid` outside the range. Blocks on a cold read.
  Result<Slice> read(Offset from, size_t bytes_max);
  // The same without blocking: nothing when some of it is not in memory. With `may_send` a large
  // part comes as a place in the file, if this process has written it itself: what came from a
  // device is given only after its CRC was looked at.
  Result<std::optional<Slice>> read_warm(Offset from, size_t bytes_max, bool may_send);
  Range range() const;
  // The first record at or after the time; nothing when all are older. Blocks.
  Result<std::optional<TimedOffset>> offset_at(int64_t timestamp_ms);
  // The record with the largest time. Blocks.
  Result<std::optional<TimedOffset>> newest();

  // Goes up with every commit and when the log closes.
  io::Signal& grown() { return grown_; }

  // Everything before `offset` is no longer readable and its segments go. `invalid` beyond the end.
  io::OneShot<Status> trim(Offset offset);
  // Removes closed segments that are older or beyond the bytes; −1: no such bound.
  io::OneShot<Status> retain(int64_t retention_ms, int64_t retention_bytes);
  // Compaction: writes closed segments anew without records that a later one of the same key has
  // replaced, if enough of them is dirty. Done when the new segments are in place; `busy` while
  // another is under way.
  io::OneShot<Result<Cleaned>> clean();
  // Whether there are closed segments that no cleaning has looked at.
  bool has_dirty_segments() const;
  // Makes durable what interval and os left open.
  io::OneShot<Status> flush();
  // Commits what is pending, syncs, writes the clean marker. Then only reads answer.
  io::OneShot<Status> close();
  // Refuses what is pending and completes when nothing touches the files any more: the topic is
  // deleted.
  io::OneShot<Status> abandon();

  void set_options(LogOptions options);
  bool has_unsynced() const { return unsynced_.load(std::memory_order_relaxed); }
  int32_t leader_epoch() const { return epochs_.back().epoch; }
  // The largest epoch not above `epoch`, and the offset where the next one begins (or the end).
  EpochStart end_of_epoch(int32_t epoch) const;
  uint64_t size_bytes() const;
  bool is_poisoned() const;
  bool is_closed() const;
  const Recovery& recovery() const { return recovery_; }
  const std::string& directory() const { return directory_; }

 private:
  friend class LogOpening;
  friend class LogCleaning;

  struct Segment {
    Offset base = 0;
    Offset end = 0;  // behind the last record
    uint64_t size_bytes = 0;
    int64_t max_timestamp_ms = -1;
    uint64_t written_from = 0;  // this process wrote the bytes behind it
    int64_t generation = 0;     // how often it was cleaned
    std::string stem;           // path without ".log"
    std::string path;           // the file of its batches

    void set_stem(std::string named) {
      stem = std::move(named);
      path = stem + ".log";
    }
  };
  using SegmentPointer = std::shared_ptr<Segment>;

  struct Waiter {
    io::OneShot<Answer> answer;
    int32_t first_delta = 0;
    int64_t arrival_ms = -1;
  };
  struct Entry {
    WholeBatch whole;
    std::optional<BatchBuilder> loose;  // instead of whole
    boost::container::small_vector<Waiter, 1> waiters;
    size_t charged_bytes = 0;
  };
  struct Control {
    enum class Kind { trim, retain, flush, plan_cleaning, install, close, abandon } kind;
    int64_t first = 0;
    int64_t second = 0;
    io::OneShot<Status> answer;

    bool ends() const { return kind == Kind::close || kind == Kind::abandon; }
  };
  struct Group;
  struct KeptIndex {
    SegmentPointer segment;
    std::shared_ptr<const SegmentIndex> index;
  };
  static constexpr size_t kept_indexes_max = 4;

  PartitionLog(std::string directory, LogOptions options, LogHouse house);

  static std::string stem_of(const std::string& directory, Offset base, int64_t generation);

  // Called with the mutex held / not held.
  std::optional<Refusal> refusal_locked(size_t bytes) const;
  void start_committer();
  io::OneShot<Status> request(Control control);

  // The committer's side; only one runs at a time.
  void commit_round();
  void commit_all(std::span<Entry> entries);
  Status make_room(size_t next_bytes, const LogOptions& options);
  // As many of the first entries as one segment takes.
  size_t stage(Group& group, std::span<Entry> entries, const LogOptions& options);
  void stage_one(Group& group, Entry& entry, const LogOptions& options);
  Status write(Group& group, const LogOptions& options);
  void undo(Group& group, const Refusal& refusal);
  void publish(Group& group);
  void refuse(std::span<Entry> entries, const Refusal& refusal);
  Status mark_dirty();
  Status roll();
  void write_index_files(const Segment& segment, const SegmentIndex& index);
  Status write_checkpoint(bool clean);
  Status sync_active();
  Status advance_checkpoint(bool clean);
  Status poison(const Error& error);
  Status run_control(const Control& control);
  bool postpone(const Control& control);
  Status trim_now(Offset offset);
  Status retain_now(int64_t retention_ms, int64_t retention_bytes);
  Status drop_segments(size_t count);
  void remove_files(const std::vector<SegmentPointer>& segments);
  int64_t stamp_ms();
  Status close_now();

  // The readers' side.
  SegmentPointer segment_of_locked(Offset offset) const;
  bool has(const SegmentPointer& segment) const;
  std::shared_ptr<const LogOptions> options() const;
  Result<std::shared_ptr<io::File>> file_of(const Segment& segment,
                                            io::OpenMode mode = io::OpenMode::write);
  Result<std::shared_ptr<const SegmentIndex>> index_of(const SegmentPointer& segment);
  // Where in a segment to read.
  struct Place {
    uint64_t position = 0;  // at or before the batch that holds `from`
    uint64_t until = 0;
    Offset from = 0;
    size_t bytes_max = 0;
  };
  Result<Slice> read_from(const Segment& segment, const Place& place);
  // Reads `count` bytes at `position` into the buffer, replacing what was there; false: not warm.
  using Fill = std::function<Result<bool>(std::string& buffer, uint64_t position, size_t count)>;
  static Result<std::optional<Slice>> collect(const Place& place, const Fill& fill);
  static Result<std::optional<Slice>> send_from(const std::shared_ptr<io::File>& file,
                                                const Place& place, uint64_t boundary,
                                                uint64_t written_from);
  Result<std::optional<TimedOffset>> search(const SegmentPointer& segment, uint64_t until,
                                            int64_t timestamp_ms);
  struct Candidate {
    SegmentPointer segment;
    uint64_t until = 0;
  };
  std::vector<Candidate> candidates(int64_t timestamp_ms) const;
  Result<SegmentIndex> load_index(const Segment& segment, uint64_t size_bytes);

  const std::string directory_;
  LogHouse house_;
  Recovery recovery_;
  std::vector<EpochStart> epochs_;  // fixed after opening
  io::Signal grown_;
  std::atomic<bool> unsynced_{false};

  mutable std::mutex mutex_;
  std::shared_ptr<const LogOptions> options_;
  std::vector<Entry> pending_;
  std::vector<Control> controls_;
  std::vector<Control> ends_;  // close and abandon, until a cleaning under way has stopped
  std::shared_ptr<LogCleaning> cleaning_;
  Offset cleaned_until_ = 0;
  size_t pending_bytes_ = 0;
  bool committing_ = false;
  bool closed_ = false;
  bool abandoned_ = false;
  std::optional<std::string> poisoned_;
  int64_t last_arrival_ms_ = 0;
  Offset start_ = 0;
  Offset high_watermark_ = 0;
  std::vector<SegmentPointer> segments_;      // by base; the last is the active one
  std::optional<SegmentIndex> active_index_;  // nothing until the first append after opening
  std::vector<KeptIndex> kept_indexes_;       // of closed segments that were read lately

  // The committer's alone.
  std::vector<Entry> entries_;  // of the round under way
  Offset next_offset_ = 0;
  int64_t stamped_ms_ = 0;  // the last append time that was given
  Producers producers_;
  bool marked_dirty_ = false;
  bool unclosed_ = false;  // a clean checkpoint would say more than the index files know
  int64_t active_since_ms_ = 0;
  uint64_t checkpointed_bytes_ = 0;  // in the active segment: durable and indexed up to here
  Offset checkpointed_offset_ = 0;
};

}  // namespace pinpipe::log
