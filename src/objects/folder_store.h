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

#include "objects/passing_store.h"

namespace pinpipe::objects {

class FolderStore : public PassingStore {
 public:
  static constexpr size_t bucket_bytes_max = 255;

  // `outer` outlives this; its bucket is there.
  FolderStore(Store& outer, std::string outer_bucket)
      : PassingStore(outer), outer_bucket_(std::move(outer_bucket)) {}

  io::Task<Status> create_bucket(std::string name) override;
  io::Task<Status> remove_bucket(std::string name) override;
  io::Task<Result<std::vector<BucketFacts>>> list_buckets() override;
  io::Task<Result<BucketFacts>> find_bucket(std::string name) override;
  io::Task<Result<Listing>> list(std::string bucket, ListQuery query) override;

 private:
  io::Task<Result<Place>> place(const std::string& bucket, const std::string& key,
                                Use use) override;
  // Asked of the outer store once, then remembered.
  io::Task<Status> need_bucket(const std::string& name);

  std::string outer_bucket_;
  std::mutex mutex_;
  std::set<std::string> known_;  // buckets that were there
};

}  // namespace pinpipe::objects
