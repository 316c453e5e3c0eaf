// Requests a second through the Kinesis API: single records of 1 KB over 1 and 64 connections, 500
// of them in a request, and reading them, with fsync os and always; then what idle streams cost.
//   bench_kinesis                         against a server in this process
//   bench_kinesis NAME HOST:PORT PID,… WHAT CONNECTIONS SECONDS [ITERATOR]
// The second form drives a server that runs already and has a stream "bench" of four shards, for
// bench/kinesis/peer; WHAT is put, bulk or get. It prints one line of tab-separated figures.
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <optional>
#include <sstream>
#include <sys/resource.h>

#include "base/bytes.h"
#include "base/check.h"
#include "broker/broker.h"
#include "broker/streams.h"
#include "doors/kinesis/door.h"
#include "http/server.h"
#include "io/files.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "rest_load.h"

namespace {

using namespace pinpipe;

constexpr size_t record_bytes = 1024;
constexpr int bulk_records = 500;
constexpr int get_records = 1000;

std::string request_for(const std::string& host, const std::string& action,
                        const std::string& body) {
  return fmt::format(
      "POST / HTTP/1.1\r\nHost: {}\r\nX-Amz-Target: Kinesis_20131202.{}\r\nContent-Type: "
      "application/x-amz-json-1.1\r\nUser-Agent: Boto3/1.44.5 md/Botocore#1.44.5\r\nX-Amz-Date: "
      "20261121T101500Z\r\nAuthorization: AWS4-HMAC-SHA256 "
      "Credential=test/20261121/us-east-1/kinesis/aws4_request, "
      "SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="
      "0000000000000000000000000000000000000000000000000000000000000000\r\nAccept-Encoding: "
      "identity\r\nContent-Length: {}\r\n\r\n{}",
      host, action, body.size(), body);
}

std::string record_json(int number) {
  std::string data(record_bytes, 'x');
  return fmt::format(R"("Data": "{}", "PartitionKey": "key-{}")", to_base64(data), number);
}

std::string request_of(const std::string& host, const std::string& what,
                       const std::string& iterator) {
  if (what == "put")
    return request_for(host, "PutRecord", R"({"StreamName": "bench", )" + record_json(7) + "}");
  if (what == "get")
    return request_for(
        host, "GetRecords",
        fmt::format(R"({{"ShardIterator": "{}", "Limit": {}}})", iterator, get_records));
  std::string records;
  for (int i = 0; i < bulk_records; ++i) records += (i > 0 ? ", {" : "{") + record_json(i) + "}";
  return request_for(host, "PutRecords",
                     R"({"StreamName": "bench", "Records": [)" + records + "]}");
}

int records_in(const std::string& what) {
  return what == "put" ? 1 : what == "get" ? get_records : bulk_records;
}

double micros_of(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  auto micros = [](timeval t) {
    return 1e6 * static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec);
  };
  return micros(usage.ru_utime) + micros(usage.ru_stime);
}

template <class T>
T need(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "bench_kinesis: %s\n", result.error().text().c_str());
  std::exit(1);
}

// A broker, streams, a door and a listener, as `pinpipe up` wires them.
class Server {
 public:
  Server(const std::string& directory, const std::string& fsync) {
    broker_ = need(broker::Broker::open({.log_directory = directory + "/log",
                                         .state_path = directory + "/broker.db",
                                         .configs_standard = {{"fsync", fsync}}},
                                        io::posix_files(), runtime_.disk(), system_clock(),
                                        auth::Policy::open_for_local()));
    streams_ = need(broker::Streams::open({.state_path = directory + "/streams.db"}, *broker_,
                                          runtime_.disk(), system_clock()));
    door_.emplace(kinesis::Door::Options{}, *streams_, system_clock());
    server_.emplace(
        runtime_,
        http::Server::Options{.name = "kinesis", .body_bytes_max = kinesis::body_bytes_max},
        door_->handler());
    port_ = need(server_->listen_tcp("127.0.0.1", 0));
    server_->start();
  }
  ~Server() {
    server_->stop();
    server_.reset();
    (void)io::wait_on(runtime_.loop(0), broker_->close());
  }
  uint16_t port() const { return port_; }

  void create(const std::string& name, int32_t shards) {
    auto access = streams_->as(auth::local_principal());
    (void)need(
        io::wait_on(runtime_.loop(0), access.create({.name = name, .shards = shards, .tags = {}})));
  }
  std::string iterator() {
    auto access = streams_->as(auth::local_principal());
    auto stream = need(access.find("bench"));
    return need(io::wait_on(runtime_.loop(0), access.iterator(stream, 0, {})));
  }

