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

// As a key of the folder store's own.
Result<ObjectFacts> renamed(Result<ObjectFacts> facts, std::string key) {
  if (facts) facts->key = std::move(key);
  return facts;
}

// An open object under the name that its caller knows.
class RenamedObject final : public OpenObject {
 public:
  RenamedObject(std::unique_ptr<OpenObject> object, std::string key)
      : object_(std::move(object)), facts_(object_->facts()) {
    facts_.key = std::move(key);
  }
  const ObjectFacts& facts() const override { return facts_; }
  io::Task<Result<size_t>> read_at(std::span<char> into, uint64_t offset) override {
    return object_->read_at(into, offset);
  }
  int descriptor() const override { return object_->descriptor(); }

 private:
  std::unique_ptr<OpenObject> object_;
  ObjectFacts facts_;
};

}  // namespace

Result<std::string> FolderStore::outer_key(const std::string& bucket, const std::string& key) {
  if (Status good = check_folder_name(bucket); !good) return good.error();
  if (Status good = check_key(key); !good) return good.error();
  return bucket + "/" + key;
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
  auto marker = co_await outer_.head(outer_bucket_, name + "/");
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
  auto made = co_await outer_.put(outer_bucket_, name + "/", "", std::move(none), condition);
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
  co_return co_await outer_.remove(outer_bucket_, name + "/");
}

io::Task<Result<std::vector<BucketFacts>>> FolderStore::list_buckets() {
  std::vector<BucketFacts> all;
  ListQuery query{.prefix = {}, .delimiter = "/", .after = {}};
  while (true) {
    auto page = co_await outer_.list(outer_bucket_, query);
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

io::Task<Result<ObjectFacts>> FolderStore::put(std::string bucket, std::string key,
                                               std::string bytes, Attributes attributes,
                                               Condition condition) {
  auto at = outer_key(bucket, key);
  if (!at) co_return at.error();
  if (Status there = co_await need_bucket(bucket); !there) co_return there.error();
  auto stored = co_await outer_.put(outer_bucket_, std::move(*at), std::move(bytes),
                                    std::move(attributes), std::move(condition));
  co_return renamed(std::move(stored), std::move(key));
}

io::Task<Result<ObjectFacts>> FolderStore::adopt(std::string bucket, std::string temporary_path,
                                                 std::string key, Attributes attributes,
                                                 Condition condition, std::string etag) {
  auto at = outer_key(bucket, key);
  Status good = at ? co_await need_bucket(bucket) : Status(at.error());
  // The outer store removes the temporary file whatever happens: it has to be asked, and a key that
  // nobody may have is refused by it in any case.
  std::string where = good ? std::move(*at) : std::string();
  auto stored = co_await outer_.adopt(outer_bucket_, std::move(temporary_path), std::move(where),
                                      std::move(attributes), std::move(condition), std::move(etag));
  if (!good) co_return good.error();
  co_return renamed(std::move(stored), std::move(key));
}

io::Task<Result<ObjectFacts>> FolderStore::head(std::string bucket, std::string key) {
  auto at = outer_key(bucket, key);
  if (!at) co_return at.error();
  co_return renamed(co_await outer_.head(outer_bucket_, std::move(*at)), std::move(key));
}

io::Task<Result<std::unique_ptr<OpenObject>>> FolderStore::open(std::string bucket,
                                                                std::string key) {
  auto at = outer_key(bucket, key);
  if (!at) co_return at.error();
  auto opened = co_await outer_.open(outer_bucket_, std::move(*at));
  if (!opened) co_return opened.error();
  co_return std::make_unique<RenamedObject>(std::move(*opened), std::move(key));
}

io::Task<Result<std::string>> FolderStore::get(std::string bucket, std::string key,
                                               std::optional<ByteRange> range) {
  auto at = outer_key(bucket, key);
  if (!at) co_return at.error();
  co_return co_await outer_.get(outer_bucket_, std::move(*at), range);
}

io::Task<Status> FolderStore::remove(std::string bucket, std::string key, Condition condition) {
  auto at = outer_key(bucket, key);
  if (!at) co_return at.error();
  if (Status there = co_await need_bucket(bucket); !there) co_return there;
  co_return co_await outer_.remove(outer_bucket_, std::move(*at), std::move(condition));
}

io::Task<Result<ObjectFacts>> FolderStore::copy(std::string from_bucket, std::string from_key,
                                                std::string to_bucket, std::string to_key,
                                                std::optional<Attributes> attributes,
                                                Condition condition) {
  auto from = outer_key(from_bucket, from_key);
  if (!from) co_return from.error();
  auto to = outer_key(to_bucket, to_key);
  if (!to) co_return to.error();
  if (Status there = co_await need_bucket(to_bucket); !there) co_return there.error();
  auto copied = co_await outer_.copy(outer_bucket_, std::move(*from), outer_bucket_, std::move(*to),
                                     std::move(attributes), std::move(condition));
  co_return renamed(std::move(copied), std::move(to_key));
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
                  .count_max = query.count_max + (sees_marker ? 1 : 0)};
  auto listing = co_await outer_.list(outer_bucket_, std::move(outer));
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

io::Task<Result<Store::Pinned>> FolderStore::materialize(std::string bucket, std::string key) {
  auto at = outer_key(bucket, key);
  if (!at) co_return at.error();
  co_return co_await outer_.materialize(outer_bucket_, std::move(*at));
}

}  // namespace pinpipe::objects
