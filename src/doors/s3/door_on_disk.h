// An S3 door with all that is behind it, over the buckets of one directory: for tests, fuzzers and
// benches. Whoever comes may do everything.
#pragma once

#include <memory>
#include <string>

#include "doors/s3/door.h"
#include "io/runtime.h"
#include "objects/bucket_store.h"

namespace pinpipe::s3 {

class DoorOnDisk {
 public:
  // The directory is there; the runtime outlives this.
  DoorOnDisk(const std::string& root, io::Runtime& runtime, const Door::Options& options = {},
             Clock& clock = system_clock())
      : store_(open(root, runtime)),
        uploads_(objects::LocalOptions{.root = root}, runtime.disk()),
        objects_(*store_, [all = std::make_shared<const auth::Policy>(
                               auth::Policy::open_for_local())] { return all; }),
        door_({objects_, uploads_, [this] { return keys_; }, runtime.disk(), clock}, options) {}

  objects::BucketStore& store() { return *store_; }
  objects::Uploads& uploads() { return uploads_; }
  auth::Credentials& keys() { return *keys_; }
  const Door& door() const { return door_; }

 private:
  static std::unique_ptr<objects::BucketStore> open(const std::string& root, io::Runtime& runtime) {
    auto opened = objects::BucketStore::open({.root = root}, runtime.disk());
    CHECK(opened.has_value(), "the store opens");
    return std::move(*opened);
  }

  std::unique_ptr<objects::BucketStore> store_;
  objects::Uploads uploads_;
  objects::Objects objects_;
  std::shared_ptr<auth::Credentials> keys_ = std::make_shared<auth::Credentials>();
  Door door_;
};

}  // namespace pinpipe::s3
