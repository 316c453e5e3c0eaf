// Buckets as directories of plain files that a person can read, with what a file cannot say
// (content type, user metadata, checksums) in small text files beside them. Files dropped in by
// hand are objects; nothing else knows the buckets' content, so nothing can disagree with it.
//   <root>/<bucket>/<key>                          the object
//   <root>/<bucket>/.pinpipe/attributes/<key>      its attributes, where they are not the default
//   <root>/<bucket>/.pinpipe/odd/<encoded key>     objects whose keys are no paths (key_path.h)
//   <root>/.pinpipe/journal/<number>.journal       what is promised but not synced as files yet
//   <root>/.pinpipe/tmp/                           files on their way; wiped at start
// Promise: every change passes one queue; a group of changes is journaled with one sync, then done
// to the files, then acknowledged: what is visible is durable, in the order of the queue.
// Conditions are decided in that order too. Start replays the journal. A failed journal write ends
// all writing until restart.
// The bytes of a small object are in the journal. A large one is a file among the temporaries whose
// name is in the journal: that file, its name and the journal are synced at the same time, and the
// name stays until the object's own name is durable, which a checkpoint sees to.
// Bounds: queued_bytes_max and queued_operations_max waiting, then `busy`;
// Journal::segment_bytes_max times segments_waiting_max of journal; kept_bytes_max of objects that
// were removed or replaced meanwhile (and one that is larger), until the next checkpoint.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/wake.h"
#include "objects/facts_cache.h"
#include "objects/journal.h"
#include "objects/local_store.h"

namespace pinpipe::objects {

class BucketStore final : public LocalStore {
 public:
  static constexpr size_t queued_bytes_max = 64 << 20;
  static constexpr size_t queued_operations_max = 16'384;
  static constexpr size_t segments_waiting_max = 4;
  // So many files and directories are synced one by one; beyond it, all that the disk holds at
  // once.
  static constexpr size_t touched_max = 256;
  // A larger object is written and synced as a file of its own; only its name is journaled.
  static constexpr size_t journaled_object_bytes_max = 256 * 1024;
  // A larger one is synced before its record, so that others do not wait for it in one group, and
  // a start does not read it to see whether it is whole.
  static constexpr uint64_t checked_object_bytes_max = 8 << 20;
  // So much and so many in adopted files that keep their temporary names, then a checkpoint.
  static constexpr uint64_t kept_bytes_max = 128 << 20;
  static constexpr size_t kept_max = 1'024;

  // Blocks: replays what a crash left. The pool must outlive the store.
  static Result<std::unique_ptr<BucketStore>> open(LocalOptions options, io::Pool& disk);
  // Blocks until all that is queued is done. Nobody may be waiting for an operation.
  ~BucketStore() override;

  io::Task<Status> create_bucket(std::string name) override;
  io::Task<Status> remove_bucket(std::string name) override;
  io::Task<Result<ObjectFacts>> put(std::string bucket, std::string key, std::string bytes,
                                    Attributes attributes, Condition condition) override;
  io::Task<Result<ObjectFacts>> adopt(std::string bucket, std::string temporary_path,
                                      std::string key, Attributes attributes, Condition condition,
                                      std::string etag) override;
  io::Task<Status> remove(std::string bucket, std::string key, Condition condition = {}) override;

 private:
  struct Operation {
    enum class Kind { put, adopt, remove, create_bucket, remove_bucket };
    Kind kind = Kind::put;
    std::string bucket;
    std::string key;
    std::string bytes;
    std::string temporary;
    std::string etag;
    uint64_t size = 0;               // adopt
    std::unique_ptr<io::File> file;  // adopt: still to be synced, and checked at a replay
    Status synced;                   // adopt
    Attributes attributes;
    Condition condition;
    io::OneShot<Result<ObjectFacts>> done;

    size_t weight() const { return bytes.size() + key.size() + 256; }
    // Whether its outcome depends on what is there at its turn.
    bool looks() const;
  };
  using Group = std::vector<std::unique_ptr<Operation>>;

  BucketStore(LocalOptions options, io::Pool& disk);
  Status recover();
  Status replay(const JournalRecord& record);

  Result<ObjectFacts> facts_of(std::string_view bucket, std::string_view key,
                               const BucketTree::Found& found) override;
  BucketFacts bucket_facts_of(std::string_view name, const io::FileFacts& facts) override;
  Status check_name(std::string_view bucket) const override;

  io::Task<Result<ObjectFacts>> submit(std::unique_ptr<Operation> operation);
  Status enqueue(std::unique_ptr<Operation> operation);
  void commit_all();  // runs on the disk pool while there is something queued
  Group take_group();
  void commit(Group group);
  // An answer when the operation ends here, without a change.
  std::optional<Result<ObjectFacts>> refuse(const Operation& operation);
  Status check_condition(const Operation& operation);
  static void encode(const Operation& operation, std::string& records);
  // The records, the files that they name and those files' names. Not ok when the journal failed.
  Status make_durable(Group& admitted, const std::string& records);
  void finish(Group admitted, io::Wakes& wakes);
  Result<ObjectFacts> apply(Operation& operation);
  bool has_bytes_of(const std::string& path, std::string_view etag);
  bool can_be_done(const JournalRecord& record);
  Result<std::string> write_unsynced(std::string_view bytes);
  Result<ObjectFacts> place(Operation& operation, const std::string& temporary);
  Status exchange_attributes(const ObjectFacts& facts, const std::string& bucket,
                             const BucketTree::Place& place);
  void clear_way(const std::string& area, const std::string& path);
  Result<ObjectFacts> remove_now(const Operation& operation);
  Result<ObjectFacts> create_bucket_now(const std::string& name);
  Result<ObjectFacts> remove_bucket_now(const std::string& name);
  void turn_segment();
  // What the operations of some journal segments did to the disk, and the segments.
  struct Done {
    std::vector<std::string> segments;
    std::set<std::string> touched;  // files and directories that are still to be synced
    std::vector<std::string> kept;  // temporary names of adopted files
    uint64_t kept_bytes = 0;

    void add(Done other);
  };
  void note_touched(std::string path, const std::string& bucket);
  void checkpoint(const Done& done);
  Status sync_touched(const std::set<std::string>& touched);
  static Result<std::string> md5_of_file(io::File& file);
  Result<std::string> etag_of_file(const std::string& path, const io::FileFacts& facts);
  std::string attributes_path(std::string_view bucket, std::string_view relative) const;

  Journal journal_;
  FactsCache facts_cache_;
  bool poisoned_ = false;  // by the committing thread only
  Done done_;              // likewise; since the last closed segment

  std::mutex mutex_;
  std::condition_variable idle_;
  std::deque<std::unique_ptr<Operation>> queue_;
  size_t queued_bytes_ = 0;
  bool committing_ = false;
  bool checkpointing_ = false;
  Done closed_;  // waiting for a checkpoint
};

}  // namespace pinpipe::objects
