// The Kafka door on a port of its own, for tests that kill it or listen in on it.
//   kafka_server DIRECTORY [ADVERTISED_PORT]    prints its port, serves until SIGTERM; data stays
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "broker/broker.h"
#include "doors/kafka/door.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "io/signals.h"

namespace pinpipe {
namespace {

template <class T>
T need(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "kafka_server: %s\n", result.error().text().c_str());
  std::exit(1);
}

void serve(const std::string& directory, uint16_t advertised_port) {
  io::Runtime runtime;
  if (!io::posix_files().make_directories(directory + "/state")) std::exit(1);
  broker::Broker::Options options;
  options.log_directory = directory + "/log";
  options.state_path = directory + "/state/broker.db";
  options.compaction_check_every = Millis(100);
  auto broker = need(broker::Broker::open(options, io::posix_files(), runtime.disk(),
                                          system_clock(), auth::Policy::open_for_local()));
  kafka::Door::Options door_options;
  door_options.advertised_port = advertised_port;
  kafka::Door door(door_options, runtime, *broker);
  std::printf("%d\n", need(door.listen("127.0.0.1", 0)));
  std::fflush(stdout);
  door.start();
  io::Scope scope(runtime.loop(0));
  auto live = [&]() -> io::Task<> {
    scope.spawn("broker", broker->run());
    (void)co_await io::wait_for_signal();
    scope.cancel();
    co_await scope.join();
  };
  io::run_on(runtime.loop(0), live());
  door.stop();
  (void)io::wait_on(runtime.loop(0), broker->close());
}

}  // namespace
}  // namespace pinpipe

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) return 2;
  std::string_view port = argc == 3 ? argv[2] : "0";
  uint16_t advertised_port = 0;
  std::from_chars(port.data(), port.data() + port.size(), advertised_port);
  pinpipe::serve(argv[1], advertised_port);
}
