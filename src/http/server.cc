#include "http/server.h"

#include "http/connection.h"
#include "http/http2_connection.h"

namespace pinpipe::http {
namespace {

// One connection in whichever protocol its first bytes, or TLS's agreement, say.
io::Task<> serve_in(io::Stream& stream, const Serving& serving) {
  std::string received;
  if (stream.protocol() != "h2") {
    Connection connection(stream, serving);
    co_await connection.run();
    if (!connection.found_http2()) co_return;
    received = connection.bytes_for_http2();
  }
  Http2Connection connection(stream, serving);
  co_await connection.run(std::move(received));
}

io::Task<> serve_owned_by_scope(io::Stream& stream, const Server::Options& options,
                                const Handler& handler, RequestMetrics* metrics) {
  io::Scope scope(io::Loop::current());
  Serving serving{options, handler, metrics, scope};
  scope.spawn("http connection", serve_in(stream, serving));
  co_await scope.join_with_caller();
}

}  // namespace

struct Server::Impl {
  Options options;
  Handler handler;
  RequestMetrics metrics;
  io::Server listener;

  Impl(io::Runtime& runtime, Options given, Handler answers)
      : options(std::move(given)),
        handler(std::move(answers)),
        metrics(options.name),
        listener(
            runtime, {.name = options.name, .connections_max = options.connections_max},
            [this](std::unique_ptr<io::Stream> stream) { return serve_owned(std::move(stream)); }) {
  }

  io::Task<> serve_owned(std::unique_ptr<io::Stream> stream) {
    if (options.tls && !stream->is_local_socket()) {
      auto secured =
          co_await io::tls_accept(std::move(stream), options.tls, io::after(options.head_timeout));
      if (!secured) co_return;  // the peer was told in TLS's own words
      stream = std::move(*secured);
    }
    co_await serve_owned_by_scope(*stream, options, handler, &metrics);
  }
};

Server::Server(io::Runtime& runtime, Options options, Handler handler)
    : impl_(std::make_unique<Impl>(runtime, std::move(options), std::move(handler))) {}
Server::~Server() = default;

Result<uint16_t> Server::listen_tcp(const std::string& address, uint16_t port) {
  return impl_->listener.listen_tcp(address, port);
}
Status Server::listen_local(const std::string& path) {
  return impl_->listener.listen_local(path);
}
void Server::start() {
  impl_->listener.start();
}
void Server::stop() {
  impl_->listener.stop();
}
size_t Server::connection_count() const {
  return impl_->listener.connection_count();
}

io::Task<> Server::serve(io::Stream& stream, const Options& options, const Handler& handler) {
  co_await serve_owned_by_scope(stream, options, handler, nullptr);
}

}  // namespace pinpipe::http
