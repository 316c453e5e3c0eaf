// What this machine's disk and loopback do right now: the figures that other benchmarks depend on
// and print beside theirs. Shared machines swing by factors between minutes, so each run measures
// anew.
#include <algorithm>
#include <array>
#include <cstdio>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "base/clock.h"
#include "io/files.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "io/server.h"

namespace {

namespace io = pinpipe::io;
using pinpipe::Millis;
using pinpipe::system_clock;

struct Spread {
  double least_us, median_us, most_us;
};

Spread spread_of(std::vector<int64_t> ns) {
  std::ranges::sort(ns);
  auto us = [](int64_t value) { return static_cast<double>(value) / 1000.0; };
  return {us(ns.front()), us(ns[ns.size() / 2]), us(ns.back())};
}

void print(const char* name, const Spread& spread) {
  std::printf(
      "%s\n",
      fmt::format("{:<34} min {:>9.1f} us   median {:>9.1f} us   max {:>9.1f} us   {:>8.0f}/s",
                  name, spread.least_us, spread.median_us, spread.most_us, 1e6 / spread.median_us)
          .c_str());
}

template <class F>
Spread time_each(int rounds, F round) {
  std::vector<int64_t> ns;
  for (int i = 0; i < rounds; ++i) {
    int64_t begin = system_clock().steady_ns();
    round(i);
    ns.push_back(system_clock().steady_ns() - begin);
  }
  return spread_of(std::move(ns));
}

void calibrate_disk(const std::string& directory) {
  io::Files& files = io::posix_files();
  auto file = files.open(directory + "/appended", io::OpenMode::create);
  std::string block(4096, 'x');
  print("append 4 KiB + fdatasync", time_each(200, [&](int i) {
          (void)(*file)->write_at(block, static_cast<uint64_t>(i) * block.size());
          (void)(*file)->sync();
        }));
  auto zeroed = files.open(directory + "/zeroed", io::OpenMode::create);
  (void)(*zeroed)->write_at(std::string(200 * 4096, '\0'), 0);
  (void)(*zeroed)->sync();
  print("write 4 KiB pre-zeroed + fdatasync", time_each(200, [&](int i) {
          (void)(*zeroed)->write_at(block, static_cast<uint64_t>(i) * block.size());
          (void)(*zeroed)->sync();
        }));
  print("small file: write, sync, rename, dir", time_each(200, [&](int i) {
          (void)files.replace(directory + "/small" + std::to_string(i), std::string(300, 'y'));
        }));
}

io::Task<> echo(std::unique_ptr<io::Stream> stream) {
  std::array<char, 1024> buffer;
  while (true) {
    auto got = co_await stream->read_some(buffer);
    if (!got || *got == 0) co_return;
    if (!co_await stream->write(std::string_view(buffer.data(), *got))) co_return;
  }
}

io::Task<Spread> ping(uint16_t port) {
  auto stream = co_await io::connect_tcp("127.0.0.1", port, io::after(Millis(5000)));
  std::vector<int64_t> ns;
  std::array<char, 64> buffer;
  for (int i = 0; i < 20'000; ++i) {
    int64_t begin = system_clock().steady_ns();
    (void)co_await (*stream)->write(std::string_view("ping"));
    (void)co_await (*stream)->read_some(buffer);
    ns.push_back(system_clock().steady_ns() - begin);
  }
  co_return spread_of(std::move(ns));
}

void calibrate_loopback() {
  io::Runtime runtime({.loops = 2});
  io::Server server(runtime, {.name = "echo"}, echo);
  auto port = server.listen_tcp("127.0.0.1", 0);
  server.start();
  print("loopback round trip, 4 bytes", io::wait_on(runtime.loop(1), ping(*port)));
  server.stop();
}

}  // namespace

int main(int argc, char** argv) {
  std::string directory = argc > 1 ? argv[1] : "/tmp/pinpipe-calibrate";
  if (!io::posix_files().make_directories(directory)) return 1;
  calibrate_disk(directory);
  calibrate_loopback();
  (void)io::posix_files().remove_tree(directory);
  return 0;
}
