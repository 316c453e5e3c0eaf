#include "log/open_files.h"

namespace pinpipe::log {

std::shared_ptr<io::File> OpenFiles::find(const std::string& path) {
  std::lock_guard lock(mutex_);
  auto found = by_path_.find(path);
  if (found == by_path_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return found->second->file;
}

Result<std::shared_ptr<io::File>> OpenFiles::get(const std::string& path, io::OpenMode mode) {
  if (auto there = find(path)) return there;
  auto opened = files_.open(path, mode);
  if (!opened) return opened.error();
  std::shared_ptr<io::File> file = std::move(*opened);
  std::shared_ptr<io::File> closed;  // outside the lock
  std::lock_guard lock(mutex_);
  if (auto found = by_path_.find(path); found != by_path_.end()) return found->second->file;
  recent_.push_front({path, file});
  by_path_.emplace(path, recent_.begin());
  if (recent_.size() > open_max_) {
    closed = std::move(recent_.back().file);
    by_path_.erase(recent_.back().path);
    recent_.pop_back();
  }
  return file;
}

void OpenFiles::forget(const std::string& path) {
  std::shared_ptr<io::File> closed;
  std::lock_guard lock(mutex_);
  auto found = by_path_.find(path);
  if (found == by_path_.end()) return;
  closed = std::move(found->second->file);
  recent_.erase(found->second);
  by_path_.erase(found);
}

}  // namespace pinpipe::log
