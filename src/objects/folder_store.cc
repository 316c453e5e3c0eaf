#include "objects/folder_store.h"

#include <algorithm>

#include "objects/key_path.h"

namespace pinpipe::objects {
namespace {

Status check_folder_name(std::string_view name) {
  if (name.size() > FolderStore::bucket_bytes_max)
    return Error(Code::invalid, "a folder's name has at most 255 bytes");
  return check_directory_name(name);
}

}  // namespace

io::Task<Result<PassingStore::Place>> FolderStore::place(const std::string& bucket,
                                                         const std::string& key, Use use) {
  if (Status good = check_folder_name(bucket); !good) co_return good.error();
  if (Status good = check_key(key); !good) co_return good.error();
  if (use != Use::read) {
    if (Status there = co_await need_bucket(bucket); !there) co_return there.error();
  }
  co_return Place{.store = &behind(), .bucket = outer_bucket_, .key = bucket + "/" + key};
}

io::Task<Status> FolderStore::need_bucket(const std::string& name) {
  {
    std::lock_guard lock(mutex_);
    if (known_.contains(name)) co_return Status{};
  }
  auto found = co_await find_bucket(name);
  co_return found ? Status{} : Status(found.error());
}

io::Task<Result<BucketFacts>> FolderStore::find_bucket(std::string name) {
  if (Status good = check_folder_name(name); !good) co_return good.error();
  auto marker = co_await behind().head(outer_bucket_, name + "/");
  if (!marker && marker.error().code() == Code::not_found)
    co_return Error(Code::not_found, "there is no folder " + outer_bucket_ + "/" + name);
  if (!marker) co_return marker.error();
  std::lock_guard lock(mutex_);
  known_.insert(name);
  co_return BucketFacts{std::move(name), marker->modified_ms};
}

io::Task<Status> FolderStore::create_bucket(std::string name) {
  if (Status good = check_folder_name(name); !good) co_return good;
  Condition condition{.if_absent = true, .if_etag = {}};
  Attributes none;
  auto made = co_await behind().put(outer_bucket_, name + "/", "", std::move(none), condition);
  if (!made && made.error().code() == Code::conflict)
    co_return Error(Code::conflict, "folder '" + name + "' exists");
  if (!made) co_return made.error();
  std::lock_guard lock(mutex_);
  known_.insert(std::move(name));
  co_return Status{};
}

io::Task<Status> FolderStore::remove_bucket(std::string name) {
  if (Status there = co_await need_bucket(name); !there) co_return there;
  ListQuery any{.prefix = {}, .delimiter = {}, .after = {}, .count_max = 1};
  auto left = co_await list(name, std::move(any));
  if (!left) co_return left.error();
  if (!left->objects.empty()) co_return Error(Code::conflict, "folder '" + name + "' is not empty");
  {
    std::lock_guard lock(mutex_);
    known_.erase(name);
  }
  co_return co_await behind().remove(outer_bucket_, name + "/");
}

io::Task<Result<std::vector<BucketFacts>>> FolderStore::list_buckets() {
  std::vector<BucketFacts> all;
  ListQuery query{.prefix = {}, .delimiter = "/", .after = {}};
  while (true) {
    auto page = co_await behind().list(outer_bucket_, query);
    if (!page) co_return page.error();
    for (std::string& folder : page->common_prefixes) {
      folder.pop_back();
      if (!check_folder_name(folder)) continue;
      auto found = co_await find_bucket(std::move(folder));
      if (found) all.push_back(std::move(*found));
      if (!found && found.error().code() != Code::not_found) co_return found.error();
    }
    if (!page->truncated) break;
    query.after = std::move(page->next_after);
  }
  std::ranges::sort(all, {}, &BucketFacts::name);
  co_return all;
}

io::Task<Result<Listing>> FolderStore::list(std::string bucket, ListQuery query) {
  if (Status there = co_await need_bucket(bucket); !there) co_return there.error();
  if (query.count_max == 0) co_return Listing{};
  const std::string folder = bucket + "/";
  // The marker is the folder's first key, and no object of the bucket.
  bool sees_marker = query.prefix.empty() && query.after.empty();
  ListQuery outer{.prefix = folder + query.prefix,
                  .delimiter = std::move(query.delimiter),
                  .after = query.after.empty() ? std::string() : folder + query.after,
                  .count_max = query.count_max + (sees_marker ? 1 : 0),
                  .keys_only = query.keys_only};
  auto listing = co_await behind().list(outer_bucket_, std::move(outer));
  if (!listing) co_return listing.error();
  if (sees_marker) {
    // Removed by others since it was seen.
    if (listing->objects.empty() || listing->objects.front().key != folder)
      co_return Error(Code::not_found, "there is no folder " + outer_bucket_ + "/" + bucket);
    listing->objects.erase(listing->objects.begin());
  }
  for (ObjectFacts& object : listing->objects) object.key.erase(0, folder.size());
  for (std::string& group : listing->common_prefixes) group.erase(0, folder.size());
  if (listing->truncated) listing->next_after.erase(0, folder.size());
  co_return listing;
}

}  // namespace pinpipe::objects
