#include "objects/passing_store.h"

#include <algorithm>

namespace pinpipe::objects {
namespace {

constexpr size_t copy_step_bytes = size_t{4} << 20;

Result<ObjectFacts> named(Result<ObjectFacts> facts, std::string key) {
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

io::Task<Result<std::string>> read_all(OpenObject& object) {
  std::string bytes(object.facts().size, '\0');
  for (size_t done = 0; done < bytes.size();) {
    auto step = std::span(bytes).subspan(done, std::min(copy_step_bytes, bytes.size() - done));
    auto got = co_await object.read_at(step, done);
    if (!got) co_return got.error();
    if (*got == 0) co_return Error(Code::corrupt, "the object ended early");
    done += *got;
  }
  co_return bytes;
}

}  // namespace

io::Task<Status> PassingStore::create_bucket(std::string name) {
  return behind_->create_bucket(std::move(name));
}

io::Task<Status> PassingStore::remove_bucket(std::string name) {
  return behind_->remove_bucket(std::move(name));
}

io::Task<Result<std::vector<BucketFacts>>> PassingStore::list_buckets() {
  return behind_->list_buckets();
}

io::Task<Result<BucketFacts>> PassingStore::find_bucket(std::string name) {
  return behind_->find_bucket(std::move(name));
}

io::Task<Result<Listing>> PassingStore::list(std::string bucket, ListQuery query) {
  return behind_->list(std::move(bucket), std::move(query));
}

io::Task<Result<ObjectFacts>> PassingStore::put(std::string bucket, std::string key,
                                                std::string bytes, Attributes attributes,
                                                Condition condition) {
  auto at = co_await place(bucket, key, Use::write);
  if (!at) co_return at.error();
  auto stored = co_await at->store->put(std::move(at->bucket), std::move(at->key), std::move(bytes),
                                        std::move(attributes), std::move(condition));
  co_return named(std::move(stored), std::move(key));
}

io::Task<Result<ObjectFacts>> PassingStore::adopt(std::string bucket, std::string temporary_path,
                                                  std::string key, Attributes attributes,
                                                  Condition condition, std::string etag) {
  auto at = co_await place(bucket, key, Use::write);
  if (!at) {
    // The file goes whatever happens: a store refuses a key that no object may have, and removes
    // what it was given for it.
    (void)co_await behind_->adopt(std::move(bucket), std::move(temporary_path), std::string(),
                                  std::move(attributes), std::move(condition), std::move(etag));
    co_return at.error();
  }
  auto stored = co_await at->store->adopt(std::move(at->bucket), std::move(temporary_path),
                                          std::move(at->key), std::move(attributes),
                                          std::move(condition), std::move(etag));
  co_return named(std::move(stored), std::move(key));
}

io::Task<Result<ObjectFacts>> PassingStore::head(std::string bucket, std::string key) {
  auto at = co_await place(bucket, key, Use::read);
  if (!at) co_return at.error();
  auto facts = co_await at->store->head(std::move(at->bucket), std::move(at->key));
  co_return named(std::move(facts), std::move(key));
}

io::Task<Result<std::unique_ptr<OpenObject>>> PassingStore::open(std::string bucket,
                                                                 std::string key) {
  auto at = co_await place(bucket, key, Use::read);
  if (!at) co_return at.error();
  auto opened = co_await at->store->open(std::move(at->bucket), std::move(at->key));
  if (!opened || (*opened)->facts().key == key) co_return opened;
  co_return std::make_unique<RenamedObject>(std::move(*opened), std::move(key));
}

io::Task<Result<std::string>> PassingStore::get(std::string bucket, std::string key,
                                                std::optional<ByteRange> range) {
  auto at = co_await place(bucket, key, Use::read);
  if (!at) co_return at.error();
  co_return co_await at->store->get(std::move(at->bucket), std::move(at->key), range);
}

io::Task<Status> PassingStore::remove(std::string bucket, std::string key, Condition condition) {
  auto at = co_await place(bucket, key, Use::remove);
  if (!at) co_return at.error();
  co_return co_await at->store->remove(std::move(at->bucket), std::move(at->key),
                                       std::move(condition));
}

io::Task<Result<ObjectFacts>> PassingStore::copy(std::string from_bucket, std::string from_key,
                                                 std::string to_bucket, std::string to_key,
                                                 std::optional<Attributes> attributes,
                                                 Condition condition) {
  auto from = co_await place(from_bucket, from_key, Use::read);
  if (!from) co_return from.error();
  auto to = co_await place(to_bucket, to_key, Use::write);
  if (!to) co_return to.error();
  if (from->store == to->store) {
    auto copied = co_await to->store->copy(std::move(from->bucket), std::move(from->key),
                                           std::move(to->bucket), std::move(to->key),
                                           std::move(attributes), std::move(condition));
    co_return named(std::move(copied), std::move(to_key));
  }
  auto source = co_await from->store->open(std::move(from->bucket), std::move(from->key));
  if (!source) co_return source.error();
  const ObjectFacts& facts = (*source)->facts();
  if (facts.size > copy_between_bytes_max)
    co_return Error(Code::invalid, "an object of " + std::to_string(facts.size) +
                                       " bytes is not copied to " + to_bucket + "/" + to_key +
                                       " at once, which is another store: read it and put it "
                                       "there");
  auto bytes = co_await read_all(**source);
  if (!bytes) co_return bytes.error();
  Attributes wanted = attributes ? std::move(*attributes) : facts.attributes;
  auto stored = co_await to->store->put(std::move(to->bucket), std::move(to->key),
                                        std::move(*bytes), std::move(wanted), std::move(condition));
  co_return named(std::move(stored), std::move(to_key));
}

io::Task<Result<Store::Pinned>> PassingStore::materialize(std::string bucket, std::string key) {
  auto at = co_await place(bucket, key, Use::read);
  if (!at) co_return at.error();
  co_return co_await at->store->materialize(std::move(at->bucket), std::move(at->key));
}

io::Task<std::optional<PassingStore::Together>> PassingStore::together(
    const std::string& bucket, const std::vector<std::string>& keys) {
  Together all;
  for (const std::string& key : keys) {
    auto at = co_await place(bucket, key, Use::read);
    bool is_first = all.store == nullptr;
    if (!at || (!is_first && (at->store != all.store || at->bucket != all.bucket)))
      co_return std::nullopt;
    all.store = at->store;
    if (is_first) all.bucket = std::move(at->bucket);
    all.keys.push_back(std::move(at->key));
  }
  if (keys.empty()) co_return std::nullopt;
  co_return all;
}

io::Task<std::vector<Result<std::string>>> PassingStore::get_all(std::string bucket,
                                                                 std::vector<std::string> keys) {
  auto all = co_await together(bucket, keys);
  if (!all) co_return co_await Store::get_all(std::move(bucket), std::move(keys));
  co_return co_await all->store->get_all(std::move(all->bucket), std::move(all->keys));
}

io::Task<std::vector<Result<Store::Pinned>>> PassingStore::materialize_all(
    std::string bucket, std::vector<std::string> keys) {
  auto all = co_await together(bucket, keys);
  if (!all) co_return co_await Store::materialize_all(std::move(bucket), std::move(keys));
  co_return co_await all->store->materialize_all(std::move(all->bucket), std::move(all->keys));
}

}  // namespace pinpipe::objects
