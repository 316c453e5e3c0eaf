// A store in memory whose every operation a test may watch, race or break.
//   store.before = [](const Operation& o) { … }     runs right before an operation: another writer
//   store.fault = [](const Operation& o) { … }      what becomes of it: lost request, lost reply
//   store.crash_at(n)                               the n-th change is the last one for this
//   process
// Promise: conditional puts are atomic; operations of tasks on one loop interleave. A crash leaves
// the objects as they are: everything fails with `unavailable` until revive().
// Temporary files are real, since Parquet is written by a library that knows only files.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "io/files.h"
#include "io/pool.h"
#include "kit/temporary_directory.h"
#include "objects/store.h"

namespace pinpipe::kit {

class MemoryStore final : public objects::Store {
 public:
  enum class Verb { put, adopt, get, head, list, remove, copy, materialize, bucket };
  struct Operation {
    Verb verb;
    std::string key;
    bool is_change() const {
      return verb == Verb::put || verb == Verb::adopt || verb == Verb::remove || verb == Verb::copy;
    }
  };
  struct Fault {
    Code code = Code::unavailable;
    bool happens_first = false;  // the operation is carried out and only its reply lost
  };

  MemoryStore(io::Pool& pool, Clock& clock) : pool_(pool), clock_(clock) {}

  std::function<void(const Operation&)> before;
  std::function<std::optional<Fault>(const Operation&)> fault;

  // The `change`-th change from now (1 is the next) is the last: it is carried out if `happens`.
  void crash_at(uint64_t change, bool happens) {
    std::lock_guard lock(mutex_);
    changes_ = 0;
    crash_change_ = change;
    crash_happens_ = happens;
  }
  void revive() {
    std::lock_guard lock(mutex_);
    crash_change_ = 0;
    dead_ = false;
  }
  bool is_dead() const {
    std::lock_guard lock(mutex_);
    return dead_;
  }
  uint64_t changes() const {
    std::lock_guard lock(mutex_);
    return changes_;
  }

  // Directly, past all hooks: the other writer.
  bool put_now(const std::string& key, std::string bytes, bool if_absent = false) {
    std::lock_guard lock(mutex_);
    return place("lake", key, std::move(bytes), {}, {.if_absent = if_absent, .if_etag = {}})
        .has_value();
  }
  std::optional<std::string> get_now(const std::string& key) const {
    std::lock_guard lock(mutex_);
    auto bucket = buckets_.find("lake");
    if (bucket == buckets_.end()) return std::nullopt;
    auto at = bucket->second.find(key);
    if (at == bucket->second.end()) return std::nullopt;
    return *at->second.bytes;
  }
  void remove_now(const std::string& key) {
    std::lock_guard lock(mutex_);
    buckets_["lake"].erase(key);
  }
  void set_modified_ms(const std::string& key, int64_t modified_ms) {
    std::lock_guard lock(mutex_);
    buckets_["lake"].at(key).modified_ms = modified_ms;
  }
  std::vector<std::string> keys_now() const {
    std::lock_guard lock(mutex_);
    std::vector<std::string> keys;
    auto bucket = buckets_.find("lake");
    if (bucket == buckets_.end()) return keys;
    for (const auto& [key, object] : bucket->second) keys.push_back(key);
    return keys;
  }
  const std::string& directory() const { return directory_.path(); }

  io::Task<Status> create_bucket(std::string name) override {
    auto work = [&]() -> Status {
      std::lock_guard lock(mutex_);
      if (!buckets_.try_emplace(name).second) return Error(Code::conflict, "bucket exists");
      return {};
    };
    co_return co_await pool_.run(work);
  }
  io::Task<Status> remove_bucket(std::string name) override {
    auto work = [&]() -> Status {
      std::lock_guard lock(mutex_);
      auto at = buckets_.find(name);
      if (at == buckets_.end()) return Error(Code::not_found, "no such bucket");
      if (!at->second.empty()) return Error(Code::conflict, "bucket is not empty");
      buckets_.erase(at);
      return {};
    };
    co_return co_await pool_.run(work);
  }
  io::Task<Result<std::vector<objects::BucketFacts>>> list_buckets() override {
    auto work = [&]() -> Result<std::vector<objects::BucketFacts>> {
      std::lock_guard lock(mutex_);
      std::vector<objects::BucketFacts> facts;
      for (const auto& [name, bucket] : buckets_) facts.push_back({.name = name});
      return facts;
    };
    co_return co_await pool_.run(work);
  }
  io::Task<Result<objects::BucketFacts>> find_bucket(std::string name) override {
    auto work = [&]() -> Result<objects::BucketFacts> {
      std::lock_guard lock(mutex_);
      if (!buckets_.contains(name)) return Error(Code::not_found, "no such bucket");
      return objects::BucketFacts{.name = name};
    };
    co_return co_await pool_.run(work);
  }

