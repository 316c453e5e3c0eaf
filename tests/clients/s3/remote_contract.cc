// The contract of every object store, run by objects::RemoteStore against an S3 server that is not
// ours. Wants PINPIPE_S3_ENDPOINT; PINPIPE_S3_KEY and PINPIPE_S3_SECRET are its key. Everything in
// that server is removed.
#include <cstdlib>

#include "kit/store_contract.h"
#include "objects/remote_store.h"

namespace pinpipe::kit {
namespace {

std::string variable(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : fallback;
}

void empty(io::Runtime& runtime, objects::RemoteStore& store) {
  auto wait = [&](auto task) { return io::wait_on(runtime.loop(0), std::move(task)); };
  auto buckets = wait(store.list_buckets());
  CHECK(buckets.has_value(), "the server lists its buckets");
  for (const objects::BucketFacts& bucket : *buckets) {
    while (true) {
      auto page = wait(store.list(bucket.name, {}));
      CHECK(page.has_value(), "the server lists its objects");
      for (const objects::ObjectFacts& object : page->objects)
        CHECK(wait(store.remove(bucket.name, object.key)).has_value(), "an object is removed");
      if (!page->truncated) break;
    }
    CHECK(wait(store.remove_bucket(bucket.name)).has_value(), "a bucket is removed");
  }
}

std::unique_ptr<objects::RemoteStore> open_remote(const std::string& root, io::Pool& disk) {
  objects::RemoteStore::Options options;
  options.endpoint = variable("PINPIPE_S3_ENDPOINT", "");
  options.credential = {
      variable("PINPIPE_S3_KEY", "test"), variable("PINPIPE_S3_SECRET", "test"), "", {}};
  options.temporary_directory = root + "/remote";
  auto store = objects::RemoteStore::open(std::move(options), disk);
  CHECK(store.has_value(), "the endpoint is a URL");
  return std::move(*store);
}

std::unique_ptr<objects::Store> make_remote(const std::string& root, io::Pool& disk) {
  // Each test has a directory of its own and begins with nothing; a reopened store keeps all.
  static std::string last_root;
  if (root != last_root) {
    // On a loop of its own, which its connections must not outlive.
    io::Runtime runtime({.loops = 1, .disk_threads = 1, .work_threads = 1});
    empty(runtime, *open_remote(root, disk));
  }
  last_root = root;
  return open_remote(root, disk);
}

INSTANTIATE_TEST_SUITE_P(Foreign, StoreContract,
                         testing::Values(StoreMaker{"remote_store", make_remote, true, true, false,
                                                    false}),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace pinpipe::kit
