// A store that has nothing of its own: every operation on an object is passed on to the store that
// has it, under the name that it has there, or refused. What stands in front of a store is one: a
// principal's rights (access.h), folders as buckets (folder_store.h), another store as one of its
// folders (mounted_store.h). Each says where an object is, and what it makes of buckets and lists.
// Promise: answers name objects as the caller did. A temporary file that was handed over is taken,
// also when its object was refused. Bounds: copy_between_bytes_max.
#pragma once

#include <string>

#include "objects/store.h"

namespace pinpipe::objects {

class PassingStore : public Store {
 public:
  // More than this is not copied from one store to another.
  static constexpr uint64_t copy_between_bytes_max = uint64_t{64} << 20;

  // To the store behind, unchanged.
  io::Task<Status> create_bucket(std::string name) override;
  io::Task<Status> remove_bucket(std::string name) override;
  io::Task<Result<std::vector<BucketFacts>>> list_buckets() override;
  io::Task<Result<BucketFacts>> find_bucket(std::string name) override;
  io::Task<Result<Listing>> list(std::string bucket, ListQuery query) override;
  std::string new_temporary() override { return behind_->new_temporary(); }

  // To the store that place() says.
  io::Task<Result<ObjectFacts>> put(std::string bucket, std::string key, std::string bytes,
                                    Attributes attributes, Condition condition) override;
  io::Task<Result<ObjectFacts>> adopt(std::string bucket, std::string temporary_path,
                                      std::string key, Attributes attributes, Condition condition,
                                      std::string etag = {}) override;
  io::Task<Result<ObjectFacts>> head(std::string bucket, std::string key) override;
  io::Task<Result<std::unique_ptr<OpenObject>>> open(std::string bucket, std::string key) override;
  io::Task<Result<std::string>> get(std::string bucket, std::string key,
                                    std::optional<ByteRange> range = std::nullopt) override;
  io::Task<Status> remove(std::string bucket, std::string key, Condition condition = {}) override;
  io::Task<Result<ObjectFacts>> copy(std::string from_bucket, std::string from_key,
                                     std::string to_bucket, std::string to_key,
                                     std::optional<Attributes> attributes,
                                     Condition condition = {}) override;
  io::Task<Result<Pinned>> materialize(std::string bucket, std::string key) override;
  // As one, where one store has them all; otherwise one by one.
  io::Task<std::vector<Result<std::string>>> get_all(std::string bucket,
                                                     std::vector<std::string> keys) override;
  io::Task<std::vector<Result<Pinned>>> materialize_all(std::string bucket,
                                                        std::vector<std::string> keys) override;

 protected:
  // `behind` outlives this. All stores that place() may say take its temporary files.
  explicit PassingStore(Store& behind) : behind_(&behind) {}

  enum class Use { read, write, remove };
  struct Place {
    Store* store;
    std::string bucket;
    std::string key;
  };
  // Where an object is that is to be used so; not ok when it must not be.
  virtual io::Task<Result<Place>> place(const std::string& bucket, const std::string& key,
                                        Use use) = 0;

  Store& behind() const { return *behind_; }

 private:
  struct Together {
    Store* store = nullptr;
    std::string bucket;
    std::vector<std::string> keys;
  };
  // Where all these objects are; nothing when that is no one place, or one must not be read.
  io::Task<std::optional<Together>> together(const std::string& bucket,
                                             const std::vector<std::string>& keys);

  Store* behind_;
};

}  // namespace pinpipe::objects
