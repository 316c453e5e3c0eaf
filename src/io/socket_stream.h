// A Stream over an Asio socket. Only this room includes it.
// Writes try the system call first: an answer that fits the socket's buffer costs no loop turn.
#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "io/asio_types.h"
#include "io/stream.h"

namespace pinpipe::io {

using TcpSocket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
using LocalSocket = boost::asio::basic_stream_socket<boost::asio::local::stream_protocol, Executor>;

// Ends a socket's operations when the deadline passes. The timer is armed once and looks, when it
// fires, whether the deadline has moved on meanwhile: moving it is a store.
template <class Socket>
class DeadlineWatch : public std::enable_shared_from_this<DeadlineWatch<Socket>> {
 public:
  explicit DeadlineWatch(Socket& socket) : socket_(&socket), timer_(socket.get_executor()) {}

  void set(Instant deadline) {
    deadline_ = deadline;
    passed_ = false;
    if (deadline < armed_for_) arm();
  }
  void detach() {
    socket_ = nullptr;
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
      if (error || !self || self->socket_ == nullptr) return;
      self->fire();
    });
  }
  void fire() {
    armed_for_ = never;
    if (std::chrono::steady_clock::now() < deadline_) return arm();
    passed_ = true;
    boost::system::error_code ignored;
    socket_->cancel(ignored);
  }

  Socket* socket_;
  Timer timer_;
  Instant deadline_ = never;
  Instant armed_for_ = never;
  bool passed_ = false;
};

