// Kafka's protocol over TCP: frames in, calls to broker::Cluster, frames out.
// Promise: responses go out in the order of the requests; a malformed or unknown request closes its
// own connection and touches nobody else. Bounds: request_bytes_max per frame, checked before
// memory is taken; a burst of requests that came together is answered together, burst_bytes_max of
// them at once; all requests together take request_memory_max, beyond it connections wait;
// followed_partitions_max in fetch sessions; idle connections are closed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "broker/broker.h"
#include "doors/kafka/fetch_sessions.h"
#include "doors/kafka/request_memory.h"
#include "io/runtime.h"
#include "io/server.h"

namespace pinpipe::kafka {

class Door {
 public:
  struct Options {
    std::string advertised_host = {};  // empty: the address by which the client reached us
    uint16_t advertised_port = 0;
    uint32_t request_bytes_max = 100 << 20;
    size_t burst_bytes_max = 8 << 20;
    size_t request_memory_max = 128 << 20;
    size_t followed_partitions_max = 1'000'000;
    Millis idle_timeout{600'000};
    size_t connections_max = 20'000;
  };

  Door(Options options, io::Runtime& runtime, broker::Broker& broker);
  ~Door();

  // As io::Server.
  Result<uint16_t> listen(const std::string& address, uint16_t port);
  void start();
  void stop();
  size_t connection_count() const;

 private:
  io::Task<> serve(std::unique_ptr<io::Stream> stream);

  Options options_;
  broker::Broker& broker_;
  std::shared_ptr<RequestMemory> memory_;
  FollowedTotal followed_;
  io::Server server_;
};

}  // namespace pinpipe::kafka
