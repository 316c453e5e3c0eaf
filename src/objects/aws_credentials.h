// Where a remote store's access key comes from, in the order in which it is looked for:
//   a CSV file as the IAM console gives it (columns "Access key ID", "Secret access key")
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

struct CredentialPlaces {
  std::string csv_path = {};  // of authentication_credentials.csv; empty: none
  std::string profile = {};   // empty: AWS_PROFILE, then "default"
  // The environment; a variable that is not set is nothing.
  std::function<std::optional<std::string>(const char*)> variable = {};
};

// The process's own environment.
std::optional<std::string> environment_variable(const char* name);

// Blocks. `not_found` names the places that were looked at; `invalid` what is wrong in a file.
Result<auth::Credential> find_credential(const CredentialPlaces& places,
                                         io::Files& files = io::posix_files());

// The first row with both keys. A byte order mark, other columns and blanks do not matter.
Result<auth::Credential> credential_of_csv(std::string_view text);
// A section of an AWS credentials file.
Result<auth::Credential> credential_of_profile(std::string_view text, std::string_view profile);

}  // namespace pinpipe::objects
