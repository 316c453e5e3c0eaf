// The lake against its bars: small appends (durable, as always with us, and without syncs, as the
// peers do it), replay of many commits, the same with checkpoints, also as the first thing in a
// process, a large append, a time-travel read, and the memory of a snapshot of a million files.
// `bench/lake_peer.py` and `bench/lake_spark.py` run delta-rs and Spark on the same work; read them
// side by side with bench_calibrate's fsync rate.
//   bench_lake [DIRECTORY [open]]    open: only opens what lies there, as a process of its own
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <string>

#include "base/check.h"
#include "base/clock.h"
#include "io/files.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "lake/optimize.h"
#include "lake/scan.h"
#include "lake/table.h"
#include "objects/directory_store.h"
#include "sql/engine.h"

namespace pinpipe {
namespace {

template <class T>
T need(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "bench_lake: %s\n", result.error().text().c_str());
    std::exit(1);
  }
  return std::move(*result);
}

class Stopwatch {
 public:
  double seconds() const {
    return static_cast<double>(system_clock().steady_ns() - start_ns_) / 1e9;
  }

 private:
  int64_t start_ns_ = system_clock().steady_ns();
};

struct Bench {
  explicit Bench(const std::string& root, io::Files* files = &io::posix_files())
      : store({.root = root, .files = files}, runtime.disk()),
        engine(need(sql::Engine::open({.temp_root = root, .readable_directories = {}}))),
        services{.store = store,
                 .work = runtime.work(),
                 .clock = system_clock(),
                 .connect = [this] { return engine->connect(); }},
        connection(need(engine->connect())) {
    (void)wait(store.create_bucket("lake"));
  }

  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(runtime.loop(0), std::move(task));
  }
  static std::string rows(int64_t first, int64_t last) {
    return fmt::format("SELECT i AS n, 'row ' || i AS text FROM range({}, {}) AS r(i)", first,
                       last);
  }
  std::unique_ptr<lake::Table> create(const std::string& name, const std::string& checkpoints) {
    lake::TableOptions options;
    options.properties["delta.checkpointInterval"] = checkpoints;
    auto schema = need(lake::schema_of(*connection, rows(0, 1)));
    return need(wait(lake::Table::create(services, {"lake", name}, schema, options)));
  }
  void append(lake::Table& table, const std::string& select) {
    auto data = need(lake::encode(*connection, select, store.new_temporary()));
    need(wait(table.write(lake::WriteMode::append, std::move(data), {})));
  }

  std::unique_ptr<lake::Table> small_appends(const std::string& name, int count,
                                             std::string_view how) {
    auto table = create(name, "10");
    Stopwatch watch;
    for (int i = 0; i < count; ++i) append(*table, rows(i * 10, i * 10 + 10));
    fmt::print("{} appends of 10 rows, with checkpoints, {}: {:.2f} s, {:.0f} commits/s\n", count,
               how, watch.seconds(), count / watch.seconds());
    return table;
  }

  void appends_and_reads(int count) {
    auto table = small_appends("appends", count, "synced");
    open("appends", "opening them through their checkpoint");
    Stopwatch travel;
    auto old = need(wait(table->at_version(count / 2)));
    auto scan = need(wait(lake::scan(services, table->location(), old)));
    auto answer = need(connection->query("SELECT count(*) FROM (" + scan.select + ")"));
    fmt::print("count of version {}: {:.0f} ms\n", count / 2, travel.seconds() * 1e3);
    Stopwatch optimizing;
    need(wait(lake::optimize(*table)));
    fmt::print("optimize: {:.0f} ms\n", optimizing.seconds() * 1e3);
  }

  void open(const std::string& name, std::string_view what) {
    for (int round = 0; round < 3; ++round) {
      Stopwatch watch;
      auto table = need(wait(lake::Table::open(services, {"lake", name})));
      fmt::print("{}: {:.1f} ms (version {}, {} files)\n", what, watch.seconds() * 1e3,
                 table->snapshot()->version(), table->snapshot()->files().size());
    }
  }

  // Commits as a small append writes them, without their data files.
  void replay(int count) {
    auto table = create("replay", "1000000");
    append(*table, rows(0, 10));
    std::string line = need(wait(store.get("lake", table->location().commit_key(1), {})));
    size_t uuid = line.find("part-00000-") + 11;
    for (int version = 2; version <= count; ++version) {
      std::string number = fmt::format("{:012}", version);
      line.replace(uuid, number.size(), number);
      std::string path = table->services().store.new_temporary();
      CHECK(io::posix_files().replace(path, line), "a commit can be written");
      need(wait(store.adopt("lake", path, table->location().commit_key(version), {}, {}, "")));
    }
    open("replay", fmt::format("replay of {} commits", count));
    auto big = need(wait(lake::Table::open(services, {"lake", "replay"})));
    Stopwatch watch;
    need(wait(big->checkpoint()));
    fmt::print("checkpoint of {} files: {:.0f} ms\n", count, watch.seconds() * 1e3);
    open("replay", "opening it through the checkpoint");
  }

  // A snapshot of so many files with the statistics that we write, and nothing else in memory.
  static void many_files(int count) {
    constexpr int portion = 8'000;
    int64_t before_kb = resident_kb();
    lake::Snapshot snapshot;
    snapshot.begin_checkpoint(1);
    for (int first = 0; first < count; first += portion) {
      lake::Actions actions;
      for (int n = first; n < std::min(count, first + portion); ++n) {
        actions.adds.push_back(lake::AddFile{
            .path = lake::new_data_file_name(0),
            .size = 1000,
            .modified_ms = 1,
            .stats = fmt::format(R"({{"numRecords":10,"minValues":{{"n":{0},"text":"row {0}"}},)"
                                 R"("maxValues":{{"n":{0},"text":"row {0}"}},)"
                                 R"("nullCount":{{"n":0,"text":0}}}})",
                                 n)});
      }
      CHECK(snapshot.apply_checkpoint_rows(std::move(actions)), "files are files");
    }
    fmt::print("snapshot of {} files: {} MB\n", snapshot.files().size(),
               (resident_kb() - before_kb) / 1024);
  }

  static int64_t resident_kb() {
    std::ifstream status("/proc/self/status");
    std::string word;
    int64_t kb = 0;
    while (status >> word) {
      if (word == "VmRSS:") status >> kb;
    }
    CHECK(kb > 0, "the kernel tells a process's memory");
    return kb;
  }

  // Made by the SQL, and ready in memory, as a peer's are.
  void large_append(int64_t count) {
    auto table = create("large", "10");
    const sql::TableName ready{"bench", "ready"};
    need(connection->create_table(ready, rows(0, count)));
    for (int round = 0; round < 3; ++round) {
      Stopwatch watch;
      append(*table, "SELECT * FROM " + ready.quoted());
      fmt::print("append of {} rows that are ready: {:.2f} s\n", count, watch.seconds());
    }
    Stopwatch watch;
    append(*table, rows(0, count));
    fmt::print("append of {} rows that the SQL makes: {:.2f} s\n", count, watch.seconds());
  }

  io::Runtime runtime{{.loops = 1, .disk_threads = 8, .work_threads = 2}};
  objects::DirectoryStore store;
  std::unique_ptr<sql::Engine> engine;
  lake::Services services;
  std::unique_ptr<sql::Connection> connection;
};

void run(const std::string& root, const std::string& program) {
  CHECK(io::posix_files().remove_tree(root), "the directory is ours");
  CHECK(io::posix_files().make_directories(root), "a directory can be made");
  Bench::many_files(1'000'000);
  {
    Bench(root, &io::unsynced_posix_files()).small_appends("unsynced", 1'000, "not synced");
  }
  {
    Bench bench(root);
    bench.appends_and_reads(1'000);
    bench.replay(10'000);
    bench.large_append(10'000'000);
  }
  std::fflush(stdout);
  CHECK(std::system((program + " " + root + " open").c_str()) == 0, "this program runs");
  CHECK(io::posix_files().remove_tree(root), "the directory is ours");
}

}  // namespace
}  // namespace pinpipe

int main(int argc, char** argv) {
  std::string root = argc > 1 ? argv[1] : "/tmp/pinpipe-bench-lake";
  if (argc > 2) {
    pinpipe::Bench(root).open("replay", "in a new process, opening 10000 files");
  } else {
    pinpipe::run(root, argv[0]);
  }
}
