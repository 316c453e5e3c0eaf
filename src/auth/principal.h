// Who is asking.
#pragma once

#include <string>
#include <utility>

namespace pinpipe::auth {

enum class PrincipalKind {
  anonymous,  // nobody proved anything
  local,      // came in on a loopback door that asks for no proof, or by the local socket
  user,       // proved who they are: a key, a password, a certificate
  service,    // a part of this program; every policy lets it pass
};

struct Principal {
  std::string name;
  PrincipalKind kind = PrincipalKind::anonymous;
  bool operator==(const Principal&) const = default;
};

inline Principal anonymous_principal() {
  return {"anonymous", PrincipalKind::anonymous};
}
inline Principal local_principal() {
  return {"local", PrincipalKind::local};
}
inline Principal service_principal(std::string name) {
  return {std::move(name), PrincipalKind::service};
}

}  // namespace pinpipe::auth
