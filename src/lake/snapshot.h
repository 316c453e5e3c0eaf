// A table at one version: what the log says when its actions are replayed up to there.
// A snapshot that is shared is never changed; LogReader applies further commits to a copy of it.
// Promise: check_readable() names the feature that we do not understand, and a table whose rows
// would come out wrong is refused rather than read.
// Bounds: everything is in memory, some 500 bytes for a live file with statistics, 250 for one
// that was removed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "lake/action.h"
#include "lake/schema.h"
#include "lake/tombstones.h"

namespace pinpipe::lake {

using FilePtr = std::shared_ptr<const AddFile>;

struct FilePtrHash {
  using is_transparent = void;
  size_t operator()(const FileKey& key) const { return FileKeyHash()(key); }
  size_t operator()(const FilePtr& file) const {
    return FileKeyHash()({file->path, file->deletion_vector_id});
  }
};

struct FilePtrEqual {
  using is_transparent = void;
  static FileKey key(const FilePtr& file) { return {file->path, file->deletion_vector_id}; }
  static FileKey key(const FileKey& key) { return key; }
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return key(a) == key(b);
  }
};

using FileSet = std::unordered_set<FilePtr, FilePtrHash, FilePtrEqual>;

class Snapshot {
 public:
  Version version() const { return version_; }
  const Protocol& protocol() const { return protocol_; }
  const Metadata& metadata() const { return metadata_; }
  const Schema& schema() const { return schema_; }

  // The live files, in no order.
  const FileSet& files() const { return files_; }
  bool has_file(std::string_view path) const { return files_.contains(FileKey{path, {}}); }
  // Files that former versions had; kept until their retention has passed.
  const Tombstones& tombstones() const { return *tombstones_; }
  const std::map<std::string, Txn, std::less<>>& txns() const { return txns_; }
  std::optional<int64_t> txn_version(std::string_view app_id) const;

  int64_t bytes() const { return bytes_; }
  // The sum of the files' numRecords without deleted rows; nothing when a file has no statistics.
  std::optional<int64_t> rows() const;
  // A table property, or what it is by default.
  std::string_view property(std::string_view name, std::string_view otherwise) const;

  // What the log holds behind the checkpoint that this was read from.
  Version checkpoint_version() const { return checkpoint_version_; }  // -1: none
  int64_t checkpoint_bytes() const { return checkpoint_bytes_; }
  int64_t commits_since_checkpoint() const { return version_ - checkpoint_version_; }
  int64_t bytes_since_checkpoint() const { return bytes_since_checkpoint_; }

  // Error `invalid`: a feature of the table that readers (writers) must understand and we do not.
  Status check_readable() const;
  Status check_writable() const;
  // Error `invalid`: the files alone do not tell the rows, only scan() does.
  Status check_plain() const;

  // The next commit. Error `corrupt` when it is none.
  Status apply_commit(Version version, Actions actions, size_t log_bytes);
  // The reconciled actions of all commits up to `last`, from the next one on.
  Status apply_compacted(Version last, Actions actions, size_t log_bytes);
  // Rows of the checkpoint of `version`, in any number of portions.
  Status apply_checkpoint_rows(Actions actions);
  void begin_checkpoint(Version version) { version_ = version; }
  // After reading, or after this version has been written, as a checkpoint of that size.
  void set_checkpoint(Version version, int64_t bytes);
  // Files removed up to then are of no use to anybody: vacuum may have deleted them.
  void forget_tombstones(int64_t until_ms);

 private:
  Status apply_tables_own(Actions& actions);
  void add(AddFile add);
  void drop(const RemoveFile& remove);
  Tombstones& own_tombstones();

  Version version_ = -1;
  Protocol protocol_{.min_reader_version = 0,
                     .min_writer_version = 0,
                     .reader_features = {},
                     .writer_features = {}};
  Metadata metadata_;
  Schema schema_;
  FileSet files_;
  // Shared with the snapshots before this one until a commit removes files: a table that is
  // appended to ten times a second and compacted now and then has many, and copies them seldom.
  std::shared_ptr<Tombstones> tombstones_ = std::make_shared<Tombstones>();
  std::map<std::string, Txn, std::less<>> txns_;
  int64_t bytes_ = 0;
  Version checkpoint_version_ = -1;
  int64_t checkpoint_bytes_ = 0;
  int64_t bytes_since_checkpoint_ = 0;
};

// numRecords of an add.stats text.
std::optional<int64_t> rows_of_stats(std::string_view stats);

}  // namespace pinpipe::lake