  io::Task<Result<objects::ObjectFacts>> put(std::string bucket, std::string key, std::string bytes,
                                             objects::Attributes attributes,
                                             objects::Condition condition) override {
    auto work = [&]() -> Result<objects::ObjectFacts> {
      return change<objects::ObjectFacts>({Verb::put, key}, [&] {
        return place(bucket, key, std::move(bytes), std::move(attributes), condition);
      });
    };
    co_return co_await pool_.run(work);
  }
  io::Task<Result<objects::ObjectFacts>> adopt(std::string bucket, std::string temporary_path,
                                               std::string key, objects::Attributes attributes,
                                               objects::Condition condition,
                                               std::string /*etag*/) override {
    auto work = [&]() -> Result<objects::ObjectFacts> {
      auto bytes = io::posix_files().read_all(temporary_path);
      (void)io::posix_files().remove(temporary_path);
      if (!bytes) return bytes.error();
      return change<objects::ObjectFacts>({Verb::adopt, key}, [&] {
        return place(bucket, key, std::move(*bytes), std::move(attributes), condition);
      });
    };
    co_return co_await pool_.run(work);
  }
  std::string new_temporary() override {
    return directory_.path() + "/" + std::to_string(++temporaries_);
  }

  io::Task<Result<objects::ObjectFacts>> head(std::string bucket, std::string key) override {
    auto work = [&]() -> Result<objects::ObjectFacts> {
      auto object = read({Verb::head, key}, bucket);
      if (!object) return object.error();
      return facts_of(key, *object);
    };
    co_return co_await pool_.run(work);
  }
  io::Task<Result<std::unique_ptr<objects::OpenObject>>> open(std::string bucket,
                                                              std::string key) override {
    auto work = [&]() -> Result<std::unique_ptr<objects::OpenObject>> {
      auto object = read({Verb::get, key}, bucket);
      if (!object) return object.error();
      return std::unique_ptr<objects::OpenObject>(
          std::make_unique<Opened>(facts_of(key, *object), object->bytes));
    };
    co_return co_await pool_.run(work);
  }
  io::Task<Result<std::string>> get(std::string bucket, std::string key,
                                    std::optional<objects::ByteRange> range) override {
    auto work = [&]() -> Result<std::string> {
      auto object = read({Verb::get, key}, bucket);
      if (!object) return object.error();
      if (!range) return *object->bytes;
      if (range->offset > object->bytes->size()) return Error(Code::invalid, "beyond the end");
      return object->bytes->substr(range->offset, range->size.value_or(std::string::npos));
    };
    co_return co_await pool_.run(work);
  }
  io::Task<Status> remove(std::string bucket, std::string key,
                          objects::Condition condition = {}) override {
    auto work = [&]() -> Status {
      return change<void>({Verb::remove, key}, [&]() -> Status {
        auto at = buckets_[bucket].find(key);
        if (condition.if_etag && at == buckets_[bucket].end())
          return Error(Code::not_found, key + " is not there");
        if (condition.if_etag && at->second.etag != *condition.if_etag)
          return Error(Code::conflict, "another version");
        buckets_[bucket].erase(key);
        return {};
      });
    };
    co_return co_await pool_.run(work);
  }
  io::Task<Result<objects::ObjectFacts>> copy(std::string from_bucket, std::string from_key,
                                              std::string to_bucket, std::string to_key,
                                              std::optional<objects::Attributes> attributes,
                                              objects::Condition condition) override {
    auto work = [&]() -> Result<objects::ObjectFacts> {
      auto object = read({Verb::get, from_key}, from_bucket);
      if (!object) return object.error();
      return change<objects::ObjectFacts>({Verb::copy, to_key}, [&] {
        return place(to_bucket, to_key, *object->bytes,
                     attributes ? *attributes : object->attributes, condition);
      });
    };
    co_return co_await pool_.run(work);
  }
  io::Task<Result<objects::Listing>> list(std::string bucket, objects::ListQuery query) override {
    auto work = [&] { return list_now(bucket, query); };
    co_return co_await pool_.run(work);
  }
  io::Task<Result<Pinned>> materialize(std::string bucket, std::string key) override {
    auto work = [&]() -> Result<Pinned> {
      auto object = read({Verb::materialize, key}, bucket);
      if (!object) return object.error();
      std::string path = new_temporary();
      auto file = io::posix_files().open(path, io::OpenMode::create_new);
      if (!file) return file.error();
      auto written = (*file)->write_at(*object->bytes, 0);
      if (!written) return written.error();
      auto remove = [](std::string* kept) {
        (void)io::posix_files().remove(*kept);
        delete kept;
      };
      return Pinned{.path = path, .keep = {new std::string(path), remove}};
    };
    co_return co_await pool_.run(work);
  }

