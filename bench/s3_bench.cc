// Requests a second through the S3 API, each signed (SigV4, unsigned payload), to a server that
// runs already and has a bucket "bench", for bench/s3/peer:
//   bench_s3 NAME HOST:PORT KEY SECRET PID WHAT CONNECTIONS SECONDS
//   bench_s3 NAME HOST:PORT KEY SECRET PID fill|list - COUNT
// WHAT is put1k, get1k, put1m or get1m; puts go to keys of their own until those are used up, gets
// read what was put just before. fill puts COUNT small objects, list reads all their names in pages
// of a thousand. Each prints one line of tab-separated figures.
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <unistd.h>

#include "auth/sigv4.h"
#include "base/check.h"
#include "base/clock.h"
#include "doors/s3/door_on_disk.h"
#include "http/server.h"
#include "io/scope.h"
#include "objects/remote_store.h"
#include "rest_load.h"

namespace {

using namespace pinpipe;

constexpr size_t small_bytes = 1'024;
constexpr size_t large_bytes = 1'000'000;
constexpr int small_keys = 20'000;
constexpr int large_keys = 64;

struct Target {
  std::string name;
  std::string address;
  auth::Credential credential;
  int pid = 0;

  std::string host() const { return address.substr(0, address.rfind(':')); }
  uint16_t port() const {
    return static_cast<uint16_t>(std::atoi(address.c_str() + address.rfind(':') + 1));
  }
};

std::string request_for(const Target& target, std::string_view method, const std::string& key,
                        std::string_view body) {
  std::string path = "/bench/" + key;
  auth::RequestView view;
  view.method = method;
  view.path = path;
  view.payload_hash = auth::unsigned_payload;
  view.headers.emplace_back("host", target.address);
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", method, path, target.address);
  for (const auto& [name, value] :
       auth::sign_headers(view, target.credential, {"us-east-1", "s3"}, system_clock().wall_ms()))
    text += fmt::format("{}: {}\r\n", name, value);
  if (method == "PUT") text += fmt::format("Content-Length: {}\r\n", body.size());
  return text + "\r\n" + std::string(body);
}

std::vector<std::string> requests_for(const Target& target, std::string_view method,
                                      const std::string& folder, int count, size_t bytes) {
  std::vector<std::string> all;
  const std::string body(bytes, 'x');
  for (int i = 0; i < count; ++i)
    all.push_back(request_for(target, method, fmt::format("{}/{:08}", folder, i), body));
  return all;
}

bench::Figures run(const Target& target, std::vector<std::string> requests, size_t connections,
                   double seconds, uint64_t count = UINT64_MAX) {
  bench::Load load{.host = target.host(),
                   .port = target.port(),
                   .connections = connections,
                   .seconds = seconds,
                   .requests_max = count};
  load.requests = std::move(requests);
  return bench::run_load(load, [&] { return bench::cpu_us_of({target.pid}); });
}

void print(const Target& target, const std::string& what, size_t connections,
           const bench::Figures& got, size_t bytes) {
  double all = static_cast<double>(std::max<uint64_t>(got.requests, 1));
  std::printf("%s\t%s\t%zu\t%.0f\t%.1f\t%.0f\t%.0f\t%.1f\t%llu\n", target.name.c_str(),
              what.c_str(), connections, got.rate(), got.rate() * static_cast<double>(bytes) / 1e6,
              got.p50_us, got.p99_us, got.server_cpu_us / all,
              static_cast<unsigned long long>(got.refused));
}

void measure(const Target& target, const std::string& what, size_t connections, double seconds) {
  const bool is_large = what.ends_with("1m");
  const size_t bytes = is_large ? large_bytes : small_bytes;
  const int keys = is_large ? large_keys : small_keys;
  if (what.starts_with("put")) {
    auto puts = requests_for(target, "PUT", fmt::format("{}-{}", what, connections), keys, bytes);
    return print(target, what, connections, run(target, std::move(puts), connections, seconds),
                 bytes);
  }
  constexpr int read_keys = 64;
  auto puts = requests_for(target, "PUT", "get-" + what, read_keys, bytes);
  CHECK(run(target, std::move(puts), 4, 60, read_keys).refused == 0, "what is read can be put");
  auto gets = requests_for(target, "GET", "get-" + what, read_keys, 0);
  print(target, what, connections, run(target, std::move(gets), connections, seconds), bytes);
}

void fill(const Target& target, int count) {
  // In rounds, since a signature is good for fifteen minutes only.
  constexpr int round_keys = 10'000;
  for (int done = 0; done < count; done += round_keys) {
    int keys = std::min(round_keys, count - done);
    auto puts = requests_for(target, "PUT", fmt::format("list/{:03}", done / round_keys), keys, 10);
    auto got = run(target, std::move(puts), 16, 600, static_cast<uint64_t>(keys));
    CHECK(got.refused == 0 && got.requests >= static_cast<uint64_t>(keys), "all keys are put");
  }
}

io::Task<size_t> list_all(objects::RemoteStore& store) {
  objects::ListQuery query{.prefix = "list/", .delimiter = "", .after = "", .count_max = 1'000};
  size_t keys = 0;
  while (true) {
    auto page = co_await store.list("bench", query);
    if (!page) std::fprintf(stderr, "%s\n", page.error().text().c_str());
    CHECK(page.has_value(), "a page is listed");
    keys += page->objects.size();
    if (!page->truncated) co_return keys;
    query.after = page->next_after;
  }
}

void list(const Target& target, size_t count) {
  io::Runtime runtime({.loops = 1, .disk_threads = 1, .work_threads = 1});
  auto store = objects::RemoteStore::open({.endpoint = "http://" + target.address,
                                           .credential = target.credential,
                                           .temporary_directory = "/tmp"},
                                          runtime.disk());
  CHECK(store.has_value(), "the store opens");
  double cpu = bench::cpu_us_of({target.pid});
  int64_t begun = system_clock().steady_ns();
  size_t keys = io::wait_on(runtime.loop(0), list_all(**store));
  double seconds = static_cast<double>(system_clock().steady_ns() - begun) / 1e9;
  CHECK(keys == count, "all keys are listed");
  std::printf("%s\tlist\t1\t%.0f\t-\t%.0f\t-\t%.1f\t0\n", target.name.c_str(),
              static_cast<double>(keys) / seconds, seconds * 1e9 / static_cast<double>(keys),
              (bench::cpu_us_of({target.pid}) - cpu) / static_cast<double>(keys));
}

// A store, a door and a listener, as `pinpipe up` wires them.
class Server {
 public:
  Server(const std::string& root, const auth::Credential& credential)
      : s3_(root, runtime_, {.auth_required = true}) {
    CHECK(s3_.keys().add(credential).has_value(), "a key");
    http::Server::Options options{.name = "s3"};
    options.plan_body = s3::Door::plan_body;
    server_ = std::make_unique<http::Server>(runtime_, std::move(options), s3_.door().handler());
    auto port = server_->listen_tcp("127.0.0.1", 0);
    CHECK(port.has_value(), "a port");
    port_ = *port;
    server_->start();
    Status made = io::wait_on(runtime_.loop(0), s3_.store().create_bucket("bench"));
    CHECK(made.has_value(), "a bucket");
  }
  ~Server() { server_->stop(); }
  uint16_t port() const { return port_; }

 private:
  io::Runtime runtime_{{.loops = 1, .disk_threads = 8, .work_threads = 1}};
  s3::DoorOnDisk s3_;
  std::unique_ptr<http::Server> server_;
  uint16_t port_ = 0;
};

void run_here() {
  std::string directory = "/tmp/bench-s3-XXXXXX";
  CHECK(::mkdtemp(directory.data()) != nullptr, "a temporary directory can be made");
  {
    Target target{.name = "here", .address = "", .credential = {"AKIDEXAMPLE", "secret", "", {}}};
    target.credential.principal = auth::local_principal();
    Server server(directory, target.credential);
    target.address = fmt::format("127.0.0.1:{}", server.port());
    target.pid = ::getpid();
    std::puts("server\twhat\tconns\trequests/s\tMB/s\tp50 us\tp99 us\tCPU us/request\trefused");
    for (const char* what : {"put1k", "get1k", "put1m", "get1m"}) {
      for (size_t connections : {1, 32}) measure(target, what, connections, 2);
    }
    fill(target, 20'000);
    list(target, 20'000);
  }
  (void)io::posix_files().remove_tree(directory);
}

}  // namespace

int main(int count, char** given) {
  if (count == 1) {
    run_here();
    return 0;
  }
  if (count != 9) {
    std::fprintf(
        stderr, "usage: bench_s3 [NAME HOST:PORT KEY SECRET PID WHAT CONNECTIONS SECONDS|COUNT]\n");
    return 2;
  }
  Target target{.name = given[1],
                .address = given[2],
                .credential = {given[3], given[4], "", {}},
                .pid = std::atoi(given[5])};
  const std::string what = given[6];
  if (what == "fill") {
    fill(target, std::atoi(given[8]));
  } else if (what == "list") {
    list(target, static_cast<size_t>(std::atoi(given[8])));
  } else {
    measure(target, what, static_cast<size_t>(std::atoi(given[7])), std::atof(given[8]));
  }
  return 0;
}
