#include "io/server.h"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <sys/stat.h>
#include <unistd.h>
#include <variant>

#include "base/check.h"
#include "base/log_line.h"
#include "base/metrics.h"
#include "io/asio_types.h"
#include "io/socket_stream.h"

namespace pinpipe::io {
namespace {

using TcpAcceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;
using LocalAcceptor =
    boost::asio::basic_socket_acceptor<boost::asio::local::stream_protocol, Executor>;
using boost::asio::ip::tcp;

constexpr Millis pause_without_descriptors{100};

Result<TcpAcceptor> open_tcp(Loop& loop, const std::string& address, uint16_t port) {
  boost::system::error_code error;
  auto parsed = boost::asio::ip::make_address(address, error);
  if (error) return Error(Code::invalid, "\"" + address + "\" is not an address to listen on");
  tcp::endpoint end(parsed, port);
  TcpAcceptor acceptor(loop.context());
  std::string action = "listen on " + address + ":" + std::to_string(port);
  acceptor.open(end.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && parsed.is_v6()) acceptor.set_option(boost::asio::ip::v6_only(true), error);
  if (!error) acceptor.bind(end, error);
  if (!error) acceptor.listen(4096, error);
  if (error == boost::asio::error::address_in_use)
    return Error(Code::conflict, "cannot " + action + ": the port is taken");
  if (error) return error_of(error, action);
  return acceptor;
}

std::vector<std::string> addresses_of(const std::string& name) {
  if (name == "localhost") return {"127.0.0.1", "::1"};
  return {name};
}

}  // namespace

struct Server::Listener {
  std::variant<TcpAcceptor, LocalAcceptor> acceptor;
  std::string local_path;  // to be removed at the end
};

struct Server::LoopPart {
  explicit LoopPart(Loop& loop) : scope(loop) {}
  Scope scope;
};

Server::Server(Runtime& runtime, Options options, Serve serve)
    : runtime_(runtime), options_(std::move(options)), serve_(std::move(serve)) {
  for (size_t i = 0; i < runtime_.loop_count(); ++i)
    parts_.push_back(std::make_unique<LoopPart>(runtime_.loop(i)));
}

Server::~Server() {
  CHECK(!started_, "a server is stopped before it is destroyed");
}

Result<uint16_t> Server::listen_tcp(const std::string& address, uint16_t port) {
  CHECK(!started_, "a server listens before it starts");
  bool first = true;
  for (const std::string& one : addresses_of(address)) {
    auto acceptor = open_tcp(runtime_.loop(0), one, port);
    if (!acceptor) {
      // A machine without IPv6 still has a localhost.
      if (!first && acceptor.error().code() != Code::conflict) continue;
      return acceptor.error();
    }
    port = acceptor->local_endpoint().port();
    listeners_.push_back(std::make_unique<Listener>(Listener{std::move(*acceptor), ""}));
    first = false;
  }
  return port;
}

Status Server::listen_local(const std::string& path) {
  CHECK(!started_, "a server listens before it starts");
  ::unlink(path.c_str());
  boost::system::error_code error;
  LocalAcceptor acceptor(runtime_.loop(0).context());
  boost::asio::local::stream_protocol::endpoint end(path);
  mode_t before = ::umask(0077);  // the file is its owner's from its first moment
  acceptor.open(end.protocol(), error);
  if (!error) acceptor.bind(end, error);
  ::umask(before);
  if (!error) acceptor.listen(1024, error);
  if (error) return error_of(error, "listen on " + path);
  listeners_.push_back(std::make_unique<Listener>(Listener{std::move(acceptor), path}));
  return {};
}

void Server::start() {
  started_ = true;
  runtime_.loop(0).post([this] {
    for (auto& listener : listeners_)
      parts_[0]->scope.spawn(options_.name + " accept", accept_all(*listener));
  });
}

// The socket is closed unless the connection begins.
void Server::adopt(int socket, bool is_local) {
  size_t target = next_loop_++ % runtime_.loop_count();
  LoopPart& part = *parts_[target];
  if (connections_.fetch_add(1, std::memory_order_relaxed) >= options_.connections_max) {
    connections_.fetch_sub(1, std::memory_order_relaxed);
    ::close(socket);
    log_warn("io", "a connection was refused: too many are open", {{"door", options_.name}});
    return;
  }
  runtime_.loop(target).post([this, &part, socket, is_local] {
    auto counted = [](Server& self, std::unique_ptr<Stream> stream) -> Task<> {
      co_await self.serve_(std::move(stream));
      self.connections_.fetch_sub(1, std::memory_order_relaxed);
    };
    auto kind = is_local ? SocketStream::Kind::local : SocketStream::Kind::tcp;
    auto stream = std::make_unique<SocketStream>(socket, kind);
    if (part.scope.is_cancelled()) {
      connections_.fetch_sub(1, std::memory_order_relaxed);
      return;
    }
    part.scope.spawn(options_.name, counted(*this, std::move(stream)));
  });
}

Task<> Server::accept_all(Listener& listener) {
  while (!co_await cancelled()) {
    boost::system::error_code error;
    if (auto* tcp_acceptor = std::get_if<TcpAcceptor>(&listener.acceptor)) {
      auto [failed, socket] = co_await tcp_acceptor->async_accept(tuple_awaitable);
      error = failed;
      if (!error) adopt(socket.release(), false);
    } else {
      auto& local = std::get<LocalAcceptor>(listener.acceptor);
      auto [failed, socket] = co_await local.async_accept(tuple_awaitable);
      error = failed;
      if (!error) adopt(socket.release(), true);
    }
    if (error == boost::asio::error::no_descriptors ||
        error == boost::system::errc::too_many_files_open_in_system) {
      log_warn("io", "out of file descriptors: accepting pauses", {{"door", options_.name}});
      (void)co_await sleep_for(pause_without_descriptors);
    }
  }
}

void Server::stop() {
  if (!started_) return;
  for (size_t i = 0; i < parts_.size(); ++i) {
    run_on(runtime_.loop(i), [](Scope& scope) -> Task<> {
      scope.cancel();
      co_await scope.join();
    }(parts_[i]->scope));
  }
  for (auto& listener : listeners_) {
    if (!listener->local_path.empty()) ::unlink(listener->local_path.c_str());
  }
  listeners_.clear();
  started_ = false;
}

}  // namespace pinpipe::io
