#include "objects/directory_store.h"

#include <fmt/format.h>

#include "objects/key_path.h"
#include "objects/tree_list.h"

namespace pinpipe::objects {

DirectoryStore::DirectoryStore(LocalOptions options, io::Pool& disk)
    : LocalStore(std::move(options), disk) {}

Status DirectoryStore::remove_debris() {
  return files().remove_tree(temporary_directory());
}

Status DirectoryStore::check_name(std::string_view bucket) const {
  return check_directory_name(bucket);
}

BucketFacts DirectoryStore::bucket_facts_of(std::string_view name, const io::FileFacts& facts) {
  return {std::string(name), facts.modified_ms};
}

Result<ObjectFacts> DirectoryStore::facts_of(std::string_view, std::string_view key,
                                             const BucketTree::Found& found) {
  const io::FileFacts& facts = found.facts;
  return ObjectFacts{
      .key = std::string(key),
      .size = facts.size,
      .modified_ms = facts.modified_ms,
      .etag = fmt::format("{:x}-{:x}-{:x}", facts.inode, facts.modified_ms, facts.size),
      .attributes = {}};
}

io::Task<Status> DirectoryStore::create_bucket(std::string name) {
  if (Status good = check_name(name); !good) co_return good;
  co_return co_await disk_.run([this, &name]() -> Status {
    std::lock_guard lock(placing_);
    if (tree_.bucket_facts(name))
      return Error(Code::conflict, "bucket '" + name + "' exists already");
    return tree_.make_directories(tree_.directory(name), BucketTree::Durable::yes);
  });
}

io::Task<Status> DirectoryStore::remove_bucket(std::string name) {
  if (Status good = check_name(name); !good) co_return good;
  co_return co_await disk_.run([this, &name]() -> Status {
    std::lock_guard lock(placing_);
    auto first = list_keys(tree_, cache_, name,
                           {.prefix = {}, .delimiter = {}, .after = {}, .count_max = 1});
    if (!first) return first.error();
    if (!first->keys.empty()) return Error(Code::conflict, "bucket '" + name + "' is not empty");
    if (Status removed = files().remove_tree(tree_.directory(name)); !removed) return removed;
    return files().sync_directory(tree_.root());
  });
}

io::Task<Result<ObjectFacts>> DirectoryStore::put(std::string bucket, std::string key,
                                                  std::string bytes, Attributes,
                                                  Condition condition) {
  co_return co_await disk_.run([&, this] { return put_now(bucket, key, bytes, condition); });
}

io::Task<Result<ObjectFacts>> DirectoryStore::adopt(std::string bucket, std::string temporary_path,
                                                    std::string key, Attributes,
                                                    Condition condition, std::string) {
  co_return co_await disk_.run([&, this]() -> Result<ObjectFacts> {
    auto file = files().open(temporary_path, io::OpenMode::write);
    if (!file) return file.error();
    if (Status synced = (*file)->sync(); !synced) return synced.error();
    return adopt_now(bucket, temporary_path, key, condition);
  });
}

io::Task<Status> DirectoryStore::remove(std::string bucket, std::string key, Condition condition) {
  co_return co_await disk_.run([&, this] { return remove_now(bucket, key, condition); });
}

Result<ObjectFacts> DirectoryStore::put_now(const std::string& bucket, const std::string& key,
                                            const std::string& bytes, const Condition& condition) {
  if (Status made = tree_.make_directories(temporary_directory(), BucketTree::Durable::no); !made)
    return made.error();
  std::string temporary = new_temporary();
  {
    auto file = files().open(temporary, io::OpenMode::create_new);
    if (!file) return file.error();
    Status done = (*file)->write_at(bytes, 0);
    if (done) done = (*file)->sync();
    if (!done) {
      (void)files().remove(temporary);
      return done.error();
    }
  }
  return adopt_now(bucket, temporary, key, condition);
}

Result<ObjectFacts> DirectoryStore::adopt_now(const std::string& bucket,
                                              const std::string& temporary, const std::string& key,
                                              const Condition& condition) {
  auto placed = place(bucket, temporary, key, condition);
  // After a link the temporary name is still there; after a failure the whole file is.
  if (!placed || condition.if_absent) (void)files().remove(temporary);
  if (!placed) return placed.error();
  if (Status synced = files().sync_directory(io::parent_directory(placed->path)); !synced)
    return synced.error();
  return head_now(bucket, key);
}

Result<BucketTree::Place> DirectoryStore::place(const std::string& bucket,
                                                const std::string& temporary,
                                                const std::string& key,
                                                const Condition& condition) {
  if (Status good = check_name(bucket); !good) return good.error();
  if (Status good = check_key(key); !good) return good.error();
  std::lock_guard lock(placing_);
  if (auto there = tree_.bucket_facts(bucket); !there) return there.error();
  if (condition.if_etag) {
    auto found = tree_.find(bucket, key);
    if (!found) return found.error();
    auto facts = facts_of(bucket, key, *found);
    if (!facts) return facts.error();
    if (facts->etag != *condition.if_etag)
      return Error(Code::conflict,
                   "object '" + key + "' has another version than the one expected");
  }
  auto place = tree_.prepare(bucket, key, BucketTree::Durable::yes);
  if (!place) return place.error();
  Status taken;
  if (condition.if_absent) {
    taken =
        place->occupied ? Status(Error(Code::conflict, "")) : files().link(temporary, place->path);
    if (!taken && taken.error().code() == Code::conflict)
      return Error(Code::conflict, "object '" + key + "' exists already");
  } else {
    taken = files().rename(temporary, place->path);
  }
  if (!taken) return taken.error();
  return place;
}

Status DirectoryStore::remove_now(const std::string& bucket, const std::string& key,
                                  const Condition& condition) {
  if (Status good = check_name(bucket); !good) return good;
  if (Status good = check_key(key); !good) return good;
  auto there = tree_.bucket_facts(bucket);
  if (!there) return there.error();
  std::lock_guard lock(placing_);
  auto found = tree_.find(bucket, key);
  if (!found) {
    bool may_be_absent = found.error().code() == Code::not_found && !condition.if_etag;
    return may_be_absent ? Status{} : Status(found.error());
  }
  if (condition.if_etag) {
    auto facts = facts_of(bucket, key, *found);
    if (!facts) return facts.error();
    if (facts->etag != *condition.if_etag)
      return Error(Code::conflict,
                   "object '" + key + "' has another version than the one expected");
  }
  // Directories stay: another process may be about to write into one that is empty just now.
  if (Status removed = files().remove(found->path); !removed)
    return removed.error().code() == Code::not_found ? Status{} : removed;
  return files().sync_directory(io::parent_directory(found->path));
}

}  // namespace pinpipe::objects
