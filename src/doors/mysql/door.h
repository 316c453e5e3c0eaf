// A read-only MySQL endpoint over the embedded source database, answered by SQLite.
// Promise: it speaks protocol 10 with text and binary results; what writes gets MySQL's error 1290;
// a malformed packet ends its own connection and touches nobody else. Bounds: a packet has at most
// packet_bytes_max, a statement statement_time; rows are sent as they are read, batch_bytes at
// once; prepared_max statements a connection.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "doors/mysql/database.h"
#include "doors/mysql/rsa_key.h"
#include "io/runtime.h"
#include "io/server.h"

namespace pinpipe::mysql {

class Door {
 public:
  struct Options {
    std::map<std::string, std::string> logins = {{"pinpipe", "pinpipe"}};  // passwords by user
    // Peers on loopback may have any user and password; others never.
    bool any_login_on_loopback = true;
    size_t packet_bytes_max = 1 << 20;
    size_t batch_bytes = 64 << 10;
    size_t prepared_max = 256;
    size_t connections_max = 20'000;
    Millis login_timeout{10'000};
    Millis write_timeout{60'000};
    Millis idle_timeout{28'800'000};
    Millis statement_time{30'000};
  };

  // `locate` gives the SQLite file, and makes it when it is not there; called on the work pool.
  Door(Options options, io::Runtime& runtime, std::function<Result<std::string>()> locate);
  ~Door();

  // As io::Server.
  Result<uint16_t> listen(const std::string& address, uint16_t port);
  void start();
  void stop();
  size_t connection_count() const { return server_.connection_count(); }

 private:
  io::Task<> serve(std::unique_ptr<io::Stream> stream);
  io::Task<const RsaKey*> rsa_key();

  Options options_;
  io::Runtime& runtime_;
  std::atomic<bool> stopping_{false};
  Databases databases_;
  std::mutex making_key_;
  std::unique_ptr<RsaKey> key_;  // under making_key_ until it is there
  std::atomic<uint32_t> next_id_{1};
  io::Server server_;
};

}  // namespace pinpipe::mysql
