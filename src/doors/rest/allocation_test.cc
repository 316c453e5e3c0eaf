// Counts the heap allocations of produce requests with 100 records, from the parsed request over
// the broker, the log and its commit to the written answer, on all threads: at most 0.05 a record
// once the buffers are warm.
#include <atomic>
#include <cstdlib>
#include <gtest/gtest.h>
#include <new>

#include "broker/broker.h"
#include "doors/rest/door.h"
#include "io/files.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/temporary_directory.h"

namespace {
std::atomic<bool> counts{false};
std::atomic<size_t> allocations{0};
}  // namespace

#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer) && \
    !__has_feature(thread_sanitizer)
void* operator new(size_t size) {
  if (counts.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* made = std::malloc(size)) return made;
  throw std::bad_alloc();
}
void operator delete(void* made) noexcept {
  std::free(made);
}
void operator delete(void* made, size_t) noexcept {
  std::free(made);
}
// Asio's frames of coroutines.
extern "C" void* __libc_memalign(size_t alignment, size_t size);
extern "C" void* aligned_alloc(size_t alignment, size_t size) noexcept {
  if (counts.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, size);
}
#endif

namespace pinpipe::rest {
namespace {

constexpr size_t records_per_request = 100;
constexpr size_t requests = 50;

std::string body_of(std::string_view record) {
  std::string body = "{\"records\": [";
  for (size_t i = 0; i < records_per_request; ++i) {
    if (i > 0) body += ", ";
    body += record;
  }
  return body + "]}";
}

io::Task<> send(const http::Handler& handler, std::string_view type, std::string body) {
  http::Request request;
  http::Response response;
  for (size_t i = 0; i < requests; ++i) {
    counts = false;
    request.clear();
    response.clear();
    request.method = "POST";
    request.target = "/topics/0e90e0175553.pin";
    request.headers.add("Content-Type", type);
    request.headers.add("Accept", "*/*");
    request.body = body;
    counts = i >= requests / 2;  // the first half warms the buffers
    co_await handler(request, response);
    counts = false;
    EXPECT_EQ(response.status, 200) << response.body;
  }
}

double allocations_per_record(std::string_view type, std::string_view record) {
  kit::TemporaryDirectory directory;
  io::Runtime runtime({.loops = 1, .disk_threads = 1, .work_threads = 1});
  auth::Policy policy = auth::Policy::open_for_local();
  broker::Broker::Options options;
  options.log_directory = directory.path() + "/log";
  options.state_path = directory.path() + "/broker.db";
  auto broker =
      broker::Broker::open(options, io::posix_files(), runtime.disk(), system_clock(), policy);
  if (!broker) return 1e9;
  std::unique_ptr<broker::Topics> topics = (*broker)->as(auth::local_principal());
  Door door({}, [&](const http::Request&) -> Result<broker::Topics*> { return topics.get(); });
  allocations = 0;
  io::run_on(runtime.loop(0), send(door.handler(), type, body_of(record)));
  EXPECT_TRUE(io::wait_on(runtime.loop(0), (*broker)->close()));
  return static_cast<double>(allocations) / (records_per_request * (requests - requests / 2));
}

TEST(Allocations, a_record_of_a_large_request_costs_next_to_none) {
  constexpr std::string_view json = "application/vnd.kafka.json.v2+json";
  EXPECT_LE(
      allocations_per_record(json, R"({"value": {"index": 1, "title": "caf\u00e9 and more"}})"),
      0.05);
  EXPECT_LE(allocations_per_record(json, R"({"key":"k","value":{"index":1}})"), 0.05);
  EXPECT_LE(allocations_per_record("application/vnd.kafka.binary.v2+json",
                                   R"({"value": "Zm9vIGJhciBiYXogcXV1eCBmb28gYmFy"})"),
            0.05);
}

}  // namespace
}  // namespace pinpipe::rest
