// What lies in a directory, in the order of keys, remembered while the directory does not change.
// Promise: an answer is never older than the directory's modification time says.
// Bounds: names_max names in all; a larger directory is read anew each time.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/files.h"

namespace pinpipe::objects {

class DirectoryCache {
 public:
  static constexpr size_t names_max = 1'000'000;

  // Directories end with '/', so that their order is that of the keys below them.
  using Names = std::shared_ptr<const std::vector<std::string>>;

  DirectoryCache(io::Files& files, Clock& clock) : files_(files), clock_(clock) {}

  Result<Names> names(const std::string& directory);

 private:
  struct Entry {
    int64_t modified_ms = 0;
    Names names;
    std::list<std::string>::iterator used;
  };
  Names find(const std::string& directory, int64_t modified_ms);
  void keep(const std::string& directory, int64_t modified_ms, const Names& names);
  void drop(std::map<std::string, Entry>::iterator entry);

  io::Files& files_;
  Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::list<std::string> used_;  // the longest unused first
  size_t names_held_ = 0;
};

}  // namespace pinpipe::objects
