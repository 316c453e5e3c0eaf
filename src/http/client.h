// An HTTP/1.1 client with a pool of kept-alive connections per loop and authority.
// A connection that has rested for a while is asked whether it is still open before it is used.
// Promise: a request is sent again by itself only when the server cannot have seen it (a kept
// connection that was closed before the first byte of an answer, for idempotent methods) or where
// Retry says so. Bounds: connections_per_authority_max, body_bytes_max.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

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
    size_t head_bytes_max = 64 * 1024;
    Millis connect_timeout{5'000};
    Millis idle_timeout{30'000};
  };

  // When to send again what has failed. Waits between attempts double from delay and are drawn
  // evenly from the upper half, so that many clients do not come back together.
  struct Retry {
    int attempts_max = 1;
    Millis delay{100};
    Millis delay_max{5'000};
    // Also what the server may have acted on: its end was lost, or it answered 500, 502 or 504.
    // Without it only failures that came before the server could act, 429 and 503.
    bool when_maybe_done = false;
  };

  // Lives on the loop it is first used on; one Client per loop.
  explicit Client(Options options);
  Client();
  ~Client();

  // Sends and reads the whole answer. An error means that no whole answer came: `unavailable` when
  // the request cannot have been acted on (refused, reset before it was sent), `timeout` or
  // `internal` when it may have been. Any HTTP status is a success here.
  // Host and the body's length are written by the client.
  io::Task<Result<Response>> fetch(const Url& to, const Request& request, io::Instant deadline);
  // The same as often as `retry` says; the last outcome counts. Retry-After is honoured.
  io::Task<Result<Response>> fetch(const Url& to, const Request& request, io::Instant deadline,
                                   Retry retry);

  // Open connections, at rest or in use.
  size_t connection_count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pinpipe::http