template <class Socket>
class SocketStream final : public Stream {
 public:
  explicit SocketStream(Socket socket)
      : socket_(std::move(socket)), watch_(std::make_shared<DeadlineWatch<Socket>>(socket_)) {
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);
    if constexpr (std::is_same_v<Socket, TcpSocket>)
      socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  }
  ~SocketStream() override { watch_->detach(); }

  Task<Result<size_t>> read_some(std::span<char> into) override {
    if (auto refused = refusal(co_await boost::asio::this_coro::cancellation_state))
      co_return std::move(*refused);
    auto [error, count] = co_await socket_.async_read_some(
        boost::asio::buffer(into.data(), into.size()), tuple_awaitable);
    if (error == boost::asio::error::eof) co_return 0;
    if (error) co_return failure(error, "read from the connection");
    co_return count;
  }

  Task<Status> write(std::span<const std::string_view> pieces) override {
    if (auto refused = refusal(co_await boost::asio::this_coro::cancellation_state))
      co_return std::move(*refused);
    while (!pieces.empty()) {
      std::array<boost::asio::const_buffer, pieces_per_call> buffers;
      size_t count = std::min(pieces.size(), pieces_per_call);
      size_t bytes = 0;
      for (size_t i = 0; i < count; ++i) {
        buffers[i] = boost::asio::buffer(pieces[i]);
        bytes += pieces[i].size();
      }
      size_t sent = send_now({buffers.data(), count});
      taken_ += sent;
      if (sent < bytes) {
        drop_front(buffers, sent);
        auto [error, rest] = co_await boost::asio::async_write(
            socket_, std::span<const boost::asio::const_buffer>(buffers.data(), count),
            tuple_awaitable);
        taken_ += rest;
        if (error) co_return failure(error, "write to the connection");
      }
      pieces = pieces.subspan(count);
    }
    co_return Status{};
  }

  Task<Status> send_file(int descriptor, uint64_t offset, uint64_t count) override {
    constexpr size_t step_max = 1 << 20;  // lets other connections of the loop have their turn
    auto at = static_cast<off_t>(offset);
    while (count > 0) {
      if (auto refused = refusal(co_await boost::asio::this_coro::cancellation_state))
        co_return std::move(*refused);
      ssize_t sent =
          ::sendfile(socket_.native_handle(), descriptor, &at, std::min<uint64_t>(count, step_max));
      if (sent == 0) co_return Error(Code::corrupt, "the file ended before its sent length");
      if (sent > 0) {
        count -= static_cast<uint64_t>(sent);
        taken_ += static_cast<uint64_t>(sent);
      } else if (errno == EAGAIN) {
        auto [error] = co_await socket_.async_wait(Socket::wait_write, tuple_awaitable);
        if (error) co_return failure(error, "write to the connection");
      } else if (errno != EINTR) {
        co_return error_of_errno(errno, "send a file to the connection");
      }
    }
    co_return Status{};
  }

  size_t write_now(std::string_view bytes) override {
    ssize_t sent =
        ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return 0;  // what is wrong shows at the next read or write
    taken_ += static_cast<uint64_t>(sent);
    return static_cast<size_t>(sent);
  }
  uint64_t bytes_taken() const override { return taken_; }

  bool has_news() const override { return look() != Sight::nothing; }

  Task<bool> hung_up() override {
    if (refusal(co_await boost::asio::this_coro::cancellation_state)) co_return false;
    auto [error] = co_await socket_.async_wait(Socket::wait_read, tuple_awaitable);
    if (error) co_return error != boost::asio::error::operation_aborted;
    co_return look() == Sight::end;
  }

  void set_deadline(Instant deadline) override { watch_->set(deadline); }

  void end_writes() override {
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }

  void close() override {
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_both, ignored);
    socket_.close(ignored);
  }

  std::string peer() const override { return name(true); }
  std::string own_address() const override { return name(false); }
  bool is_local_socket() const override { return std::is_same_v<Socket, LocalSocket>; }

 private:
  static constexpr size_t pieces_per_call = 16;

  enum class Sight { nothing, bytes, end };

  // What a read would find, without taking it.
  Sight look() const {
    char byte;
    ssize_t seen =
        ::recv(const_cast<Socket&>(socket_).native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (seen > 0) return Sight::bytes;
    return seen < 0 && (errno == EAGAIN || errno == EINTR) ? Sight::nothing : Sight::end;
  }

  std::string name(bool remote) const {
    if constexpr (std::is_same_v<Socket, LocalSocket>) {
      return "local";
    } else {
      boost::system::error_code error;
      auto end = remote ? socket_.remote_endpoint(error) : socket_.local_endpoint(error);
      if (error) return "gone";
      std::string host = end.address().to_string();
      if (end.address().is_v6()) host = "[" + host + "]";
      return host + ":" + std::to_string(end.port());
    }
  }

  // Not a coroutine: reads and writes are each request's, and every frame costs.
  std::optional<Error> refusal(const boost::asio::cancellation_state& state) const {
    if (state.cancelled() != boost::asio::cancellation_type::none)
      return Error(Code::cancelled, "the task was cancelled");
    if (watch_->passed()) return Error(Code::timeout, "the connection's deadline passed");
    return std::nullopt;
  }

  Error failure(const boost::system::error_code& error, std::string_view action) const {
    if (watch_->passed()) return {Code::timeout, "the connection's deadline passed"};
    return error_of(error, action);
  }

  size_t send_now(std::span<const boost::asio::const_buffer> buffers) {
    std::array<iovec, pieces_per_call> vectors;
    for (size_t i = 0; i < buffers.size(); ++i)
      vectors[i] = {const_cast<void*>(buffers[i].data()), buffers[i].size()};
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = buffers.size();
    ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? 0
                    : static_cast<size_t>(sent);  // the write that follows meets the error again
  }

  static void drop_front(std::span<boost::asio::const_buffer> buffers, size_t bytes) {
    for (auto& buffer : buffers) {
      size_t dropped = std::min(bytes, buffer.size());
      buffer += dropped;
      bytes -= dropped;
    }
  }

  Socket socket_;
  std::shared_ptr<DeadlineWatch<Socket>> watch_;
  uint64_t taken_ = 0;
};

}  // namespace pinpipe::io
