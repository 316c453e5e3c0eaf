#include "objects/directory_cache.h"

#include <algorithm>

namespace pinpipe::objects {
namespace {
// File systems stamp in steps of a few milliseconds: a directory that was changed just now may be
// changed again without a new stamp.
constexpr int64_t stamp_step_ms = 50;
}  // namespace

Result<DirectoryCache::Names> DirectoryCache::names(const std::string& directory) {
  auto facts = files_.facts(directory);
  if (!facts) return facts.error();
  if (Names known = find(directory, facts->modified_ms)) return known;
  int64_t looked_ms = clock_.wall_ms();
  auto listed = files_.list(directory);
  if (!listed) return listed.error();
  auto names = std::make_shared<std::vector<std::string>>();
  names->reserve(listed->size());
  for (io::DirEntry& entry : *listed) {
    names->push_back(std::move(entry.name));
    if (entry.is_directory) names->back() += '/';
  }
  // They came in order; the slashes change it where one name begins another.
  if (!std::ranges::is_sorted(*names)) std::ranges::sort(*names);
  if (facts->modified_ms + stamp_step_ms < looked_ms && names->size() <= names_max)
    keep(directory, facts->modified_ms, names);
  return Names(std::move(names));
}

DirectoryCache::Names DirectoryCache::find(const std::string& directory, int64_t modified_ms) {
  std::lock_guard lock(mutex_);
  auto entry = entries_.find(directory);
  if (entry == entries_.end()) return nullptr;
  if (entry->second.modified_ms != modified_ms) {
    drop(entry);
    return nullptr;
  }
  used_.splice(used_.end(), used_, entry->second.used);
  return entry->second.names;
}

void DirectoryCache::keep(const std::string& directory, int64_t modified_ms, const Names& names) {
  std::lock_guard lock(mutex_);
  if (auto old = entries_.find(directory); old != entries_.end()) drop(old);
  while (!used_.empty() && names_held_ + names->size() + 1 > names_max)
    drop(entries_.find(used_.front()));
  used_.push_back(directory);
  entries_[directory] = {modified_ms, names, std::prev(used_.end())};
  names_held_ += names->size() + 1;
}

void DirectoryCache::drop(std::map<std::string, Entry>::iterator entry) {
  names_held_ -= entry->second.names->size() + 1;
  used_.erase(entry->second.used);
  entries_.erase(entry);
}

}  // namespace pinpipe::objects
