// All listeners of one house: which door answers on which port, and what shares one.
//   9092  kafka          8082  gateway and REST proxy     4566  Kinesis and S3     8083  Connect
//   3307  MySQL          4580  API, console   <data>/run/pinpipe.sock  API
// All of them on loopback; what the project names under `listen:` also for other machines, with
// TLS. Promise: open() listens on all of them or on none; stop() ends every connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "app/data_directory.h"
#include "base/result.h"
#include "http/server.h"
#include "project/project.h"

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
  // An HTTP door's listeners: on loopback, and for other machines where the project says so.
  Result<std::string> listen(House& house, std::string_view door, uint16_t port,
                             std::unique_ptr<http::Server>& near, http::Server::Options options,
                             http::Handler handler);
  Status listen_outside(House& house, std::string_view door, http::Server::Options options,
                        http::Handler handler);
  template <class Door>
  Status listen_outside_plainly(House& house, std::string_view name, Door& door);
  Result<std::shared_ptr<const io::TlsContext>> tls(const project::Project& project);

  std::unique_ptr<Parts> parts_;
};

}  // namespace pinpipe::app
