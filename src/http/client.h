// An HTTP/1.1 client with a pool of kept-alive connections per loop, scheme and authority.
// A kept connection is looked at before it is used: one that the server has closed is not.
// Promise: a request is sent again by itself only when that cannot do anything twice: no byte of it
// was taken, or a kept connection ended before the first byte of an answer and the method is GET,
// HEAD or OPTIONS (a PUT or DELETE of an API in front of a log or a queue is not idempotent,
// whatever the standard says of the method); and where Retry says so. https verifies the server's
// certificate. Bounds: connections_per_authority_max, body_bytes_max, head_bytes_max.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "http/sign.h"
#include "http/url.h"
#include "io/timer.h"

namespace pinpipe::http {

class Client {
 public:
  struct Options {
    size_t connections_per_authority_max = 128;
    uint64_t body_bytes_max = 256ULL << 20;
    size_t head_bytes_max = 64 * 1024;
    Millis connect_timeout{5'000};
    Millis idle_timeout{30'000};
    std::string ca_file{};   // PEM; empty: the system's roots
    bool verify_tls = true;  // false lets anybody answer to https: only where the user said so
    std::optional<Signing> signing{};  // every request goes out with an AWS signature
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

  // Sends and reads the whole answer; the deadline covers connecting and the TLS handshake too. An
  // error means that no whole answer came: `unavailable` when the request cannot have been acted on
  // (refused, not connected in time, ended before any byte of it was taken), `denied` when the
  // server's certificate does not do and `invalid` when the request or a file of ours does not
  // (not acted on either), `timeout` or `internal` when it may have been. Any HTTP status is a
  // success here.
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
