#include "objects/local_store.h"

#include <atomic>
#include <functional>
#include <unistd.h>

#include "objects/key_path.h"
#include "objects/tree_list.h"

namespace pinpipe::objects {
namespace {

constexpr size_t copy_step_bytes = 1 << 20;
// Others may write beside us: what was found may be gone or another version when it is opened.
constexpr int open_attempts_max = 5;

class OpenFile final : public OpenObject {
 public:
  OpenFile(ObjectFacts facts, std::unique_ptr<io::File> file, io::Pool& disk)
      : facts_(std::move(facts)), file_(std::move(file)), disk_(disk) {}

  const ObjectFacts& facts() const override { return facts_; }
  io::Task<Result<size_t>> read_at(std::span<char> into, uint64_t offset) override {
    co_return co_await disk_.run([this, into, offset] { return file_->read_at(into, offset); });
  }
  int descriptor() const override { return file_->descriptor(); }

 private:
  ObjectFacts facts_;
  std::unique_ptr<io::File> file_;
  io::Pool& disk_;
};

Result<std::string> read_range(io::File& file, uint64_t size, std::optional<ByteRange> range) {
  uint64_t offset = range ? range->offset : 0;
  if (offset > size)
    return Error(Code::invalid,
                 "the range begins behind the object's " + std::to_string(size) + " bytes");
  uint64_t count = size - offset;
  if (range && range->size) count = std::min(count, *range->size);
  std::string bytes;
  Result<size_t> got = size_t{0};
  bytes.resize_and_overwrite(count, [&](char* data, size_t room) {
    got = file.read_at({data, room}, offset);
    return got ? *got : 0;
  });
  if (!got) return got.error();
  return bytes;
}

}  // namespace

LocalStore::LocalStore(LocalOptions options, io::Pool& disk)
    : tree_(*options.files, std::move(options.root)),
      cache_(*options.files, *options.clock),
      disk_(disk),
      clock_(*options.clock) {}

std::mutex& LocalStore::version_lock(std::string_view bucket, std::string_view key) {
  size_t hash = std::hash<std::string_view>()(key) ^ std::hash<std::string_view>()(bucket) * 31;
  return version_locks_[hash % version_locks_.size()];
}

std::string LocalStore::temporary_directory() const {
  return tree_.root() + "/" + std::string(reserved_name) + "/tmp";
}

std::string LocalStore::new_temporary() {
  // The process's start makes the name unique across restarts that left something behind, its
  // number among processes that use the root at the same time.
  static const std::string process =
      std::to_string(system_clock().wall_ms()) + "-" + std::to_string(::getpid());
  static std::atomic<uint64_t> made{0};
  // Callers write there themselves, before anything else has made the directory; a failure shows
  // when they do.
  (void)files().make_directories(temporary_directory());
  return temporary_directory() + "/" + process + "-" + std::to_string(made.fetch_add(1));
}

io::Task<Result<std::vector<BucketFacts>>> LocalStore::list_buckets() {
  co_return co_await disk_.run([this]() -> Result<std::vector<BucketFacts>> {
    auto entries = files().list(tree_.root());
    if (!entries) return entries.error();
    std::vector<BucketFacts> buckets;
    for (const io::DirEntry& entry : *entries) {
      if (!entry.is_directory || !check_name(entry.name)) continue;
      if (auto facts = tree_.bucket_facts(entry.name))
        buckets.push_back(bucket_facts_of(entry.name, *facts));
    }
    return buckets;
  });
}

io::Task<Result<BucketFacts>> LocalStore::find_bucket(std::string name) {
  if (Status good = check_name(name); !good) co_return good.error();
  co_return co_await disk_.run([this, name = std::move(name)]() -> Result<BucketFacts> {
    auto facts = tree_.bucket_facts(name);
    if (!facts) return facts.error();
    return bucket_facts_of(name, *facts);
  });
}

Result<ObjectFacts> LocalStore::head_now(std::string_view bucket, std::string_view key) {
  if (Status good = check_name(bucket); !good) return good.error();
  if (Status good = check_key(key); !good) return good.error();
  std::lock_guard lock(version_lock(bucket, key));
  auto found = tree_.find(bucket, key);
  if (!found) return found.error();
  return facts_of(bucket, key, *found);
}

Result<LocalStore::Opened> LocalStore::open_now(std::string_view bucket, std::string_view key) {
  if (Status good = check_name(bucket); !good) return good.error();
  if (Status good = check_key(key); !good) return good.error();
  for (int attempt = 1;; ++attempt) {
    std::lock_guard lock(version_lock(bucket, key));
    auto found = tree_.find(bucket, key);
    if (!found) return found.error();
    auto file = files().open(found->path, io::OpenMode::read);
    auto again = tree_.find(bucket, key);
    bool same = file && again && again->facts.inode == found->facts.inode &&
                again->facts.size == found->facts.size;
    if (same) {
      auto facts = facts_of(bucket, key, *again);
      if (!facts) return facts.error();
      return Opened{std::move(*facts), std::move(*file)};
    }
    if (attempt == open_attempts_max)
      return file ? Error(Code::busy, "the object changes all the time") : file.error();
  }
}

io::Task<Result<ObjectFacts>> LocalStore::head(std::string bucket, std::string key) {
  co_return co_await disk_.run([this, &bucket, &key] { return head_now(bucket, key); });
}

io::Task<Result<std::unique_ptr<OpenObject>>> LocalStore::open(std::string bucket,
                                                               std::string key) {
  auto opened = co_await disk_.run([this, &bucket, &key] { return open_now(bucket, key); });
  if (!opened) co_return opened.error();
  co_return std::make_unique<OpenFile>(std::move(opened->facts), std::move(opened->file), disk_);
}

io::Task<Result<std::string>> LocalStore::get(std::string bucket, std::string key,
                                              std::optional<ByteRange> range) {
  co_return co_await disk_.run([&, this] { return get_now(bucket, key, range); });
}

io::Task<std::vector<Result<std::string>>> LocalStore::get_all(std::string bucket,
                                                               std::vector<std::string> keys) {
  co_return co_await disk_.run([&, this] {
    std::vector<Result<std::string>> all;
    all.reserve(keys.size());
    for (const std::string& key : keys) all.push_back(get_now(bucket, key, std::nullopt));
    return all;
  });
}

// An open file is one version of its object; nobody asks which, so it is looked at once.
Result<std::string> LocalStore::get_now(std::string_view bucket, std::string_view key,
                                        const std::optional<ByteRange>& range) {
  if (Status good = check_name(bucket); !good) return good.error();
  if (Status good = check_key(key); !good) return good.error();
  for (int attempt = 1;; ++attempt) {
    auto found = tree_.find(bucket, key);
    if (!found) return found.error();
    auto file = files().open(found->path, io::OpenMode::read);
    auto size = file ? (*file)->size() : Result<uint64_t>(file.error());
    if (size) return read_range(**file, *size, range);
    if (attempt == open_attempts_max) return size.error();
  }
}

Result<Listing> LocalStore::list_now(std::string_view bucket, const ListQuery& query) {
  if (Status good = check_name(bucket); !good) return good.error();
  auto keys = list_keys(tree_, cache_, bucket, query);
  if (!keys) return keys.error();
  Listing listing;
  listing.objects.reserve(keys->keys.size());
  for (std::string& key : keys->keys) {
    if (query.keys_only) {
      listing.objects.push_back({.key = std::move(key), .etag = {}, .attributes = {}});
      continue;
    }
    auto facts = head_now(bucket, key);
    if (facts) {
      listing.objects.push_back(std::move(*facts));
    } else if (facts.error().code() != Code::not_found) {  // removed meanwhile: not there
      return facts.error();
    }
  }
  listing.common_prefixes = std::move(keys->common_prefixes);
  listing.truncated = keys->truncated;
  listing.next_after = std::move(keys->next_after);
  return listing;
}

io::Task<Result<Listing>> LocalStore::list(std::string bucket, ListQuery query) {
  co_return co_await disk_.run([this, &bucket, &query] { return list_now(bucket, query); });
}

Result<Store::Pinned> LocalStore::materialize_now(std::string_view bucket, std::string_view key) {
  if (Status good = check_name(bucket); !good) return good.error();
  if (Status good = check_key(key); !good) return good.error();
  auto found = tree_.find(bucket, key);
  if (!found) return found.error();
  // Objects are replaced, never changed in place: a second name keeps this version's bytes. It ends
  // like the key, since readers go by endings.
  constexpr size_t ending_bytes_max = 100;
  std::string ending(found->relative.substr(found->relative.rfind('/') + 1));
  if (ending.size() > ending_bytes_max) ending = ending.substr(ending.size() - ending_bytes_max);
  std::string path = new_temporary() + "-" + ending;
  if (Status made = files().make_directories(temporary_directory()); !made) return made.error();
  if (Status linked = files().link(found->path, path); !linked) return linked.error();
  io::Files* owner = &files();
  std::shared_ptr<void> keep(nullptr, [owner, path](void*) { (void)owner->remove(path); });
  return Pinned{path, std::move(keep)};
}

io::Task<Result<Store::Pinned>> LocalStore::materialize(std::string bucket, std::string key) {
  co_return co_await disk_.run([this, &bucket, &key] { return materialize_now(bucket, key); });
}

io::Task<std::vector<Result<Store::Pinned>>> LocalStore::materialize_all(
    std::string bucket, std::vector<std::string> keys) {
  co_return co_await disk_.run([&, this] {
    std::vector<Result<Pinned>> all;
    all.reserve(keys.size());
    for (const std::string& key : keys) all.push_back(materialize_now(bucket, key));
    return all;
  });
}

Result<std::string> LocalStore::copy_bytes_now(io::File& from) {
  if (Status made = files().make_directories(temporary_directory()); !made) return made.error();
  std::string path = new_temporary();
  auto to = files().open(path, io::OpenMode::create_new);
  if (!to) return to.error();
  std::string step(copy_step_bytes, '\0');
  for (uint64_t offset = 0;; offset += step.size()) {
    auto got = from.read_at(step, offset);
    Status done =
        got ? (*to)->write_at(std::string_view(step.data(), *got), offset) : Status(got.error());
    if (!done) {
      (void)files().remove(path);
      return done.error();
    }
    if (*got < step.size()) return path;
  }
}

io::Task<Result<ObjectFacts>> LocalStore::copy(std::string from_bucket, std::string from_key,
                                               std::string to_bucket, std::string to_key,
                                               std::optional<Attributes> attributes,
                                               Condition condition) {
  auto opened = co_await disk_.run([&, this] { return open_now(from_bucket, from_key); });
  if (!opened) co_return opened.error();
  ObjectFacts source = std::move(opened->facts);
  Attributes wanted = attributes ? std::move(*attributes) : std::move(source.attributes);
  if (source.size <= copy_step_bytes) {
    auto bytes =
        co_await disk_.run([&] { return read_range(*opened->file, source.size, std::nullopt); });
    if (!bytes) co_return bytes.error();
    co_return co_await put(std::move(to_bucket), std::move(to_key), std::move(*bytes),
                           std::move(wanted), std::move(condition));
  }
  auto path = co_await disk_.run([&, this] { return copy_bytes_now(*opened->file); });
  if (!path) co_return path.error();
  // An ETag with a '-' tells of parts that the copy does not have.
  std::string etag = source.etag.contains('-') ? std::string() : source.etag;
  co_return co_await adopt(std::move(to_bucket), std::move(*path), std::move(to_key),
                           std::move(wanted), std::move(condition), std::move(etag));
}

}  // namespace pinpipe::objects
