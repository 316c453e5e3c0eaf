// The stream job against its bars: how fast it drains a backlog, all three data sets at once and
// pin alone, from the broker's log on disk into Delta tables, every commit synced.
//   bench_stream [records of each data set, 400000] [directory, a temporary one]
// Read it with bench_calibrate's rates: it is CPU that counts here, shown beside the wall time.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fmt/format.h>
#include <string>
#include <sys/resource.h>

#include "base/check.h"
#include "base/clock.h"
#include "broker/broker.h"
#include "io/files.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "jobs/stream.h"
#include "objects/directory_store.h"
#include "project/embedded.h"
#include "project/load.h"
#include "source/generator.h"
#include "source/payload.h"

namespace pinpipe {
namespace {

constexpr size_t records_per_produce = 2'000;

template <class T>
T need(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "bench_stream: %s\n", result.error().text().c_str());
    std::exit(1);
  }
  return std::move(*result);
}

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

int64_t resident_kb_max() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

struct Bench {
  explicit Bench(const std::string& root)
      : directory(root),
        store({.root = root + "/lake"}, runtime.disk()),
        lake{.store = store,
             .work = runtime.work(),
             .clock = system_clock(),
             .connect = [this]() -> Result<std::unique_ptr<sql::Connection>> {
               auto engine = sql::Engine::open(engine_options());
               if (!engine) return engine.error();
               return (*engine)->connect();
             }} {
    auto loaded = project::load(project::embedded_project(), {});
    CHECK(loaded.project.has_value(), "the built-in project is valid");
    project = std::move(*loaded.project);
    broker = need(broker::Broker::open(
        {.log_directory = root + "/log", .state_path = root + "/broker.db"}, io::posix_files(),
        runtime.disk(), system_clock(), auth::Policy::open_for_local()));
    topics = broker->as(auth::service_principal("bench"));
  }
  ~Bench() { (void)wait(broker->close()); }

  sql::Engine::Options engine_options() const {
    return {.memory_bytes = 640'000'000, .temp_root = directory, .readable_directories = {}};
  }
  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(runtime.loop(0), std::move(task));
  }

  void fill(const std::string& dataset, source::Table table, uint64_t records) {
    const std::string& stream = project.find_dataset(dataset)->stream;
    (void)need(wait(topics->create({.name = stream, .partitions = 1, .configs = {}})));
    source::Generator generator({.rows = records, .seed = 1});
    source::Row row;
    std::vector<std::string> values;
    for (uint64_t i = 0; i < records; ++i) {
      generator.read(table, i, row);
      source::append_row(values.emplace_back(), row, {.spelling = source::Spelling::compact});
      if (values.size() < records_per_produce && i + 1 < records) continue;
      std::vector<broker::RecordIn> sent(values.size());
      for (size_t n = 0; n < values.size(); ++n) {
        sent[n].key = dataset;
        sent[n].value = values[n];
      }
      auto placed = need(wait(topics->produce(stream, sent, broker::Acks::committed)));
      CHECK(!placed.back().error, "the record is in the log");
      values.clear();
    }
  }

  void drain(const std::string& what, uint64_t records) {
    jobs::StreamJob job({.project = &project,
                         .topics = topics.get(),
                         .lake = &lake,
                         .lake_bucket = "delta",
                         .loop = &runtime.loop(0),
                         .clock = &system_clock(),
                         .engine = engine_options()});
    double cpu = cpu_seconds();
    int64_t begin_ns = system_clock().steady_ns();
    io::Scope scope(runtime.loop(0));
    io::run_on(runtime.loop(0), [](io::Scope& in, jobs::StreamJob& one) -> io::Task<> {
      in.spawn("stream job", one.run());
      co_return;
    }(scope, job));
    auto status = need(wait(job.drain(io::after(Millis{3'600'000}))));
    double seconds = static_cast<double>(system_clock().steady_ns() - begin_ns) / 1e9;
    cpu = cpu_seconds() - cpu;
    io::run_on(runtime.loop(0), [](io::Scope& in) -> io::Task<> {
      in.cancel();
      co_await in.join();
    }(scope));
    uint64_t seen = 0;
    uint64_t batches = 0;
    for (const jobs::StreamStatus& one : status) {
      seen += one.records;
      batches += one.batches;
    }
    CHECK(seen == records, "every record was drained once");
    auto count = static_cast<double>(records);
    fmt::print(
        "{}: {} records in {:.2f} s = {:.0f}/s, {:.2f} CPU-s = {:.0f}/CPU-s, {} commits, "
        "{} MB resident at most\n",
        what, records, seconds, count / seconds, cpu, count / cpu, batches,
        resident_kb_max() / 1024);
  }

  const std::string directory;
  io::Runtime runtime{{.loops = 2, .disk_threads = 4, .work_threads = 2}};
  objects::DirectoryStore store;
  lake::Services lake;
  project::Project project;
  std::unique_ptr<broker::Broker> broker;
  std::unique_ptr<broker::Topics> topics;
};

void run(uint64_t records, const std::string& root) {
  for (bool is_mixed : {false, true}) {
    std::string place = root + (is_mixed ? "/mixed" : "/pin");
    for (const char* part : {"", "/log", "/lake"})
      CHECK(io::posix_files().make_directories(place + part).has_value(), "a place to work in");
    Bench bench(place);
    bench.fill("pin", source::Table::pin, records);
    if (is_mixed) {
      bench.fill("geo", source::Table::geo, records);
      bench.fill("user", source::Table::user, records);
    }
    bench.drain(is_mixed ? "pin, geo and user" : "pin alone", records * (is_mixed ? 3 : 1));
  }
}

}  // namespace
}  // namespace pinpipe

int main(int argc, char** argv) {
  uint64_t records = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 400'000;
  std::string root = argc > 2 ? argv[2] : "/tmp/pinpipe-bench-stream-XXXXXX";
  bool is_own = argc <= 2;
  CHECK(!is_own || ::mkdtemp(root.data()) != nullptr, "a temporary directory can be made");
  pinpipe::run(records, root);
  if (is_own) (void)pinpipe::io::posix_files().remove_tree(root);
  return 0;
}
