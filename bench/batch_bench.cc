// The batch job on a bucket: load, clean, write Delta tables, answer all questions.
//   bench_batch make DIRECTORY POSTS RECORDS_PER_OBJECT   generated rows as the connector's objects
//   bench_batch run DIRECTORY [threads 2] [memory MB 640] ours, with the peak of its memory
//   bench_batch duckdb DIRECTORY [threads 2]              DuckDB's read_json with the same SQL
// Each is a process of its own, so that peaks are its own; bench/batch_peers runs them in a row,
// with Spark. What is printed are seconds of wall time from the first listing to the last answer.
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sstream>

#include "io/runtime.h"
#include "io/scope.h"
#include "jobs/batch.h"
#include "objects/bucket_store.h"
#include "objects/directory_store.h"
#include "project/embedded.h"
#include "project/load.h"
#include "source/generator.h"
#include "source/payload.h"

namespace {

using namespace pinpipe;
namespace fs = std::filesystem;

constexpr const char* user_id = "0e90e0175553";

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().text());
  std::exit(1);
}
void must(Status status) {
  if (status) return;
  fmt::print(stderr, "{}\n", status.error().text());
  std::exit(1);
}

project::Project project_of_program() {
  auto loaded = project::load(project::embedded_project(), {});
  if (!loaded.project) std::exit(1);
  return std::move(*loaded.project);
}

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Of all threads: on a machine that others use too, wall time measures the others.
double cpu_s() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

fs::path topic_of(const fs::path& directory, const std::string& dataset) {
  return directory / "buckets" / fmt::format("user-{}-bucket", user_id) / "topics" /
         fmt::format("{}.{}", user_id, dataset) / "partition=0";
}

void make(const fs::path& directory, uint64_t posts, uint64_t per_object) {
  source::Generator generator({.rows = posts});
  source::Row row;
  for (auto [table, dataset] : {std::pair{source::Table::pin, "pin"},
                                {source::Table::geo, "geo"},
                                {source::Table::user, "user"}}) {
    fs::path folder = topic_of(directory, dataset);
    fs::create_directories(folder);
    for (uint64_t first = 0; first < posts; first += per_object) {
      std::string lines;
      for (uint64_t i = first; i < std::min(posts, first + per_object); ++i) {
        generator.read(table, i, row);
        source::append_row(lines, row, {.spelling = source::Spelling::compact});
        lines += '\n';
      }
      std::string name = fmt::format("{}.{}+0+{:010}.json", user_id, dataset, first);
      std::ofstream(folder / name, std::ios::binary) << lines;
    }
  }
}

int64_t peak_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::atoll(line.c_str() + 6) / 1024;
  }
  return 0;
}

void run_ours(const fs::path& directory, int threads, uint64_t memory_mb) {
  fs::path work = directory / fmt::format("work-{}", getpid());
  fs::create_directories(work / "tmp");
  project::Project project = project_of_program();
  io::Runtime runtime({.loops = 1, .disk_threads = 2, .work_threads = 1});
  auto store =
      must(objects::BucketStore::open({.root = (directory / "buckets").string()}, runtime.disk()));
  objects::DirectoryStore lake_store({.root = (work / "lake").string()}, runtime.disk());
  sql::Engine::Options engine{.threads = threads,
                              .memory_bytes = memory_mb * 1'000'000,
                              .temp_root = (work / "tmp").string(),
                              .readable_directories = {}};
  lake::Services lake{lake_store, runtime.work(), system_clock(),
                      [&]() -> Result<std::unique_ptr<sql::Connection>> {
                        auto opened = sql::Engine::open(engine);
                        if (!opened) return opened.error();
                        return (*opened)->connect();
                      }};
  auto state =
      must(state::Database::open((work / "jobs.db").string(), jobs::BatchRecords::migrations()));
  jobs::Batch batch({.project = &project,
                     .store = store.get(),
                     .work = &runtime.work(),
                     .clock = &system_clock(),
                     .state = state.get(),
                     .engine = engine,
                     .lake = &lake,
                     .lake_bucket = "delta"});
  // In a house the store has put these objects and knows their ETags; here it sees them for the
  // first time, and would read each twice.
  for (const project::Dataset& dataset : project.datasets) {
    auto place = must(jobs::place_of_topic(project, dataset.topic));
    must(io::wait_on(runtime.loop(0), jobs::list_objects(*store, place)));
  }
  double begin = now_s();
  double cpu_begin = cpu_s();
  auto report = must(io::wait_on(runtime.loop(0), batch.run({.name = "bench"})));
  double took = now_s() - begin;
  double cpu = cpu_s() - cpu_begin;
  uint64_t rows = 0;
  for (const jobs::DatasetCount& count : report.counts) rows += count.clean;
  fmt::print(
      "ours {:.3f} s, {:.3f} of CPU: load {} ms, clean {} ms, questions {} ms; {} clean rows, "
      "peak {} MB\n",
      took, cpu, report.load_ms, report.clean_ms, report.ask_ms, rows, peak_mb());
  fs::remove_all(work);
}

