// Files, as an interface: the disk itself (posix_files) or a test's memory that can tear, run full
// and lose what was not synced. All calls block: use them on the disk pool.
// Promise: what `sync` returned ok for survives a power cut; a new, renamed or linked name survives
// one only after sync_dir() of its directory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pinpipe::io {

class File {
 public:
  virtual ~File() = default;

  // As many bytes as are there, up to into.size(); fewer only at the end of the file.
  virtual Result<size_t> read_at(std::span<char> into, uint64_t offset) = 0;
  // The same without waiting for a device: nothing when some of it is not in memory. Does not
  // block, so loops may call it.
  virtual Result<std::optional<size_t>> read_warm(std::span<char> into, uint64_t offset) {
    auto got = read_at(into, offset);
    if (!got) return got.error();
    return std::optional<size_t>(*got);
  }
  // All of the pieces, one after the other, or an error (then the file may hold a part of them).
  virtual Status write_at(std::span<const std::string_view> pieces, uint64_t offset) = 0;
  virtual Status sync() = 0;  // content and length
  virtual Status truncate(uint64_t size) = 0;
  virtual Result<uint64_t> size() = 0;
  // A descriptor for sendfile, or -1 when there is none. Valid while this object lives.
  virtual int descriptor() const { return -1; }

  Status write_at(std::string_view bytes, uint64_t offset) {
    return write_at(std::span(&bytes, 1), offset);
  }
};

enum class OpenMode {
  read,        // must exist
  write,       // read and write, must exist
  create,      // read and write, made when absent
  create_new,  // read and write, `conflict` when present
};

struct DirEntry {
  std::string name;
  bool is_directory = false;
};

struct FileFacts {
  uint64_t size = 0;
  int64_t modified_ms = 0;
  bool is_directory = false;
  uint64_t inode = 0;
};

class Files {
 public:
  virtual ~Files() = default;

  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<FileFacts> facts(const std::string& path) = 0;
  // Names in byte order, without "." and "..".
  virtual Result<std::vector<DirEntry>> list(const std::string& directory) = 0;
  virtual Status make_directories(const std::string& directory) = 0;
  virtual Status remove(const std::string& path) = 0;  // a file or an empty directory
  virtual Status rename(const std::string& from, const std::string& to) = 0;  // replaces `to`
  virtual Status link(const std::string& from,
                      const std::string& to) = 0;  // conflict when `to` is there
  virtual Status sync_directory(const std::string& directory) = 0;
  // All files and names in and below `directory`. Here one by one; a disk may have a way to sync
  // all that it holds at once.
  virtual Status sync_tree(const std::string& directory);
  virtual Result<uint64_t> free_bytes(const std::string& directory) = 0;

  // Composed of the above.
  Result<std::string> read_all(const std::string& path, uint64_t bytes_max = 1ULL << 30);
  bool exists(const std::string& path) { return facts(path).has_value(); }
  // `path` holds the old bytes or the new ones, never a mixture, and survives a power cut once this
  // returned ok: temporary file, sync, rename, sync of the directory.
  Status replace(const std::string& path, std::string_view bytes);
  // The directory and everything under it; ok when it is not there.
  Status remove_tree(const std::string& directory);
};

// The machine's disk. Lives for ever.
Files& posix_files();
// The same, but syncs leave the writing to the system: what was written survives the process, not
// the machine's power.
Files& unsynced_posix_files();

std::string parent_directory(std::string_view path);

}  // namespace pinpipe::io
