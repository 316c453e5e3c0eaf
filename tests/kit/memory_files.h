// A disk in memory that can lose power, tear writes, run full and fail, from a seed. Thread-safe.
// power_cut() keeps what was synced. Of what was not, each write survives whole, torn at a sector
// or not at all, and of each directory's unsynced changes a prefix survives.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "io/files.h"

namespace pinpipe::kit {

class MemoryFiles final : public io::Files {
 public:
  explicit MemoryFiles(uint64_t seed = 1) : random_(seed) {}

  void power_cut();
  // The power goes with the operation after so many more that change or sync something; from then
  // on everything fails, also through what was open, until power_on().
  void cut_power_after(uint64_t operations);
  void power_off();  // now, unless it is off
  bool has_power() const;
  void power_on();
  uint64_t operations() const;  // that changed or synced something

  // From now on at most this many bytes fit; a write beyond is done in part and fails with ENOSPC.
  void set_capacity(std::optional<uint64_t> bytes);
  void fail_next_sync();          // with EIO, and what was written since is lost
  void fail_reads(bool failing);  // with EIO
  void flip_bit(const std::string& path, uint64_t byte);
  void append_garbage(const std::string& path, std::string_view bytes);
  uint64_t syncs() const;
  // Syncs answer ok and do nothing, for files whose path ends so: what a forgotten fsync looks
  // like.
  void ignore_syncs_of(std::string suffix);
  // Likewise of files and directories whose path has this in it.
  void ignore_syncs_within(std::string part);

  Result<std::unique_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override;
  Result<io::FileFacts> facts(const std::string& path) override;
  Result<std::vector<io::DirEntry>> list(const std::string& directory) override;
  Status make_directories(const std::string& directory) override;
  Status remove(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status link(const std::string& from, const std::string& to) override;
  Status sync_directory(const std::string& directory) override;
  Result<uint64_t> free_bytes(const std::string& directory) override;

 private:
  friend class MemoryFile;

  struct Change {  // of one file's bytes, since its last sync
    uint64_t offset = 0;
    std::string bytes;
    std::optional<uint64_t> truncated_to;
  };
  struct Inode {
    bool is_directory = false;
    std::string bytes;
    std::string durable;
    std::vector<Change> changes;
    uint64_t number = 0;
  };
  using Node = std::shared_ptr<Inode>;
  using Names = std::map<std::string, Node>;
  struct NameChange {
    std::string path;
    Node node;    // nothing: removed
    Names below;  // of a removed directory: what it still has on the disk, which goes with it
    void apply(Names& names) const;
  };

  Node find(const std::string& path) const;
  Node make(const std::string& path, bool is_directory);
  void change_name(const std::string& path, Node node);
  uint64_t used_bytes() const;
  Status write(const std::string& path, Inode& node, std::string_view bytes, uint64_t offset);
  Status sync(const std::string& path, Inode& node);
  void lose_unsynced(Inode& node);
  void cut_now();
  // Not ok without power. `what` the caller is about to do, to `path`.
  Status take(std::string_view what, const std::string& path);
  Status look(std::string_view what, const std::string& path) const;
  bool forgets_syncs_of(const std::string& path) const;

  mutable std::mutex mutex_;
  Random random_;
  uint64_t generation_ = 0;
  uint64_t next_number_ = 1;
  uint64_t syncs_ = 0;
  std::optional<uint64_t> capacity_;
  bool failing_sync_ = false;
  bool failing_reads_ = false;
  std::set<std::string> ignored_suffixes_;
  std::set<std::string> ignored_parts_;
  bool powered_ = true;
  uint64_t operations_ = 0;
  uint64_t operations_left_ = UINT64_MAX;
  Names names_;
  Names durable_names_;
  std::map<std::string, std::vector<NameChange>> name_changes_;  // by directory, in order
};

}  // namespace pinpipe::kit
