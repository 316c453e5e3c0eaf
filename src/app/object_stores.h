// The house's object stores as its project wants them.
//   store: local   buckets below data/buckets, tables as plain files below data/lake; the tables
//                  are seen as the folder delta/ of the user's bucket
//   store: s3      buckets of an S3 service elsewhere; tables in the folder delta/ of the user's
// Promise: nobody above can tell which, but by what the stores themselves promise. Parts of uploads
// that are not complete wait on this machine in both.
#pragma once

#include <memory>
#include <string>

#include "app/data_directory.h"
#include "io/runtime.h"
#include "objects/aws_credentials.h"
#include "objects/store.h"
#include "objects/uploads.h"
#include "project/project.h"

namespace pinpipe::app {

// In the order of building; destroyed in the reverse one.
struct ObjectStores {
  std::unique_ptr<objects::Store> buckets;
  std::unique_ptr<objects::Uploads> uploads;
  std::unique_ptr<objects::Store> lake;
  std::unique_ptr<objects::Store> mounted;  // the buckets, with local tables in delta/
  std::string lake_url = {};                // for people: where the lake's buckets are

  // As the S3 door shows them.
  objects::Store& seen() const { return mounted ? *mounted : *buckets; }
};

struct StoreChoice {
  const project::Project& project;
  const DataDirectory& directory;
  std::string user_bucket;
  std::string lake_bucket;  // made when it is absent
  objects::CredentialTable credential_table = {};
};

// Blocks; not on a loop thread.
Result<ObjectStores> open_object_stores(const StoreChoice& choice, io::Runtime& runtime);

// Where a remote store puts what is on its way: beside the uploads' parts, so that one becomes the
// other without a copy.
std::string remote_temporaries(const DataDirectory& directory);

}  // namespace pinpipe::app
