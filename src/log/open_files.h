// The segment files that are open at the moment, of all partitions together. Thread-safe.
// Bounds: open_max descriptors are kept; the longest unused is closed first. A file in use by a
// reader stays open until the reader lets go.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "io/files.h"

namespace pinpipe::log {

class OpenFiles {
 public:
  OpenFiles(io::Files& files, size_t open_max) : files_(files), open_max_(open_max) {}

  // Opens `path` when it is not open yet. Blocks.
  Result<std::shared_ptr<io::File>> get(const std::string& path, io::OpenMode mode);
  // Only if it is open. Does not block.
  std::shared_ptr<io::File> find(const std::string& path);
  // The path will be removed, or is no longer used by its owner.
  void forget(const std::string& path);

 private:
  struct Kept {
    std::string path;
    std::shared_ptr<io::File> file;
  };

  io::Files& files_;
  size_t open_max_;
  std::mutex mutex_;
  std::list<Kept> recent_;  // longest unused last
  std::unordered_map<std::string, std::list<Kept>::iterator> by_path_;
};

}  // namespace pinpipe::log
