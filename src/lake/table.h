// A Delta table that we own together with whoever else writes it: other tasks of this process,
// other processes, Spark, delta-rs.
//
// A write is: Parquet files under new names (invisible), then one commit file put under the next
// version's name if nobody else has taken it. Who loses that race reads what the winners did and
// goes on only if the outcome is the same as if they had been first. Promise: a version is there
// entirely or not at all, and durable when write() answered ok. When it answered `conflict`,
// nothing of it is there and the caller must look at the table again. Any other error says whether
// the outcome is unknown; a retry with the same txn versions is then safe. Bounds:
// commit_attempts_max lost races, then `busy`.
//
// Thread-safe: one mutex, held for the exchange of a pointer. All calls are on a loop; what blocks
// runs on the pools.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lake/checkpoint.h"
#include "lake/conflict.h"
#include "lake/encode.h"
#include "lake/log_reader.h"

namespace pinpipe::lake {

enum class WriteMode : uint8_t {
  append,
  overwrite,  // the new rows replace all that were there
};

enum class SchemaChange : uint8_t {
  none,
  add_columns,  // new columns are added, nullable
  replace,      // an overwrite may bring any schema
};

// Where a pipeline is: lives in the same commit as the files. `version` must rise.
struct TxnUpdate {
  std::string app_id;
  int64_t version = 0;
  // When given, the stored version must be this one (-1: none yet): compare and set.
  std::optional<int64_t> expected = {};
};

struct CommitFacts {
  std::string operation;                          // empty: "WRITE", or "STREAMING UPDATE" with txns
  std::map<std::string, std::string> parameters;  // added to ours
  std::map<std::string, std::string> metrics;     // added to ours
  std::vector<TxnUpdate> txns;
  std::vector<SourcePosition> positions;
  std::string project_sql_sha256;
  std::string user_metadata;
  SchemaChange schema_change = SchemaChange::none;
  bool keeps_log = true;  // false: somebody calls keep_log() now and then, and commits are quick
};

struct TableOptions {
  std::string name;
  std::string description;
  std::map<std::string, std::string> properties;
  // For tables whose columns have names that others gave them. Every reader of today takes blanks;
  // older Sparks do not write such a table.
  bool blanks_in_names = false;
};

class Table {
 public:
  static constexpr int commit_attempts_max = 64;
  static constexpr int64_t snapshot_age_max_ms = 3'600'000;
  static constexpr int64_t log_cleaning_interval_ms = 86'400'000;

  // Version 0, without rows. Error `conflict` when there is a table.
  static io::Task<Result<std::unique_ptr<Table>>> create(const Services& services,
                                                         Location location, Schema schema,
                                                         TableOptions options = {});
  static io::Task<Result<std::unique_ptr<Table>>> open(const Services& services, Location location);
  static io::Task<Result<std::unique_ptr<Table>>> open_or_create(const Services& services,
                                                                 Location location, Schema schema,
                                                                 TableOptions options = {});

  const Location& location() const { return location_; }
  const Services& services() const { return services_; }

  // As it was when last looked at; costs nothing.
  std::shared_ptr<const Snapshot> snapshot() const;
  // As it is now: reads the commits that came since.
  io::Task<Result<std::shared_ptr<const Snapshot>>> refresh();
  // As it was.
  io::Task<Result<std::shared_ptr<const Snapshot>>> at_version(Version version);
  // The last version that was committed at or before that moment.
  io::Task<Result<std::shared_ptr<const Snapshot>>> at_time(int64_t wall_ms);

  // Commits `data` as the next version. Data without rows still commits its txns (append), or
  // empties the table (overwrite). The temporary files are gone afterwards, whatever happened.
  io::Task<Result<Version>> write(WriteMode mode, Encoded data, CommitFacts facts);

  // Commits a plan that was made from `base`. For the verbs of maintenance.h.
  io::Task<Result<Version>> commit(CommitPlan plan, std::shared_ptr<const Snapshot> base);

  // Commits `data` in place of files of `base`: the same rows, written otherwise.
  io::Task<Result<Version>> replace_files(CommitInfo info, std::vector<DataFile> data,
                                          std::vector<FilePtr> replaced,
                                          std::shared_ptr<const Snapshot> base);

  // Writes a classic checkpoint of the newest version now. write() does it by itself when due.
  io::Task<Result<Version>> checkpoint();

  // Writes a checkpoint when one is due, and removes old commits once a day. That it could not is
  // in the program's log: the next call tries again.
  io::Task<> keep_log();

 private:
  Table(const Services& services, Location location, std::shared_ptr<const Snapshot> snapshot);

  struct Attempt {
    std::shared_ptr<const Snapshot> base;
    bool is_done = false;
  };

  io::Task<Result<std::vector<AddFile>>> adopt_files(std::vector<DataFile> files);
  io::Task<> drop_files(std::vector<AddFile> adds);
  io::Task<Result<Version>> write_files(WriteMode mode, Encoded data, CommitFacts facts);
  io::Task<Result<Attempt>> try_commit(const CommitPlan& plan,
                                       std::shared_ptr<const Snapshot> base);
  io::Task<Result<Attempt>> follow_winners(const CommitPlan& plan,
                                           std::shared_ptr<const Snapshot> base);
  io::Task<Result<std::shared_ptr<const Snapshot>>> fresh_snapshot();
  void note_checkpoint(const LastCheckpoint& written);
  void publish(std::shared_ptr<const Snapshot> snapshot);
  bool is_checkpoint_due() const;

  const Services& services_;
  Location location_;
  LogReader reader_;

  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_;
  int64_t refreshed_ns_ = 0;
  bool is_checkpointing_ = false;
  std::optional<int64_t> log_cleaned_ns_;
};

}  // namespace pinpipe::lake
