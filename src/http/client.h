// An HTTP/1.1 client with a pool of kept-alive connections per loop and authority.
// Promise: a request is sent again by itself only when the server cannot have seen it (a kept
// connection that was closed before the first byte of an answer, for idempotent methods) or where
// Retry says so. Bounds: connections_per_authority_max, body_bytes_max.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "http/message.h"
#include "io/timer.h"

namespace pinpipe::http {

// "http://127.0.0.1:8082/test" or "unix:/path/to.sock:/api/v1/…"
struct Url {
  std::string scheme, host, target;
  uint16_t port = 0;
  std::string socket_path;
  static Result<Url> parse(std::string_view text);
  std::string authority() const;
};

class Client {
 public:
  struct Options {
    size_t connections_per_authority_max = 128;
    uint64_t body_bytes_max = 256ULL << 20;
    Millis connect_timeout{5'000};
    Millis idle_timeout{30'000};
  };

  // Lives on the loop it is first used on; one Client per loop.
  explicit Client(Options options);
  Client();
  ~Client();

  // Sends and reads the whole answer. An error means that no whole answer came: `unavailable` when
  // the request cannot have been acted on (refused, reset before it was sent), `timeout` or
  // `internal` when it may have been. Any HTTP status is a success here.
  io::Task<Result<Response>> fetch(const Url& to, const Request& request, io::Instant deadline);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pinpipe::http
