// Acknowledged posts a second of the emulator against a server that does nothing but answer, on one
// loop each: what the emulator itself can do, beside which a gateway's figure stands.
#include <cstdio>
#include <string>

#include "base/clock.h"
#include "http/server.h"
#include "io/runtime.h"
#include "source/emulator.h"

namespace {

namespace http = pinpipe::http;
namespace io = pinpipe::io;
namespace source = pinpipe::source;

constexpr uint64_t rounds = 100'000;

pinpipe::Status post_all(io::Runtime& runtime, source::Emulator::Options options,
                         source::Source& rows, source::Tally& tally) {
  auto task = [](io::Runtime& on, source::Emulator::Options how, source::Source& from,
                 source::Tally& into) -> io::Task<pinpipe::Status> {
    source::Emulator emulator(how, from, on.work());
    pinpipe::Status ended = co_await emulator.run();
    into = emulator.tally();
    co_return ended;
  };
  return io::wait_on(runtime.loop(0), task(runtime, std::move(options), rows, tally));
}

void measure(io::Runtime& runtime, uint16_t port, source::Target target, size_t concurrency) {
  source::GeneratedSource rows({.rows = source::classic_rows, .seed = 1});
  source::Emulator::Options options;
  options.base_url = "http://127.0.0.1:" + std::to_string(port) + "/test";
  options.rounds.target = target;
  options.rounds.destinations = source::destinations_of(target, "0e90e0175553");
  options.rounds.rounds_max = rounds;
  options.concurrency = concurrency;
  source::Tally tally;
  int64_t start = pinpipe::system_clock().steady_ns();
  pinpipe::Status ended = post_all(runtime, std::move(options), rows, tally);
  double seconds = static_cast<double>(pinpipe::system_clock().steady_ns() - start) / 1e9;
  if (!ended) std::printf("ended early: %s\n", ended.error().text().c_str());
  std::printf("%-7s concurrency %3zu  %9.0f acknowledged posts/s, %llu failed, %llu unknown\n",
              target == source::Target::batch ? "batch" : "stream", concurrency,
              static_cast<double>(tally.acknowledged) / seconds,
              static_cast<unsigned long long>(tally.failed),
              static_cast<unsigned long long>(tally.unknown));
}

}  // namespace

int main() {
  io::Runtime server_runtime({.loops = 1, .disk_threads = 1, .work_threads = 1});
  io::Runtime runtime({.loops = 1, .disk_threads = 1, .work_threads = 1});
  http::Server server(server_runtime, {.name = "bench"},
                      [](http::Request&, http::Response& response) -> io::Task<> {
                        response.set_json(
                            200, R"({"offsets":[{"partition":0,"offset":0,"error_code":null}]})");
                        co_return;
                      });
  auto port = server.listen_tcp("127.0.0.1", 0);
  if (!port) {
    std::printf("%s\n", port.error().text().c_str());
    return 1;
  }
  server.start();
  for (source::Target target : {source::Target::batch, source::Target::stream}) {
    for (size_t concurrency : {1, 16, 64}) measure(runtime, *port, target, concurrency);
  }
  server.stop();
}
