#include "io/socket_stream.h"

#include <algorithm>
#include <array>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/asio_types.h"

namespace pinpipe::io {
namespace {

bool is_cancelled(const boost::asio::cancellation_state& state) {
  return state.cancelled() != boost::asio::cancellation_type::none;
}

// The pieces from `first` on, of which `skip` bytes have been sent.
size_t gather(std::span<const std::string_view> pieces, size_t skip, std::span<iovec> into) {
  size_t count = 0;
  for (std::string_view piece : pieces.first(std::min(pieces.size(), into.size()))) {
    into[count++] = {const_cast<char*>(piece.data() + skip), piece.size() - skip};
    skip = 0;
  }
  return count;
}

}  // namespace

// Ends a stream's waits when the deadline passes. The timer is armed once and looks, when it fires,
// whether the deadline has moved on meanwhile: moving it is a store.
class SocketStream::DeadlineWatch : public std::enable_shared_from_this<DeadlineWatch> {
 public:
  explicit DeadlineWatch(SocketStream& stream)
      : stream_(&stream), timer_(Loop::current().context()) {}

  void set(Instant deadline) {
    deadline_ = deadline;
    passed_ = false;
    if (deadline < armed_for_) arm();
  }
  void detach() {
    stream_ = nullptr;
    timer_.cancel();
  }
  bool passed() const { return passed_; }

 private:
  void arm() {
    armed_for_ = deadline_;
    if (deadline_ == never) return;
    timer_.expires_at(deadline_);
    timer_.async_wait([weak = this->weak_from_this()](const boost::system::error_code& error) {
      auto self = weak.lock();
      if (error || !self || self->stream_ == nullptr) return;
      self->fire();
    });
  }
  void fire() {
    armed_for_ = never;
    if (std::chrono::steady_clock::now() < deadline_) return arm();
    passed_ = true;
    stream_->interrupt();
  }

