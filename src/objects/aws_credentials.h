// Where a remote store's access key comes from, in the order in which it is looked for:
//   a CSV file as the IAM console gives it (columns "User name", "Access key ID", "Secret access
//   key"), or a directory that is a Delta table of these columns, as Databricks keeps them
//   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//   the profile of AWS_PROFILE (or "default") in AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials)
// Promise: secrets that were found never appear in a log line or in an error.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "auth/credentials.h"
#include "io/files.h"

namespace pinpipe::objects {

// Reads a credentials table: the first row of a Delta table's columns. Blocks. This room does not
// know tables, so whoever knows them hands this in.
using CredentialTable = std::function<Result<auth::Credential>(const std::string& directory)>;

struct CredentialPlaces {
  std::string path = {};     // authentication_credentials(.csv); empty: none
  std::string profile = {};  // empty: AWS_PROFILE, then "default"
  // The environment; a variable that is not set is nothing.
  std::function<std::optional<std::string>(const char*)> variable = {};
  CredentialTable table = {};  // for a path that is a directory; without it, that is `invalid`
};

// The process's own environment.
std::optional<std::string> environment_variable(const char* name);

// Blocks. `not_found` names the places that were looked at; `invalid` what is wrong in a file.
Result<auth::Credential> find_credential(const CredentialPlaces& places,
                                         io::Files& files = io::posix_files());

// The first row with both keys. A byte order mark, other columns and blanks do not matter.
Result<auth::Credential> credential_of_csv(std::string_view text);
// Of a table's columns, by name without regard to case: user name, access key id, secret access
// key.
Result<auth::Credential> credential_of_columns(
    const std::function<std::optional<std::string>(std::string_view)>& column);
// A section of an AWS credentials file.
Result<auth::Credential> credential_of_profile(std::string_view text, std::string_view profile);

}  // namespace pinpipe::objects
