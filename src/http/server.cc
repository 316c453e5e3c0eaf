#include "http/server.h"

#include "http/connection.h"

namespace pinpipe::http {

struct Server::Impl {
  Options options;
  Handler handler;
  io::Server listener;

  Impl(io::Runtime& runtime, Options given, Handler answers)
      : options(std::move(given)),
        handler(std::move(answers)),
        listener(
            runtime, {.name = options.name, .connections_max = options.connections_max},
            [this](std::unique_ptr<io::Stream> stream) { return serve_owned(std::move(stream)); }) {
  }

  io::Task<> serve_owned(std::unique_ptr<io::Stream> stream) {
    co_await serve(*stream, options, handler);
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
  Connection connection(stream, options, handler);
  co_await connection.run();
}

}  // namespace pinpipe::http
