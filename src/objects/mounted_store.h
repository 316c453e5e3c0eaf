// A store one of whose folders is another store's bucket: user-<id>-bucket/delta/… are the lake's
// files, put there by its rules (durable, put-if-absent, plain files), listed among the others.
// Promise: a caller cannot tell the two apart but by ETags and attributes. What the store itself
// has under the folder is hidden. Both stores take temporary files of the outer one: they share a
// file system. Bounds: delimiters are one character; a page asks each store once.
#pragma once

#include <string>

#include "objects/passing_store.h"

namespace pinpipe::objects {

struct Mount {
  std::string bucket;  // of the outer store
  std::string prefix;  // "delta/": ends with a slash
  Store* inner = nullptr;
  std::string inner_bucket;
};

class MountedStore : public PassingStore {
 public:
  // `outer` and the mount's store outlive this.
  MountedStore(Store& outer, Mount mount) : PassingStore(outer), mount_(std::move(mount)) {}

  io::Task<Status> remove_bucket(std::string name) override;
  io::Task<Result<Listing>> list(std::string bucket, ListQuery query) override;

 private:
  io::Task<Result<Place>> place(const std::string& bucket, const std::string& key,
                                Use use) override;
  bool is_within(std::string_view key) const;
  // The mount's keys, named as from outside.
  io::Task<Result<Listing>> list_mounted(ListQuery query);

  Mount mount_;
};

}  // namespace pinpipe::objects
