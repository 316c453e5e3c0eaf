#include "doors/mysql/door.h"

#include "base/log_line.h"
#include "doors/mysql/connection.h"

namespace pinpipe::mysql {

Door::Door(Options options, io::Runtime& runtime, std::function<Result<std::string>()> locate)
    : options_(std::move(options)),
      runtime_(runtime),
      databases_(std::move(locate),
                 {.statement_time = options_.statement_time, .stopping = &stopping_}),
      server_(runtime, {.name = "mysql", .connections_max = options_.connections_max},
              [this](std::unique_ptr<io::Stream> stream) { return serve(std::move(stream)); }) {}

Door::~Door() = default;

Result<uint16_t> Door::listen(const std::string& address, uint16_t port) {
  return server_.listen_tcp(address, port);
}

void Door::start() {
  server_.start();
}

void Door::stop() {
  stopping_ = true;
  server_.stop();
}

io::Task<const RsaKey*> Door::rsa_key() {
  co_return co_await runtime_.work().run([this]() -> const RsaKey* {
    std::lock_guard lock(making_key_);
    if (key_ == nullptr) {
      auto made = RsaKey::make();
      if (!made) {
        log_error("mysql", "no key for logins", {{"error", made.error().text()}});
        return nullptr;
      }
      key_ = std::make_unique<RsaKey>(std::move(*made));
    }
    return key_.get();
  });
}

io::Task<> Door::serve(std::unique_ptr<io::Stream> stream) {
  Connection connection({.options = options_,
                         .databases = databases_,
                         .work = runtime_.work(),
                         .rsa_key = [this] { return rsa_key(); }},
                        *stream, next_id_.fetch_add(1, std::memory_order_relaxed));
  Status served = co_await connection.serve();
  if (!served && served.error().code() == Code::invalid) {
    log_warn("mysql", "a connection was closed for what it sent",
             {{"peer", stream->peer()}, {"reason", served.error().text()}});
  }
}

}  // namespace pinpipe::mysql
