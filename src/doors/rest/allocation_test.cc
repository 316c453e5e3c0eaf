// Counts the heap allocations of produce requests with 100 records, from the parsed request to the
// written answer: at most 0.05 a record once the buffers are warm.
#include <atomic>
#include <cstdlib>
#include <gtest/gtest.h>
#include <new>

#include "doors/rest/door.h"
#include "doors/rest/watched_topics.h"
#include "io/runtime.h"
#include "io/scope.h"

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
#endif

namespace pinpipe::rest {
namespace {

constexpr size_t records_per_request = 100;
constexpr size_t requests = 50;

// Places records nowhere: what the broker allocates is counted by the broker's own tests.
class NoTopics final : public WatchedTopics {
 public:
  io::Task<Result<std::vector<broker::Placed>>> produce(std::string_view,
                                                        std::span<const broker::RecordIn> records,
                                                        broker::Acks) override {
    std::vector<broker::Placed> placed(records.size());
    for (size_t i = 0; i < placed.size(); ++i) placed[i].offset = static_cast<int64_t>(i);
    co_return placed;
  }
};

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
  io::Runtime runtime({.loops = 1, .disk_threads = 1, .work_threads = 1});
  NoTopics topics;
  Door door({}, [&](const http::Request&) -> Result<broker::Topics*> { return &topics; });
  allocations = 0;
  io::run_on(runtime.loop(0), send(door.handler(), type, body_of(record)));
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
