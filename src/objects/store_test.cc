#include "objects/store.h"

#include <gtest/gtest.h>

#include "kit/store_contract.h"
#include "objects/bucket_store.h"
#include "objects/directory_store.h"

namespace pinpipe::kit {
namespace {

std::unique_ptr<objects::Store> make_bucket_store(const std::string& root, io::Pool& disk) {
  auto store = objects::BucketStore::open({.root = root}, disk);
  CHECK(store.has_value(), "a bucket store opens on an empty directory");
  return std::move(*store);
}

std::unique_ptr<objects::Store> make_directory_store(const std::string& root, io::Pool& disk) {
  return std::make_unique<objects::DirectoryStore>(objects::LocalOptions{.root = root}, disk);
}

INSTANTIATE_TEST_SUITE_P(LocalStores, StoreContract,
                         testing::Values(StoreMaker{"bucket_store", make_bucket_store, true, true},
                                         StoreMaker{"directory_store", make_directory_store, false,
                                                    false}),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace pinpipe::kit
