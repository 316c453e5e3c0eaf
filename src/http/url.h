// Where a request goes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pinpipe::http {

// "http://127.0.0.1:8082/test" or "unix:/path/to.sock:/api/v1/…"
struct Url {
  std::string scheme, host, target;
  uint16_t port = 0;
  std::string socket_path;
  static Result<Url> parse(std::string_view text);
  std::string authority() const;    // "host:80", "[::1]:80"; a socket's path
  std::string host_header() const;  // what to send as Host
};

}  // namespace pinpipe::http
