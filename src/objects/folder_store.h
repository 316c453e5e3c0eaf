// A store whose buckets are folders of one bucket of another store: the lake's tables, when the
// house's objects are elsewhere, are s3://user-<id>-bucket/delta/…, where every tool expects them.
//   bucket "delta", key "pin/_delta_log/0.json"  =  outer bucket, key "delta/pin/_delta_log/0.json"
//   a bucket is there when its marker is: the empty object "delta/", as S3's console makes folders
// Promise: every store's, with what the outer store promises about puts, conditions and reads.
// Bounds: keys are shorter by the folder's name; bucket_bytes_max of it.
#pragma once

#include <mutex>
#include <set>
#include <string>

#include "objects/store.h"

namespace pinpipe::objects {

class FolderStore : public Store {
 public:
  static constexpr size_t bucket_bytes_max = 255;

  // `outer` outlives this; its bucket is there.
  FolderStore(Store& outer, std::string outer_bucket)
      : outer_(outer), outer_bucket_(std::move(outer_bucket)) {}

  io::Task<Status> create_bucket(std::string name) override;
  io::Task<Status> remove_bucket(std::string name) override;
  io::Task<Result<std::vector<BucketFacts>>> list_buckets() override;
  io::Task<Result<BucketFacts>> find_bucket(std::string name) override;
  io::Task<Result<ObjectFacts>> put(std::string bucket, std::string key, std::string bytes,
                                    Attributes attributes, Condition condition) override;
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
  // Asked of the outer store once, then remembered.
  io::Task<Status> need_bucket(const std::string& name);
  // The outer key; not ok for keys and buckets that cannot be.
  static Result<std::string> outer_key(const std::string& bucket, const std::string& key);

  Store& outer_;
  std::string outer_bucket_;
  std::mutex mutex_;
  std::set<std::string> known_;  // buckets that were there
};

}  // namespace pinpipe::objects
