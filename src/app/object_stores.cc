#include "app/object_stores.h"

#include <fmt/format.h>

#include "io/scope.h"
#include "objects/bucket_store.h"
#include "objects/directory_store.h"
#include "objects/folder_store.h"
#include "objects/mounted_store.h"
#include "objects/remote_store.h"

namespace pinpipe::app {
namespace {

// Ok when it was there.
Status make_bucket(io::Runtime& runtime, objects::Store& store, const std::string& name) {
  Status made = io::wait_on(runtime.loop(0), store.create_bucket(name));
  return !made && made.error().code() == Code::conflict ? Status{} : made;
}

objects::LocalOptions bucket_options(const StoreChoice& choice) {
  bool synced = choice.project.objects.fsync == project::Fsync::always;
  return {.root = choice.directory.buckets(),
          .files = synced ? &io::posix_files() : &io::unsynced_posix_files()};
}

Result<ObjectStores> open_local(const StoreChoice& choice, io::Runtime& runtime) {
  ObjectStores stores;
  const DataDirectory& directory = choice.directory;
  auto opened = objects::BucketStore::open(bucket_options(choice), runtime.disk());
  if (!opened) return opened.error();
  stores.buckets = std::move(*opened);
  auto lake = std::make_unique<objects::DirectoryStore>(
      objects::LocalOptions{.root = directory.lake()}, runtime.disk());
  if (Status clean = lake->remove_debris(); !clean) return clean.error();
  stores.mounted = std::make_unique<objects::MountedStore>(
      *stores.buckets, objects::Mount{.bucket = choice.user_bucket,
                                      .prefix = choice.lake_bucket + "/",
                                      .inner = lake.get(),
                                      .inner_bucket = choice.lake_bucket});
  stores.lake = std::move(lake);
  stores.lake_url = directory.lake();
  return stores;
}

Result<ObjectStores> open_remote(const StoreChoice& choice, io::Runtime& runtime) {
  const project::ObjectSettings& wanted = choice.project.objects;
  auto credential = objects::find_credential({.path = wanted.credentials,
                                              .profile = wanted.profile,
                                              .variable = {},
                                              .table = choice.credential_table});
  if (!credential) return credential.error();
  // What a process that was killed left there is nobody's.
  std::string temporaries = remote_temporaries(choice.directory);
  if (Status gone = io::posix_files().remove_tree(temporaries); !gone) return gone.error();
  auto opened = objects::RemoteStore::open(
      {.endpoint = wanted.endpoint,
       .region = wanted.region.empty() ? choice.project.account.region : wanted.region,
       .path_style = wanted.path_style,
       .credential = std::move(*credential),
       .temporary_directory = temporaries,
       .ca_file = wanted.ca_file},
      runtime.disk());
  if (!opened) return opened.error();
  ObjectStores stores;
  stores.buckets = std::move(*opened);
  Status made = make_bucket(runtime, *stores.buckets, choice.user_bucket);
  if (!made) return made.error();
  stores.lake = std::make_unique<objects::FolderStore>(*stores.buckets, choice.user_bucket);
  stores.lake_url = "s3://" + choice.user_bucket;
  return stores;
}

}  // namespace

std::string remote_temporaries(const DataDirectory& directory) {
  return directory.buckets() + "/.pinpipe/remote";
}

Result<ObjectStores> open_object_stores(const StoreChoice& choice, io::Runtime& runtime) {
  bool is_remote = choice.project.objects.is_remote;
  auto stores = is_remote ? open_remote(choice, runtime) : open_local(choice, runtime);
  if (!stores && is_remote)
    return stores.error().with(fmt::format(
        "the project's `objects: {{ store: s3 }}` at {}",
        choice.project.objects.endpoint.empty() ? "Amazon" : choice.project.objects.endpoint));
  if (!stores) return stores.error();
  stores->uploads = std::make_unique<objects::Uploads>(bucket_options(choice), runtime.disk());
  Status made = make_bucket(runtime, *stores->lake, choice.lake_bucket);
  if (!made) return made.error().with("the lake");
  return stores;
}

}  // namespace pinpipe::app
