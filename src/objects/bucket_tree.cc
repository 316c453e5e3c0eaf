#include "objects/bucket_tree.h"

#include <algorithm>

#include "objects/key_path.h"

namespace pinpipe::objects {

std::string BucketTree::directory(std::string_view bucket) const {
  return root_ + "/" + std::string(bucket);
}

Result<io::FileFacts> BucketTree::bucket_facts(std::string_view bucket) {
  auto found = files_.facts(directory(bucket));
  if (found && found->is_directory) return found;
  if (!found && found.error().code() != Code::not_found) return found;
  return Error(Code::not_found, "bucket '" + std::string(bucket) + "' does not exist");
}

Result<BucketTree::Found> BucketTree::find(std::string_view bucket, std::string_view key) {
  std::string base = directory(bucket) + "/";
  if (has_plain_path(key)) {
    std::string path = base + std::string(key);
    auto found = files_.facts(path);
    if (found && !found->is_directory) return Found{std::string(key), std::move(path), *found};
    if (!found && found.error().code() != Code::not_found) return found.error();
  }
  std::string relative = odd_path(key);
  std::string path = base + relative;
  auto found = files_.facts(path);
  if (found && !found->is_directory) return Found{std::move(relative), std::move(path), *found};
  if (!found && found.error().code() != Code::not_found) return found.error();
  if (auto there = bucket_facts(bucket); !there) return there.error();
  return Error(Code::not_found,
               "object '" + std::string(key) + "' is not in bucket '" + std::string(bucket) + "'");
}

Result<BucketTree::Place> BucketTree::prepare(std::string_view bucket, std::string_view key,
                                              Durable durable) {
  std::string base = directory(bucket);
  std::string odd = odd_path(key);
  std::string plain = has_plain_path(key) ? base + "/" + std::string(key) : std::string();
  auto at_plain =
      plain.empty() ? Result<io::FileFacts>(Error(Code::not_found, "")) : files_.facts(plain);
  if (at_plain && !at_plain->is_directory) return Place{std::string(key), std::move(plain), true};
  if (files_.exists(base + "/" + std::string(odd_area)) && files_.exists(base + "/" + odd)) {
    std::string path = base + "/" + odd;
    return Place{std::move(odd), std::move(path), true};
  }
  if (!plain.empty() && !at_plain && !is_below_a_file(base, key)) {
    if (Status made = make_directories(io::parent_directory(plain), durable); !made)
      return made.error();
    return Place{std::string(key), std::move(plain), false};
  }
  std::string path = base + "/" + odd;
  if (Status made = make_directories(io::parent_directory(path), durable); !made)
    return made.error();
  return Place{std::move(odd), std::move(path), false};
}

bool BucketTree::is_below_a_file(const std::string& bucket_directory, std::string_view key) {
  // The nearest ancestor is a directory in nearly every case: one look.
  for (size_t slash = key.rfind('/'); slash != std::string_view::npos && slash > 0;
       slash = key.rfind('/', slash - 1)) {
    auto found = files_.facts(bucket_directory + "/" + std::string(key.substr(0, slash)));
    if (found) return !found->is_directory;
  }
  return false;
}

Status BucketTree::make_directories(const std::string& directory, Durable durable) {
  if (auto found = files_.facts(directory); found && found->is_directory) return {};
  if (durable == Durable::no) return files_.make_directories(directory);
  std::string parent = io::parent_directory(directory);
  if (parent != directory) {
    if (Status made = make_directories(parent, durable); !made) return made;
  }
  if (Status made = files_.make_directories(directory); !made) return made;
  return files_.sync_directory(parent);
}

void BucketTree::prune(std::string path, const std::string& stop) {
  for (path = io::parent_directory(path); path.size() > stop.size();
       path = io::parent_directory(path)) {
    if (!files_.remove(path)) return;  // not empty, which is the usual end
  }
}

Result<std::vector<std::string>> BucketTree::odd_keys(std::string_view bucket) {
  std::vector<std::string> keys;
  std::string area = directory(bucket) + "/" + std::string(odd_area);
  if (!files_.exists(area)) return keys;
  if (Status done = collect_odd(area, "", keys); !done) return done.error();
  std::ranges::sort(keys);
  return keys;
}

Status BucketTree::collect_odd(const std::string& directory, const std::string& relative,
                               std::vector<std::string>& keys) {
  auto entries = files_.list(directory);
  if (!entries) return entries.error().code() == Code::not_found ? Status{} : entries.error();
  for (const io::DirEntry& entry : *entries) {
    std::string name = relative + entry.name;
    if (entry.is_directory) {
      if (Status done = collect_odd(directory + "/" + entry.name, name + "/", keys); !done)
        return done;
    } else if (auto key = key_of_odd_path(name)) {
      keys.push_back(std::move(*key));
    }
  }
  return {};
}

}  // namespace pinpipe::objects