// As a notebook on DuckDB would do it: tables, files of them, questions.
void run_duckdb(const fs::path& directory, int threads) {
  fs::path work = directory / fmt::format("work-{}", getpid());
  fs::create_directories(work);
  project::Project project = project_of_program();
  double begin = now_s();
  double cpu_begin = cpu_s();
  auto engine = must(sql::Engine::open({.threads = threads,
                                        .memory_bytes = uint64_t{8} << 30,
                                        .temp_root = work.string(),
                                        .readable_directories = {}}));
  auto connection = must(engine->connect());
  for (const project::Dataset& dataset : project.datasets) {
    std::string columns;
    for (const columns::Column& column : dataset.schema.columns()) {
      columns += fmt::format("{}'{}': '{}'", columns.empty() ? "" : ", ", column.name,
                             columns::name_of(column.type));
    }
    must(connection->create_view(
        {"raw", dataset.name},
        fmt::format("select * from read_json('{}/*.json', format = 'newline_delimited', "
                    "columns = {{{}}})",
                    topic_of(directory, dataset.name).string(), columns)));
    must(connection->create_table({"clean", dataset.name}, dataset.clean.text));
    must(connection->copy_to_parquet(fmt::format("select * from clean.{}", dataset.name),
                                     (work / (dataset.name + ".parquet")).string()));
  }
  must(jobs::make_project_tables(*connection, project));
  double cleaned = now_s();
  auto answers = must(jobs::answer_questions(*connection, project, ""));
  double ended = now_s();
  fmt::print(
      "duckdb {:.3f} s, {:.3f} of CPU: clean {:.0f} ms, questions {:.0f} ms; {} answers, "
      "peak {} MB\n",
      ended - begin, cpu_s() - cpu_begin, (cleaned - begin) * 1e3, (ended - cleaned) * 1e3,
      answers.size(), peak_mb());
  fs::remove_all(work);
}

}  // namespace

int main(int argc, char** argv) {
  std::string verb = argc > 1 ? argv[1] : "";
  auto number = [&](int i, uint64_t otherwise) {
    return argc > i ? std::strtoull(argv[i], nullptr, 10) : otherwise;
  };
  if (verb == "make" && argc > 4) {
    make(argv[2], number(3, 0), number(4, 0));
  } else if (verb == "run" && argc > 2) {
    run_ours(argv[2], static_cast<int>(number(3, 2)), number(4, 640));
  } else if (verb == "duckdb" && argc > 2) {
    run_duckdb(argv[2], static_cast<int>(number(3, 2)));
  } else {
    // By itself, as `make bench` runs it: small, ours and DuckDB's, in a folder that goes.
    fs::path directory = fs::temp_directory_path() / fmt::format("pinpipe-bench-{}", getpid());
    make(directory, 200'000, 1000);
    run_ours(directory, 2, 640);
    run_duckdb(directory, 2);
    fs::remove_all(directory);
  }
}