 private:
  struct Object {
    std::shared_ptr<const std::string> bytes;
    int64_t modified_ms = 0;
    std::string etag;
    objects::Attributes attributes;
  };
  class Opened final : public objects::OpenObject {
   public:
    Opened(objects::ObjectFacts facts, std::shared_ptr<const std::string> bytes)
        : facts_(std::move(facts)), bytes_(std::move(bytes)) {}
    const objects::ObjectFacts& facts() const override { return facts_; }
    io::Task<Result<size_t>> read_at(std::span<char> into, uint64_t offset) override {
      if (offset >= bytes_->size()) co_return size_t{0};
      co_return bytes_->copy(into.data(), into.size(), offset);
    }

   private:
    objects::ObjectFacts facts_;
    std::shared_ptr<const std::string> bytes_;
  };

  static objects::ObjectFacts facts_of(const std::string& key, const Object& object) {
    return {.key = key,
            .size = object.bytes->size(),
            .modified_ms = object.modified_ms,
            .etag = object.etag,
            .attributes = object.attributes};
  }

  static Error lost(Code code) { return Error(code, "the test lost this one"); }

  // With the hooks: what a test decided about this operation.
  std::optional<Fault> fate_of(const Operation& operation) {
    if (before) before(operation);
    std::optional<Fault> fate;
    if (fault) fate = fault(operation);
    std::lock_guard lock(mutex_);
    if (dead_) return Fault{};
    if (operation.is_change() && ++changes_ == crash_change_) {
      dead_ = true;
      return Fault{.happens_first = crash_happens_};
    }
    return fate;
  }

  template <class T, class F>
  Result<T> change(const Operation& operation, F carry_out) {
    auto fate = fate_of(operation);
    if (fate && !fate->happens_first) return lost(fate->code);
    std::lock_guard lock(mutex_);
    Result<T> result = carry_out();
    if (fate) return lost(fate->code);
    return result;
  }

  Result<Object> read(const Operation& operation, const std::string& bucket) {
    auto fate = fate_of(operation);
    if (fate) return lost(fate->code);
    std::lock_guard lock(mutex_);
    auto in = buckets_.find(bucket);
    if (in == buckets_.end()) return Error(Code::not_found, "no such bucket");
    auto at = in->second.find(operation.key);
    if (at == in->second.end()) return Error(Code::not_found, operation.key + " is not there");
    return at->second;
  }

  // Under the mutex.
  Result<objects::ObjectFacts> place(const std::string& bucket, const std::string& key,
                                     std::string bytes, objects::Attributes attributes,
                                     const objects::Condition& condition) {
    auto in = buckets_.find(bucket);
    if (in == buckets_.end()) return Error(Code::not_found, "no such bucket");
    auto at = in->second.find(key);
    if (condition.if_absent && at != in->second.end()) return Error(Code::conflict, "it is there");
    if (condition.if_etag) {
      if (at == in->second.end()) return Error(Code::not_found, key + " is not there");
      if (at->second.etag != *condition.if_etag) return Error(Code::conflict, "another version");
    }
    Object object{.bytes = std::make_shared<const std::string>(std::move(bytes)),
                  .modified_ms = clock_.wall_ms(),
                  .etag = {},
                  .attributes = std::move(attributes)};
    object.etag = to_hex(md5(*object.bytes));
    auto facts = facts_of(key, object);
    in->second.insert_or_assign(key, std::move(object));
    return facts;
  }

  Result<objects::Listing> list_now(const std::string& bucket, const objects::ListQuery& query) {
    auto fate = fate_of({Verb::list, query.prefix});
    if (fate) return lost(fate->code);
    std::lock_guard lock(mutex_);
    auto in = buckets_.find(bucket);
    if (in == buckets_.end()) return Error(Code::not_found, "no such bucket");
    objects::Listing listing;
    std::string last_prefix;
    for (const auto& [key, object] : in->second) {
      if (!key.starts_with(query.prefix) || key <= query.after) continue;
      size_t cut = query.delimiter.empty() ? std::string::npos
                                           : key.find(query.delimiter, query.prefix.size());
      std::string entry =
          cut == std::string::npos ? key : key.substr(0, cut + query.delimiter.size());
      bool is_prefix = cut != std::string::npos;
      if (is_prefix && (entry == last_prefix || entry <= query.after)) continue;
      if (listing.objects.size() + listing.common_prefixes.size() == query.count_max) {
        listing.truncated = true;
        break;
      }
      if (is_prefix) {
        listing.common_prefixes.push_back(entry);
        last_prefix = entry;
      } else {
        listing.objects.push_back(facts_of(key, object));
      }
      listing.next_after = entry;
    }
    return listing;
  }

  io::Pool& pool_;
  Clock& clock_;
  TemporaryDirectory directory_;
  std::atomic<uint64_t> temporaries_{0};

  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::string, Object>> buckets_;
  uint64_t changes_ = 0;
  uint64_t crash_change_ = 0;
  bool crash_happens_ = false;
  bool dead_ = false;
};

}  // namespace pinpipe::kit
