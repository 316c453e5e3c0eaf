// A Stream over a connected socket. Only this room includes it.
// Reads and writes try the system call first and wait only when the last one has shown that there
// is nothing to read or no room: an answer that fits the socket's buffer costs no loop turn, and a
// request that came whole is one read.
#pragma once

#include <memory>
#include <optional>

#include "io/pause.h"
#include "io/readiness.h"
#include "io/stream.h"

namespace pinpipe::io {

class SocketStream final : public Stream, private Readiness::Watcher {
 public:
  enum class Kind { tcp, local };

  // Owns the descriptor. On the loop where it lives.
  SocketStream(int descriptor, Kind kind);
  ~SocketStream() override;

  Task<Result<size_t>> read_some(std::span<char> into) override;
  Task<Status> write(std::span<const std::string_view> pieces) override;
  Task<Status> send_file(int descriptor, uint64_t offset, uint64_t count) override;
  size_t write_now(std::string_view bytes) override;
  uint64_t bytes_taken() const override { return taken_; }
  bool has_news() const override { return look() != Sight::nothing; }
  Task<bool> hung_up() override;
  void set_deadline(Instant deadline) override;
  void end_writes() override;
  void close() override;
  std::string peer() const override { return name(true); }
  std::string own_address() const override { return name(false); }
  bool is_local_socket() const override { return kind_ == Kind::local; }

 private:
  static constexpr size_t pieces_per_call = 16;
  static constexpr int full_reads_max = 16;  // then others have their turn

  // What a read would find, without taking it.
  enum class Sight { nothing, bytes, end };

  struct Direction {
    bool is_ready = true;  // as far as is known
    Pause pause;
  };
  class DeadlineWatch;

  void on_news(const Readiness::News& news) override;
  void interrupt();
  Sight look() const;
  std::string name(bool remote) const;
  std::optional<Error> refusal(bool was_cancelled) const;
  Error failure(std::string_view action) const;

  int socket_;
  Kind kind_;
  Readiness& readiness_;
  Direction reads_;
  Direction writes_;
  bool has_ended_ = false;  // the peer's side
  int full_reads_ = 0;
  uint64_t taken_ = 0;
  std::shared_ptr<DeadlineWatch> deadline_;
};

}  // namespace pinpipe::io
