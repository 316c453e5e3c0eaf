// Requests and records a second through the REST proxy, 600 bytes of JSON each, over 1, 16 and 128
// connections, one record and a hundred in a request, with fsync os and always.
//   bench_rest                                           against a server in this process
//   bench_rest NAME HOST:PORT PATH PID,… CONNECTIONS RECORDS SECONDS   against one that runs
//   already
// The second prints one line of tab-separated figures: for bench/rest_peer, which drives others
// with the same load.
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <optional>
#include <sstream>
#include <sys/resource.h>

#include "base/check.h"
#include "broker/broker.h"
#include "doors/rest/door.h"
#include "http/server.h"
#include "io/files.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "rest_load.h"

namespace {

using namespace pinpipe;

double micros_of(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  auto micros = [](timeval t) {
    return 1e6 * static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec);
  };
  return micros(usage.ru_utime) + micros(usage.ru_stime);
}

void print_head() {
  std::printf("%-10s %5s %7s %12s %12s %10s %10s %14s %10s\n", "server", "conns", "records",
              "requests/s", "records/s", "p50 us", "p99 us", "CPU us/record", "MB/s");
}

void print(const std::string& name, const bench::Load& load, size_t records,
           const bench::Figures& got) {
  double all = got.rate() * static_cast<double>(records);
  double cpu = got.server_cpu_us / static_cast<double>(std::max<uint64_t>(got.requests, 1)) /
               static_cast<double>(records);
  double megabytes = got.rate() * static_cast<double>(load.request.size()) / 1e6;
  std::printf("%-10s %5zu %7zu %12.0f %12.0f %10.0f %10.0f %14.2f %10.1f%s\n", name.c_str(),
              load.connections, records, got.rate(), all, got.p50_us, got.p99_us, cpu, megabytes,
              got.refused > 0 ? "  REFUSALS" : "");
}

// A broker, a door and a listener, as `pinpipe up` wires them.
class Server {
 public:
  explicit Server(const std::string& directory)
      : runtime_({.loops = 1, .disk_threads = 2, .work_threads = 1}) {
    auto broker = broker::Broker::open(
        {.log_directory = directory + "/log", .state_path = directory + "/broker.db"},
        io::posix_files(), runtime_.disk(), system_clock(), auth::Policy::open_for_local());
    CHECK(broker, "a broker opens in an empty directory");
    broker_ = std::move(*broker);
    topics_ = broker_->as(auth::local_principal());
    for (std::string sync : {"os", "always"}) {
      broker::TopicSpec spec{.name = sync, .partitions = 1, .configs = {{"fsync", sync}}};
      CHECK(io::wait_on(runtime_.loop(0), topics_->create(std::move(spec))), "a topic is made");
    }
    door_.emplace(rest::Door::Options{}, [this](const http::Request&) -> Result<broker::Topics*> {
      return topics_.get();
    });
    server_.emplace(runtime_, http::Server::Options{}, door_->handler());
    auto port = server_->listen_tcp("127.0.0.1", 0);
    CHECK(port, "loopback has a free port");
    port_ = *port;
    server_->start();
  }
  ~Server() {
    server_->stop();
    server_.reset();
    (void)io::wait_on(runtime_.loop(0), broker_->close());
  }
  uint16_t port() const { return port_; }

 private:
  io::Runtime runtime_;
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<broker::Topics> topics_;
  std::optional<rest::Door> door_;
  std::optional<http::Server> server_;
  uint16_t port_ = 0;
};

void run_here() {
  std::string directory = "/tmp/bench-rest-XXXXXX";
  CHECK(::mkdtemp(directory.data()) != nullptr, "a temporary directory can be made");
  {
    Server server(directory);
    print_head();
    for (const char* sync : {"os", "always"}) {
      for (size_t connections : {1, 16, 128}) {
        for (size_t records : {1, 100}) {
          bench::Load load{.port = server.port(), .connections = connections, .seconds = 1};
          load.request =
              bench::produce_request("localhost", std::string("/topics/") + sync, records);
          auto cpu = [] { return micros_of(RUSAGE_SELF) - micros_of(RUSAGE_THREAD); };
          print(sync, load, records, bench::run_load(load, cpu));
        }
      }
    }
  }
  (void)io::posix_files().remove_tree(directory);
}

int run_there(char** given) {
  std::string address = given[1];
  size_t colon = address.rfind(':');
  std::vector<int> pids;
  std::istringstream list(given[3]);
  for (std::string one; std::getline(list, one, ',');) pids.push_back(std::atoi(one.c_str()));
  bench::Load load;
  load.host = address.substr(0, colon);
  load.port = static_cast<uint16_t>(std::atoi(address.c_str() + colon + 1));
  load.connections = static_cast<size_t>(std::atoi(given[4]));
  auto records = static_cast<size_t>(std::atoi(given[5]));
  load.seconds = std::atof(given[6]);
  load.request = bench::produce_request("localhost", given[2], records);
  bench::Figures got = bench::run_load(load, [&] { return bench::cpu_us_of(pids); });
  double all = static_cast<double>(std::max<uint64_t>(got.requests * records, 1));
  std::printf("%s\t%zu\t%zu\t%.1f\t%.1f\t%.1f\t%.3f\t%.1f\t%llu\n", given[0], load.connections,
              records, got.rate(), got.p50_us, got.p99_us, got.server_cpu_us / all,
              got.rate() * static_cast<double>(load.request.size()) / 1e6,
              static_cast<unsigned long long>(got.refused));
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 8) return run_there(arguments + 1);
  if (count != 1) {
    std::fprintf(stderr,
                 "usage: bench_rest [NAME HOST:PORT PATH PIDS CONNECTIONS RECORDS SECONDS]\n");
    return 2;
  }
  run_here();
  return 0;
}
