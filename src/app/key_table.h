// The data directory's own authentication_credentials: access keys as a Delta table, as Databricks
// keeps those of the course, for `objects: { store: s3, credentials: … }` and for the notebooks.
// Promise: it lies in a directory that only its owner may enter (mode 0700), outside of the lake:
// neither SQL nor the S3 door nor `pinpipe table` see it. Bounds: lake::credential_rows_max.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "auth/credentials.h"
#include "io/runtime.h"
#include "lake/credential_table.h"

namespace pinpipe::objects {
class DirectoryStore;
}

namespace pinpipe::app {

class KeyTable {
 public:
  // `directory` is the table's own; the lake's pools and SQL sessions are used. The runtime and
  // they outlive this.
  KeyTable(std::string directory, io::Runtime& runtime, lake::Connect connect);
  ~KeyTable();

  // The table holds these keys and no others afterwards.
  io::Task<Result<lake::Version>> write(std::vector<auth::Credential> keys);
  io::Task<Result<std::vector<auth::Credential>>> read();
  const std::string& directory() const { return directory_; }

 private:
  Status make_private();

  std::string directory_;
  io::Runtime& runtime_;
  lake::Location location_;
  std::unique_ptr<objects::DirectoryStore> store_;
  lake::Services services_;
};

// The first key of the table in a directory, ours or a copy of Databricks': what
// objects::CredentialPlaces asks for. `temp_root` is for the SQL engine. Blocks; with loops and
// pools of its own.
Result<auth::Credential> first_key_of(const std::string& directory, const std::string& temp_root);

}  // namespace pinpipe::app
