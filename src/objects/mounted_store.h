// A store one of whose folders is another store's bucket: user-<id>-bucket/delta/… are the lake's
// files, put there by its rules (durable, put-if-absent, plain files), listed among the others.
// Promise: a caller cannot tell the two apart but by ETags and attributes. What the store itself
// has under the folder is hidden. Bounds: delimiters are one character; a page asks each store
// once.
#pragma once

#include <string>

#include "objects/store.h"

namespace pinpipe::objects {

struct Mount {
  std::string bucket;  // of the outer store
  std::string prefix;  // "delta/": ends with a slash
  Store* inner = nullptr;
  std::string inner_bucket;
};

class MountedStore : public Store {
 public:
  // More than this is not copied from one of the stores to the other.
  static constexpr uint64_t copy_between_bytes_max = uint64_t{64} << 20;

  // `outer` and the mount's store outlive this.
  MountedStore(Store& outer, Mount mount) : outer_(outer), mount_(std::move(mount)) {}

  io::Task<Status> create_bucket(std::string name) override;
  io::Task<Status> remove_bucket(std::string name) override;
  io::Task<Result<std::vector<BucketFacts>>> list_buckets() override;
  io::Task<Result<BucketFacts>> find_bucket(std::string name) override;
  io::Task<Result<ObjectFacts>> put(std::string bucket, std::string key, std::string bytes,
                                    Attributes attributes, Condition condition) override;
  // Both stores take temporary files of the outer one: they share a file system.
  io::Task<Result<ObjectFacts>> adopt(std::string bucket, std::string temporary_path,
                                      std::string key, Attributes attributes, Condition condition,
                                      std::string etag = {}) override;
  std::string new_temporary() override { return outer_.new_temporary(); }
  io::Task<Result<ObjectFacts>> head(std::string bucket, std::string key) override;
  io::Task<Result<std::unique_ptr<OpenObject>>> open(std::string bucket, std::string key) override;
  io::Task<Result<std::string>> get(std::string bucket, std::string key,
                                    std::optional<ByteRange> range = std::nullopt) override;
  io::Task<Status> remove(std::string bucket, std::string key, Condition condition = {}) override;
  io::Task<Result<ObjectFacts>> copy(std::string from_bucket, std::string from_key,
                                     std::string to_bucket, std::string to_key,
                                     std::optional<Attributes> attributes,
                                     Condition condition = {}) override;
  io::Task<Result<Listing>> list(std::string bucket, ListQuery query) override;
  io::Task<Result<Pinned>> materialize(std::string bucket, std::string key) override;

 private:
  // Where a key really is.
  struct Place {
    Store* store;
    std::string bucket;
    std::string key;
    bool mounted = false;
  };
  bool is_within(std::string_view key) const;
  Place place(std::string bucket, std::string key) const;
  // The mount's keys, named as from outside.
  io::Task<Result<Listing>> list_mounted(ListQuery query);

  Store& outer_;
  Mount mount_;
};

}  // namespace pinpipe::objects
