#include "io/files.h"

#include <atomic>

namespace pinpipe::io {

std::string parent_directory(std::string_view path) {
  size_t slash = path.find_last_of('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

Result<std::string> Files::read_all(const std::string& path, uint64_t bytes_max) {
  auto file = open(path, OpenMode::read);
  if (!file) return file.error();
  auto size = (*file)->size();
  if (!size) return size.error();
  if (*size > bytes_max) return Error(Code::invalid, path + " is larger than it may be");
  std::string bytes;
  Result<size_t> got = size_t{0};
  // Without writing zeros first, which takes a tenth of the time.
  bytes.resize_and_overwrite(*size, [&](char* data, size_t room) {
    got = (*file)->read_at({data, room}, 0);
    return got ? *got : 0;
  });
  if (!got) return got.error();
  return bytes;
}

Status Files::replace(const std::string& path, std::string_view bytes) {
  static std::atomic<uint64_t> counter{0};
  std::string temporary = path + ".tmp" + std::to_string(counter.fetch_add(1));
  {
    auto file = open(temporary, OpenMode::create);
    if (!file) return file.error();
    Status done = (*file)->truncate(0);
    if (done) done = (*file)->write_at(bytes, 0);
    if (done) done = (*file)->sync();
    if (!done) {
      (void)remove(temporary);
      return done;
    }
  }
  if (Status renamed = rename(temporary, path); !renamed) {
    (void)remove(temporary);
    return renamed;
  }
  return sync_directory(parent_directory(path));
}

Status Files::sync_tree(const std::string& directory) {
  auto entries = list(directory);
  if (!entries) return entries.error();
  for (const DirEntry& entry : *entries) {
    std::string path = directory + "/" + entry.name;
    Status synced;
    if (entry.is_directory) {
      synced = sync_tree(path);
    } else {
      auto file = open(path, OpenMode::read);
      synced = file ? (*file)->sync() : Status(file.error());
    }
    if (!synced && synced.error().code() != Code::not_found) return synced;  // removed meanwhile
  }
  return sync_directory(directory);
}

Status Files::remove_tree(const std::string& directory) {
  auto entries = list(directory);
  if (!entries) return entries.error().code() == Code::not_found ? Status{} : entries.error();
  for (const DirEntry& entry : *entries) {
    std::string path = directory + "/" + entry.name;
    Status removed = entry.is_directory ? remove_tree(path) : remove(path);
    if (!removed) return removed;
  }
  return remove(directory);
}

}  // namespace pinpipe::io
