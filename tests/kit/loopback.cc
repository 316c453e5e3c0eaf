#include "kit/loopback.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unistd.h>

#include "base/random.h"
#include "io/wake.h"

namespace pinpipe::kit {
namespace {

// One direction.
struct Pipe {
  std::string bytes;
  bool ended = false;   // the writer has finished
  bool closed = false;  // the reader has gone
  io::Signal changed;
};

class LoopbackEnd final : public io::Stream {
 public:
  LoopbackEnd(LoopbackOptions options, std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out)
      : options_(options), random_(options.seed), in_(std::move(in)), out_(std::move(out)) {}
  ~LoopbackEnd() override { close(); }

  io::Task<Result<size_t>> read_some(std::span<char> into) override {
    while (true) {
      uint64_t seen = in_->changed.version();
      if (auto refused = refusal(co_await io::cancelled())) co_return *refused;
      if (!in_->bytes.empty()) co_return take(into);
      if (in_->ended) co_return 0;
      (void)co_await in_->changed.wait_beyond(seen, deadline_);
    }
  }

  io::Task<Status> write(std::span<const std::string_view> pieces) override {
    for (std::string_view piece : pieces) {
      while (!piece.empty()) {
        uint64_t seen = out_->changed.version();
        if (auto refused = refusal(co_await io::cancelled())) co_return *refused;
        if (out_->closed) co_return Error(Code::unavailable, "the peer closed the connection");
        size_t taken = write_now(piece);
        piece.remove_prefix(taken);
        if (taken == 0) (void)co_await out_->changed.wait_beyond(seen, deadline_);
      }
    }
    co_return Status{};
  }

  io::Task<Status> send_file(int descriptor, uint64_t offset, uint64_t count) override {
    std::array<char, 4096> block;
    while (count > 0) {
      ssize_t got = ::pread(descriptor, block.data(), std::min<uint64_t>(count, block.size()),
                            static_cast<off_t>(offset));
      if (got <= 0) co_return Error(Code::corrupt, "the file ended before its sent length");
      std::string_view piece(block.data(), static_cast<size_t>(got));
      if (Status sent = co_await write(std::span(&piece, 1)); !sent) co_return sent;
      offset += piece.size();
      count -= piece.size();
    }
    co_return Status{};
  }

  size_t write_now(std::string_view bytes) override {
    if (out_->closed || out_->ended) return 0;
    size_t count = std::min(bytes.size(), options_.bytes_max - out_->bytes.size());
    out_->bytes.append(bytes.substr(0, count));
    written_ += count;
    if (count > 0) out_->changed.notify_all();
    return count;
  }
  uint64_t bytes_taken() const override { return written_; }
  bool has_news() const override { return !in_->bytes.empty() || in_->ended; }

  io::Task<bool> hung_up() override {
    while (true) {
      uint64_t seen = in_->changed.version();
      if (refusal(co_await io::cancelled()) || !in_->bytes.empty()) co_return false;
      if (in_->ended) co_return true;
      (void)co_await in_->changed.wait_beyond(seen, deadline_);
    }
  }

  void set_deadline(io::Instant deadline) override {
    deadline_ = deadline;
    in_->changed.notify_all();
    out_->changed.notify_all();
  }
  void end_writes() override {
    out_->ended = true;
    out_->changed.notify_all();
  }
  void close() override {
    is_closed_ = in_->closed = true;
    in_->changed.notify_all();
    end_writes();
  }
  std::string peer() const override { return "127.0.0.1:1"; }

 private:
  std::optional<Error> refusal(bool cancelled) const {
    if (cancelled || is_closed_) return Error(Code::cancelled, "the task was cancelled");
    if (std::chrono::steady_clock::now() >= deadline_)
      return Error(Code::timeout, "the connection's deadline passed");
    return std::nullopt;
  }

  size_t take(std::span<char> into) {
    size_t count = std::min(into.size(), in_->bytes.size());
    if (options_.splits_reads && random_.below(2) == 0)
      count = std::min<size_t>(count, 1 + random_.below(16));
    std::memcpy(into.data(), in_->bytes.data(), count);
    in_->bytes.erase(0, count);
    in_->changed.notify_all();
    return count;
  }

  LoopbackOptions options_;
  Random random_;
  std::shared_ptr<Pipe> in_, out_;
  io::Instant deadline_ = io::never;
  uint64_t written_ = 0;
  bool is_closed_ = false;
};

}  // namespace

std::pair<std::unique_ptr<io::Stream>, std::unique_ptr<io::Stream>> make_loopback(
    LoopbackOptions options) {
  auto there = std::make_shared<Pipe>(), back = std::make_shared<Pipe>();
  auto first = std::make_unique<LoopbackEnd>(options, back, there);
  options.seed += 1;
  return {std::move(first), std::make_unique<LoopbackEnd>(options, there, back)};
}

}  // namespace pinpipe::kit
