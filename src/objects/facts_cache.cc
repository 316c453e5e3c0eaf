#include "objects/facts_cache.h"

namespace pinpipe::objects {

std::optional<ObjectFacts> FactsCache::find(const std::string& path, const io::FileFacts& file) {
  std::lock_guard lock(mutex_);
  auto same = [&](const Entry& entry) {
    return entry.file.size == file.size && entry.file.modified_ms == file.modified_ms &&
           entry.file.inode == file.inode;
  };
  if (auto entry = young_.find(path); entry != young_.end())
    return same(entry->second) ? std::optional(entry->second.facts) : std::nullopt;
  if (auto entry = old_.find(path); entry != old_.end() && same(entry->second))
    return entry->second.facts;
  return std::nullopt;
}

void FactsCache::keep(const std::string& path, const io::FileFacts& file,
                      const ObjectFacts& facts) {
  std::lock_guard lock(mutex_);
  if (young_.size() >= entries_max / 2) {
    old_ = std::move(young_);
    young_.clear();
  }
  young_.insert_or_assign(path, Entry{file, facts});
}

}  // namespace pinpipe::objects
