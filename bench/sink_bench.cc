// Durable objects a second and bytes a second of the connector, from topics in memory into the
// bucket store on this disk, beside what the same disk does in the same run with one synced file
// after another (write, sync, rename, directory sync: the plain way to a durable object).
//   sink_bench [DIRECTORY]
#include <cstdio>
#include <string>
#include <thread>

#include "base/clock.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/memory_topics.h"
#include "kit/temporary_directory.h"
#include "objects/bucket_store.h"
#include "sink/object_sink.h"

namespace {

namespace io = pinpipe::io;
namespace sink = pinpipe::sink;
namespace broker = pinpipe::broker;
namespace objects = pinpipe::objects;

double seconds_since(int64_t start_ns) {
  return static_cast<double>(pinpipe::system_clock().steady_ns() - start_ns) / 1e9;
}

// One synced file after another, with so many threads.
double files_per_second(const std::string& directory, int threads, const std::string& bytes) {
  constexpr int files_each = 500;
  (void)io::posix_files().make_directories(directory);
  int64_t start = pinpipe::system_clock().steady_ns();
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t)
    all.emplace_back([&, t] {
      for (int i = 0; i < files_each; ++i)
        (void)io::posix_files().replace(
            directory + "/" + std::to_string(t) + "-" + std::to_string(i), bytes);
    });
  for (std::thread& thread : all) thread.join();
  return threads * files_each / seconds_since(start);
}

struct Run {
  int64_t records;
  std::string flush_size;
  size_t value_bytes;
};

void measure(io::Runtime& runtime, const std::string& directory, const Run& run) {
  pinpipe::kit::MemoryTopics topics;
  auto wait = [&](auto task) { return io::wait_on(runtime.loop(0), std::move(task)); };
  auto store = objects::BucketStore::open({.root = directory + "/buckets"}, runtime.disk());
  auto state = sink::SinkState::open(directory + "/sink.db");
  CHECK(store && state, "the store and the state open");
  CHECK(wait((*store)->create_bucket("bench")).has_value(), "a bucket");
  broker::TopicSpec spec;
  spec.name = "u.pin";
  CHECK(wait(topics.create(spec)).has_value(), "a topic");
  std::string value = "{\"a\":\"" + std::string(run.value_bytes, 'x') + "\"}";
  std::vector<broker::RecordIn> records(1'000);
  for (auto& record : records) record.value = value;
  for (int64_t sent = 0; sent < run.records; sent += 1'000)
    CHECK(wait(topics.produce("u.pin", records, broker::Acks::committed)).has_value(), "records");
  auto config = sink::parse_config({{"name", "c"},
                                    {"connector.class", "S3Sink"},
                                    {"format.class", "JsonFormat"},
                                    {"s3.bucket.name", "bench"},
                                    {"topics", "u.pin"},
                                    {"flush.size", run.flush_size}});
  CHECK(config.has_value(), "a configuration");
  sink::ObjectSink connector({topics, **store, **state, runtime.disk(), runtime.loop(0)}, *config);
  int64_t start = pinpipe::system_clock().steady_ns();
  double seconds = 0;
  io::run_on(runtime.loop(0),
             [](io::Loop& loop, sink::ObjectSink& of, int64_t from, double& took) -> io::Task<> {
               io::Scope scope(loop);
               scope.spawn("sink", of.run());
               pinpipe::Status flushed = co_await of.flush(io::never);
               CHECK(flushed.has_value(), "all is stored");
               took = seconds_since(from);
               scope.cancel();
               co_await scope.join();
             }(runtime.loop(0), connector, start, seconds));
  double objects_made = static_cast<double>(run.records) / std::stod(run.flush_size);
  double mega_bytes =
      static_cast<double>(run.records) * static_cast<double>(value.size() + 1) / 1e6;
  std::printf("flush.size=%-5s %8.0f durable objects/s  %8.1f MB/s  %9.0f records/s\n",
              run.flush_size.c_str(), objects_made / seconds, mega_bytes / seconds,
              static_cast<double>(run.records) / seconds);
}

}  // namespace

int main(int count, char** arguments) {
  pinpipe::kit::TemporaryDirectory temporary;
  std::string root = count > 1 ? arguments[1] : temporary.path();
  io::Runtime runtime({.loops = 1, .disk_threads = 8, .work_threads = 1});
  std::string small(480, 'x');
  std::printf("calibration: %8.0f synced files/s with 1 thread, %8.0f with 8\n",
              files_per_second(root + "/one", 1, small),
              files_per_second(root + "/eight", 8, small));
  measure(runtime, root + "/a", {30'000, "1", 470});
  measure(runtime, root + "/b", {600'000, "1000", 470});
}
