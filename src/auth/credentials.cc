#include "auth/credentials.h"

#include <fmt/format.h>

#include "base/log_line.h"

namespace pinpipe::auth {

Status Credentials::add(Credential credential) {
  if (credential.access_key.empty() || credential.secret.empty()) {
    return Error(Code::invalid, "an access key and its secret must not be empty");
  }
  if (by_key_.size() == credentials_max) {
    return Error(Code::invalid, fmt::format("there are at most {} access keys", credentials_max));
  }
  if (by_key_.contains(credential.access_key)) {
    return Error(Code::conflict,
                 fmt::format("access key {} exists already", credential.access_key));
  }
  redact_in_logs(credential.secret);
  redact_in_logs(credential.session_token);
  std::string key = credential.access_key;
  by_key_.emplace(std::move(key), std::move(credential));
  return {};
}

const Credential* Credentials::find(std::string_view access_key) const {
  auto found = by_key_.find(access_key);
  return found == by_key_.end() ? nullptr : &found->second;
}

bool Credentials::remove(std::string_view access_key) {
  auto found = by_key_.find(access_key);
  if (found == by_key_.end()) return false;
  by_key_.erase(found);
  return true;
}

}  // namespace pinpipe::auth
