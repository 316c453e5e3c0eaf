// Objects' facts that cost a read of their file to find out, remembered by the file's own facts.
// Bounds: two generations of entries_max / 2; the older one goes when the younger is full.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "io/files.h"
#include "objects/store.h"

namespace pinpipe::objects {

class FactsCache {
 public:
  static constexpr size_t entries_max = 50'000;

  // What was kept for this path if the file is still the same one.
  std::optional<ObjectFacts> find(const std::string& path, const io::FileFacts& file);
  void keep(const std::string& path, const io::FileFacts& file, const ObjectFacts& facts);

 private:
  struct Entry {
    io::FileFacts file;
    ObjectFacts facts;
  };
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> young_, old_;
};

}  // namespace pinpipe::objects
