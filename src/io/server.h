// Accepts connections and gives each to one loop for life. Shared by every door.
// Bounds: connections_max at once; beyond it new connections are closed at accept. Running out of
// descriptors pauses accepting instead of spinning.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "io/stream.h"

namespace pinpipe::io {

class Server {
 public:
  // Serves one connection until it ends or is cancelled. Runs on the connection's loop.
  using Serve = std::function<Task<>(std::unique_ptr<Stream>)>;

  struct Options {
    std::string name;  // for log lines and metrics: "kafka", "gateway"
    size_t connections_max = 20'000;
  };

  Server(Runtime& runtime, Options options, Serve serve);
  ~Server();

  // Listens on "127.0.0.1", "::1", "localhost" (both families), "0.0.0.0", "::" or another address;
  // port 0 picks one. With "localhost" both families get the same port. A taken port is `conflict`
  // and its text names the address. Before start().
  Result<uint16_t> listen_tcp(const std::string& address, uint16_t port);
  // A socket file that only its owner may use; replaces a dead one.
  Status listen_local(const std::string& path);

  // Begins to accept. From any thread, once.
  void start();
  // Stops accepting, cancels every connection's task, waits for them. Not on a loop thread.
  void stop();

  size_t connection_count() const { return connections_.load(std::memory_order_relaxed); }

 private:
  struct Listener;
  struct LoopPart;

  Task<> accept_all(Listener& listener);
  void adopt(int socket, bool is_local);

  Runtime& runtime_;
  Options options_;
  Serve serve_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::unique_ptr<LoopPart>> parts_;
  std::atomic<size_t> connections_{0};
  size_t next_loop_ = 0;
  bool started_ = false;
};

}  // namespace pinpipe::io
