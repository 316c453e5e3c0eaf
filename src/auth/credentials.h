// Access keys and whose they are.
// Promise: a secret that was added never appears in a log line.
// Bounds: credentials_max. Finding in a const table from several threads is safe; adding is not.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/principal.h"
#include "base/result.h"

namespace pinpipe::auth {

struct Credential {
  std::string access_key;
  std::string secret;
  std::string session_token;  // empty for long-lived keys
  Principal principal;
};

class Credentials {
 public:
  static constexpr size_t credentials_max = 10'000;

  // `conflict` when the access key is there already; `invalid` when the key or secret is empty.
  Status add(Credential credential);
  // nullptr when unknown; valid until the table changes.
  const Credential* find(std::string_view access_key) const;
  bool remove(std::string_view access_key);
  size_t size() const { return by_key_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, Credential, Hash, std::equal_to<>> by_key_;
};

}  // namespace pinpipe::auth
