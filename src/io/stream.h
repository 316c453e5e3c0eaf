// A connection's two directions of bytes, whatever carries them: TCP, a local socket, TLS, or a
// test's loopback. Lives on the loop it was made on; one read and one write may be under way at
// once.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/loop.h"
#include "io/task.h"
#include "io/timer.h"

namespace pinpipe::io {

class Stream {
 public:
  virtual ~Stream() = default;

  // At least one byte, or 0 when the peer has finished. `timeout` after the deadline.
  virtual Task<Result<size_t>> read_some(std::span<char> into) = 0;
  // All of the pieces in order.
  virtual Task<Status> write(std::span<const std::string_view> pieces) = 0;
  // `count` bytes of an open file from `offset`, without passing through user space where possible.
  virtual Task<Status> send_file(int descriptor, uint64_t offset, uint64_t count) = 0;
  // As much of `bytes` as can go without waiting, perhaps nothing: how many were taken. For answers
  // that fit and for last words before a close. Not while a write is under way.
  virtual size_t write_now(std::string_view bytes) = 0;
  // Of all that was written, how many bytes the transport has taken. What it took may have reached
  // the peer; what it did not take cannot have.
  virtual uint64_t bytes_taken() const = 0;
  // Whether a read would not wait: bytes or the peer's end are there. Costs one system call.
  virtual bool has_news() const = 0;
  // Waits, without taking anything, until the peer has closed or is lost: true. False when it sent
  // more instead, or the deadline or a cancellation came first. Counts as a read under way.
  virtual Task<bool> hung_up() = 0;
  // Reads and writes that are not done by then answer `timeout`. `never` takes it away. Cheap: made
  // for being moved on every request.
  virtual void set_deadline(Instant deadline) = 0;
  // Tells the peer that nothing more will come; reading goes on. Does nothing where a transport has
  // no such thing.
  virtual void end_writes() {}
  // Ends both directions now; waits answer `cancelled`. May be called more than once.
  virtual void close() = 0;
  // "127.0.0.1:50312", "[::1]:50312", or "local".
  virtual std::string peer() const = 0;
  // Whether the peer came by the local socket, whose file permission is its authority.
  virtual bool is_local_socket() const { return false; }
  // The address that the peer reached us by: what to advertise back to it.
  virtual std::string own_address() const { return {}; }
  // Whether TLS carries it, and which protocol was agreed on there (ALPN): "h2", or nothing.
  virtual bool is_secure() const { return false; }
  virtual std::string_view protocol() const { return {}; }

  Task<Status> write(std::string_view bytes) { return write_one(bytes); }

 private:
  Task<Status> write_one(std::string_view bytes) { co_return co_await write(std::span(&bytes, 1)); }
};

// "host:port" by name or number, tried in the resolver's order until one answers.
Task<Result<std::unique_ptr<Stream>>> connect_tcp(std::string host, uint16_t port,
                                                  Instant deadline);
Task<Result<std::unique_ptr<Stream>>> connect_local(std::string path, Instant deadline);

}  // namespace pinpipe::io
