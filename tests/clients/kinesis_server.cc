// The Kinesis door on a port of its own, for tests/clients/kinesis_boto3.py.
//   kinesis_server DIRECTORY    prints its port on stdout, serves until SIGTERM; data stays
#include <cstdio>
#include <cstdlib>

#include "broker/broker.h"
#include "broker/streams.h"
#include "doors/kinesis/door.h"
#include "http/server.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "io/signals.h"

namespace pinpipe {
namespace {

template <class T>
T need(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "kinesis_server: %s\n", result.error().text().c_str());
  std::exit(1);
}

void serve(const std::string& directory) {
  io::Runtime runtime;
  if (!io::posix_files().make_directories(directory + "/state")) std::exit(1);
  auto broker = need(broker::Broker::open(
      {.log_directory = directory + "/log", .state_path = directory + "/state/broker.db"},
      io::posix_files(), runtime.disk(), system_clock(), auth::Policy::open_for_local()));
  auto streams = need(broker::Streams::open({.state_path = directory + "/state/streams.db"},
                                            *broker, runtime.disk(), system_clock()));
  kinesis::Door door({}, *streams, system_clock());
  http::Server server(runtime, {.name = "kinesis", .body_bytes_max = kinesis::body_bytes_max},
                      door.handler());
  std::printf("%d\n", need(server.listen_tcp("127.0.0.1", 0)));
  std::fflush(stdout);
  server.start();
  (void)io::wait_on(runtime.loop(0), io::wait_for_signal());
  server.stop();
  (void)io::wait_on(runtime.loop(0), broker->close());
}

}  // namespace
}  // namespace pinpipe

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  pinpipe::serve(argv[1]);
}
