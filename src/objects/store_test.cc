#include "objects/store.h"

#include <gtest/gtest.h>

#include "kit/store_contract.h"
#include "objects/bucket_store.h"
#include "objects/directory_store.h"
#include "objects/folder_store.h"
#include "objects/mounted_store.h"

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

// A bucket store whose folder "a/" is a bucket of a directory store.
struct MountedParts {
  std::unique_ptr<objects::Store> outer;
  std::unique_ptr<objects::Store> inner;
};
class OwnedMount final : MountedParts, public objects::MountedStore {
 public:
  explicit OwnedMount(MountedParts parts)
      : MountedParts(std::move(parts)),
        MountedStore(
            *outer,
            {.bucket = "box", .prefix = "a/", .inner = inner.get(), .inner_bucket = "within"}) {}
};

std::unique_ptr<objects::Store> make_mounted_store(const std::string& root, io::Pool& disk) {
  MountedParts parts{.outer = make_bucket_store(root, disk),
                     .inner = make_directory_store(root + "/.pinpipe/inner", disk)};
  CHECK(io::posix_files().make_directories(root + "/.pinpipe/inner/within"), "a folder is made");
  return std::make_unique<OwnedMount>(std::move(parts));
}

// Folders of the bucket "house" of a bucket store.
struct FolderParts {
  std::unique_ptr<objects::Store> outer;
};
class OwnedFolders final : FolderParts, public objects::FolderStore {
 public:
  explicit OwnedFolders(FolderParts parts)
      : FolderParts(std::move(parts)), FolderStore(*outer, "house") {}
};

std::unique_ptr<objects::Store> make_folder_store(const std::string& root, io::Pool& disk) {
  CHECK(io::posix_files().make_directories(root + "/house"), "a bucket is made");
  return std::make_unique<OwnedFolders>(FolderParts{make_bucket_store(root, disk)});
}

INSTANTIATE_TEST_SUITE_P(
    LocalStores, StoreContract,
    testing::Values(StoreMaker{"bucket_store", make_bucket_store, true, true},
                    StoreMaker{"directory_store", make_directory_store, false, false},
                    StoreMaker{"mounted_store", make_mounted_store, false, false},
                    StoreMaker{.name = "folder_store",
                               .make = make_folder_store,
                               .folder = "/house",
                               .key_bytes_max = 1020}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace pinpipe::kit
