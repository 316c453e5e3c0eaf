// All listeners of one house: which door answers on which port, and what shares one.
//   9092  kafka          8082  gateway and REST proxy     4566  Kinesis and S3     8083  Connect
//   3307  MySQL          4580  API, console   <data>/run/pinpipe.sock  API
// Promise: open() listens on all of them or on none; stop() ends every connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "app/data_directory.h"
#include "base/result.h"

namespace pinpipe::app {

class House;

class Doors {
 public:
  struct Options {
    bool any_ports = false;
  };

  Doors();
  ~Doors();

  // `conflict` names the port that is taken and how to choose others.
  Result<Endpoints> open(House& house, Options options);
  void stop();

 private:
  struct Parts;
  Status open_consumers(House& house);
  Result<std::string> open_gateway(House& house, uint16_t port);
  Result<std::string> open_connect(House& house, uint16_t port);
  Result<std::string> open_aws(House& house, uint16_t port);
  Result<std::string> open_console(House& house, uint16_t port);
  Result<std::string> open_mysql(House& house, uint16_t port);

  std::unique_ptr<Parts> parts_;
};

}  // namespace pinpipe::app