 private:
  io::Runtime runtime_{{.loops = 1, .disk_threads = 2, .work_threads = 1}};
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<broker::Streams> streams_;
  std::optional<kinesis::Door> door_;
  std::optional<http::Server> server_;
  uint16_t port_ = 0;
};

void measure(Server& server, const char* sync, const std::string& what, size_t connections) {
  bench::Load load{.port = server.port(), .connections = connections, .seconds = 2};
  load.request = request_of("localhost", what, what == "get" ? server.iterator() : "");
  auto cpu = [] { return micros_of(RUSAGE_SELF) - micros_of(RUSAGE_THREAD); };
  bench::Figures got = bench::run_load(load, cpu);
  double all = static_cast<double>(std::max<uint64_t>(got.requests, 1)) * records_in(what);
  std::printf("%-8s %-5s %5zu %12.0f %10.0f %10.0f %14.2f%s\n", sync, what.c_str(), connections,
              got.rate(), got.p50_us, got.p99_us, got.server_cpu_us / all,
              got.refused > 0 ? "  REFUSALS" : "");
}

double resident_mb() {
  std::ifstream file("/proc/self/statm");
  double pages = 0;
  file >> pages >> pages;
  return pages * static_cast<double>(::getpagesize()) / 1e6;
}

void measure_memory(const std::string& directory) {
  constexpr int streams = 1000;
  std::printf("resident before: %.0f MB\n", resident_mb());
  {
    Server server(directory, "os");
    for (int i = 0; i < streams; ++i) server.create(fmt::format("stream-{}", i), 4);
    std::printf("%d streams of 4 shards, just created: %.0f MB\n", streams, resident_mb());
  }
  Server server(directory, "os");
  std::printf("%d streams of 4 shards, opened again: %.0f MB\n", streams, resident_mb());
}

void in_directory(const std::function<void(const std::string&)>& work) {
  std::string directory = "/tmp/bench-kinesis-XXXXXX";
  CHECK(::mkdtemp(directory.data()) != nullptr, "a temporary directory can be made");
  work(directory);
  (void)io::posix_files().remove_tree(directory);
}

void run_here() {
  // First, while the process is small.
  in_directory(measure_memory);
  std::printf("%-8s %-5s %5s %12s %10s %10s %14s\n", "fsync", "what", "conns", "requests/s",
              "p50 us", "p99 us", "CPU us/record");
  for (const char* sync : {"os", "always"}) {
    in_directory([&](const std::string& directory) {
      Server server(directory, sync);
      server.create("bench", 4);
      measure(server, sync, "put", 1);
      measure(server, sync, "put", 64);
      measure(server, sync, "bulk", 1);
      measure(server, sync, "bulk", 8);
      if (sync == std::string_view("os")) measure(server, sync, "get", 1);
      if (sync == std::string_view("os")) measure(server, sync, "get", 8);
    });
  }
}

int run_there(int count, char** given) {
  std::string address = given[1];
  size_t colon = address.rfind(':');
  std::vector<int> pids;
  std::istringstream list(given[2]);
  for (std::string one; std::getline(list, one, ',');) pids.push_back(std::atoi(one.c_str()));
  const std::string what = given[3];
  bench::Load load;
  load.host = address.substr(0, colon);
  load.port = static_cast<uint16_t>(std::atoi(address.c_str() + colon + 1));
  load.connections = static_cast<size_t>(std::atoi(given[4]));
  load.seconds = std::atof(given[5]);
  load.request = request_of(address, what, count > 6 ? given[6] : "");
  bench::Figures got = bench::run_load(load, [&] { return bench::cpu_us_of(pids); });
  double all = static_cast<double>(std::max<uint64_t>(got.requests, 1)) * records_in(what);
  std::printf("%s\t%s\t%zu\t%.1f\t%.1f\t%.1f\t%.3f\t%llu\n", given[0], what.c_str(),
              load.connections, got.rate(), got.p50_us, got.p99_us, got.server_cpu_us / all,
              static_cast<unsigned long long>(got.refused));
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count >= 7) return run_there(count - 1, arguments + 1);
  if (count != 1) {
    std::fprintf(
        stderr, "usage: bench_kinesis [NAME HOST:PORT PIDS WHAT CONNECTIONS SECONDS [ITERATOR]]\n");
    return 2;
  }
  run_here();
  return 0;
}
