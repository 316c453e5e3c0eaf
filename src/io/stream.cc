#include "io/stream.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "io/asio_types.h"
#include "io/socket_stream.h"

namespace pinpipe::io {

Error error_of(const boost::system::error_code& error, std::string_view action) {
  if (error == boost::asio::error::operation_aborted)
    return {Code::cancelled, "the task was cancelled"};
  if (error == boost::asio::error::eof)
    return {Code::unavailable, "the peer closed the connection"};
  if (error.category() == boost::system::system_category() ||
      error.category() == boost::system::generic_category()) {
    return error_of_errno(error.value(), action);
  }
  return {Code::unavailable, "cannot " + std::string(action) + ": " + error.message()};
}

namespace {

// Cancels `object` when the deadline passes first; what it was doing then ends with
// operation_aborted.
template <class Object>
class CancelAt {
 public:
  CancelAt(Object& object, Instant deadline) : timer_(object.get_executor()) {
    if (deadline == never) return;
    timer_.expires_at(deadline);
    timer_.async_wait([&object, fired = fired_](const boost::system::error_code& error) {
      if (error || fired.use_count() == 1) return;
      *fired = true;
      object.cancel();
    });
  }
  bool fired() const { return *fired_; }

 private:
  Timer timer_;
  std::shared_ptr<bool> fired_ = std::make_shared<bool>(false);
};

using Resolver = boost::asio::ip::basic_resolver<boost::asio::ip::tcp, Executor>;
using TcpSocket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
using LocalSocket = boost::asio::basic_stream_socket<boost::asio::local::stream_protocol, Executor>;

}  // namespace

Task<Result<std::unique_ptr<Stream>>> connect_tcp(std::string host, uint16_t port,
                                                  Instant deadline) {
  if (co_await cancelled()) co_return Error(Code::cancelled, "the task was cancelled");
  std::string action = "connect to " + host + ":" + std::to_string(port);
  auto& context = Loop::current().context();
  boost::system::error_code literal_error;
  auto literal = boost::asio::ip::make_address(host, literal_error);
  std::vector<boost::asio::ip::tcp::endpoint> ends;
  if (!literal_error) {
    ends.emplace_back(literal, port);
  } else {
    Resolver resolver(context.get_executor());
    CancelAt watch(resolver, deadline);
    auto [error, found] =
        co_await resolver.async_resolve(host, std::to_string(port), tuple_awaitable);
    if (watch.fired()) co_return Error(Code::timeout, "cannot " + action + ": the deadline passed");
    if (error) co_return error_of(error, action);
    for (const auto& entry : found) ends.push_back(entry.endpoint());
  }
  TcpSocket socket(context);
  CancelAt watch(socket, deadline);
  auto [error, end] = co_await boost::asio::async_connect(socket, ends, tuple_awaitable);
  if (watch.fired()) co_return Error(Code::timeout, "cannot " + action + ": the deadline passed");
  if (error) co_return error_of(error, action);
  co_return std::make_unique<SocketStream>(socket.release(), SocketStream::Kind::tcp);
}

Task<Result<std::unique_ptr<Stream>>> connect_local(std::string path, Instant deadline) {
  if (co_await cancelled()) co_return Error(Code::cancelled, "the task was cancelled");
  LocalSocket socket(Loop::current().context());
  CancelAt watch(socket, deadline);
  auto [error] = co_await socket.async_connect(boost::asio::local::stream_protocol::endpoint(path),
                                               tuple_awaitable);
  if (watch.fired()) co_return Error(Code::timeout, "cannot connect to " + path);
  if (error) co_return error_of(error, "connect to " + path);
  co_return std::make_unique<SocketStream>(socket.release(), SocketStream::Kind::local);
}

}  // namespace pinpipe::io