  SocketStream* stream_;
  Timer timer_;
  Instant deadline_ = never;
  Instant armed_for_ = never;
  bool passed_ = false;
};

SocketStream::SocketStream(int descriptor, Kind kind)
    : socket_(descriptor),
      kind_(kind),
      readiness_(Loop::current().readiness()),
      deadline_(std::make_shared<DeadlineWatch>(*this)) {
  int on = 1;
  ::ioctl(socket_, FIONBIO, &on);
  ::fcntl(socket_, F_SETFD, FD_CLOEXEC);
  if (kind == Kind::tcp) ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // A socket that cannot be watched is of no use; its first read says so.
  if (!readiness_.add(socket_, *this)) close();
}

SocketStream::~SocketStream() {
  deadline_->detach();
  close();
}

Task<Result<size_t>> SocketStream::read_some(std::span<char> into) {
  if (auto refused = refusal(is_cancelled(co_await boost::asio::this_coro::cancellation_state)))
    co_return std::move(*refused);
  if (full_reads_ == full_reads_max) {
    full_reads_ = 0;
    co_await boost::asio::post(Loop::current().context(), boost::asio::deferred);
  }
  while (true) {
    if (reads_.is_ready) {
      ssize_t got = ::recv(socket_, into.data(), into.size(), MSG_DONTWAIT);
      if (got >= 0) {
        auto count = static_cast<size_t>(got);
        // After less than was asked for, what comes next is news: but for an end that was told
        // before, and for local sockets, which may give less than they have.
        bool is_full = count == into.size();
        full_reads_ = is_full ? full_reads_ + 1 : 0;
        reads_.is_ready = is_full || count == 0 || has_ended_ || kind_ == Kind::local;
        co_return count;
      }
      if (errno == EINTR) continue;
      if (errno != EAGAIN) co_return failure("read from the connection");
      reads_.is_ready = false;
    }
    co_await reads_.pause.wait();
    if (auto refused = refusal(reads_.pause.is_cancelled())) co_return std::move(*refused);
  }
}

Task<Status> SocketStream::write(std::span<const std::string_view> pieces) {
  if (auto refused = refusal(is_cancelled(co_await boost::asio::this_coro::cancellation_state)))
    co_return std::move(*refused);
  size_t sent_of_first = 0;
  while (!pieces.empty()) {
    std::array<iovec, pieces_per_call> vectors;
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = gather(pieces, sent_of_first, vectors);
    ssize_t sent = ::sendmsg(socket_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) co_return failure("write to the connection");
    if (sent < 0) {
      writes_.is_ready = false;
      while (!writes_.is_ready) {
        co_await writes_.pause.wait();
        if (auto refused = refusal(writes_.pause.is_cancelled())) co_return std::move(*refused);
      }
      continue;
    }
    taken_ += static_cast<uint64_t>(sent);
    sent_of_first += static_cast<size_t>(sent);
    while (!pieces.empty() && sent_of_first >= pieces.front().size()) {
      sent_of_first -= pieces.front().size();
      pieces = pieces.subspan(1);
    }
  }
  co_return Status{};
}

Task<Status> SocketStream::send_file(int descriptor, uint64_t offset, uint64_t count) {
  constexpr size_t step_max = 1 << 20;  // lets other connections of the loop have their turn
  if (auto refused = refusal(is_cancelled(co_await boost::asio::this_coro::cancellation_state)))
    co_return std::move(*refused);
  auto at = static_cast<off_t>(offset);
  while (count > 0) {
    ssize_t sent = ::sendfile(socket_, descriptor, &at, std::min<uint64_t>(count, step_max));
    if (sent == 0) co_return Error(Code::corrupt, "the file ended before its sent length");
    if (sent > 0) {
      count -= static_cast<uint64_t>(sent);
      taken_ += static_cast<uint64_t>(sent);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return failure("send a file to the connection");
    writes_.is_ready = false;
    while (!writes_.is_ready) {
      co_await writes_.pause.wait();
      if (auto refused = refusal(writes_.pause.is_cancelled())) co_return std::move(*refused);
    }
  }
  co_return Status{};
}

size_t SocketStream::write_now(std::string_view bytes) {
  ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) return 0;  // what is wrong shows at the next read or write
  taken_ += static_cast<uint64_t>(sent);
  return static_cast<size_t>(sent);
}

Task<bool> SocketStream::hung_up() {
  if (refusal(is_cancelled(co_await boost::asio::this_coro::cancellation_state))) co_return false;
  while (true) {
    Sight sight = look();
    if (sight != Sight::nothing) co_return sight == Sight::end;
    reads_.is_ready = false;
    while (!reads_.is_ready) {
      co_await reads_.pause.wait();
      if (refusal(reads_.pause.is_cancelled())) co_return false;
    }
  }
}

void SocketStream::set_deadline(Instant deadline) {
  deadline_->set(deadline);
}

void SocketStream::end_writes() {
  ::shutdown(socket_, SHUT_WR);
}

void SocketStream::close() {
  if (socket_ < 0) return;
  readiness_.remove(socket_, *this);
  ::shutdown(socket_, SHUT_RDWR);
  ::close(socket_);
  socket_ = -1;
  interrupt();
}

// Both are taken before either runs: a task that is resumed may end the stream.
void SocketStream::on_news(const Readiness::News& news) {
  reads_.is_ready |= news.can_read;
  writes_.is_ready |= news.can_write;
  has_ended_ |= news.has_ended;
  Pause::Resume read = news.can_read ? reads_.pause.take() : nullptr;
  Pause::Resume write = news.can_write ? writes_.pause.take() : nullptr;
  if (write) write();
  if (read) read();
}

void SocketStream::interrupt() {
  reads_.pause.resume_soon();
  writes_.pause.resume_soon();
}

SocketStream::Sight SocketStream::look() const {
  char byte;
  ssize_t seen = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (seen > 0) return Sight::bytes;
  return seen < 0 && (errno == EAGAIN || errno == EINTR) ? Sight::nothing : Sight::end;
}

std::string SocketStream::name(bool remote) const {
  if (kind_ == Kind::local) return "local";
  sockaddr_storage end{};
  socklen_t size = sizeof end;
  auto* address = reinterpret_cast<sockaddr*>(&end);
  int failed =
      remote ? ::getpeername(socket_, address, &size) : ::getsockname(socket_, address, &size);
  std::array<char, NI_MAXHOST> host;
  std::array<char, NI_MAXSERV> port;
  if (failed != 0 || ::getnameinfo(address, size, host.data(), host.size(), port.data(),
                                   port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "gone";
  std::string text = host.data();
  if (end.ss_family == AF_INET6) text = "[" + text + "]";
  return text + ":" + port.data();
}

// Why a read or write cannot begin or go on.
std::optional<Error> SocketStream::refusal(bool was_cancelled) const {
  if (was_cancelled || socket_ < 0) return Error(Code::cancelled, "the task was cancelled");
  if (deadline_->passed()) return Error(Code::timeout, "the connection's deadline passed");
  return std::nullopt;
}

Error SocketStream::failure(std::string_view action) const {
  return error_of_errno(errno, action);
}

}  // namespace pinpipe::io
