// For tests of the stream job: a lake and topics in memory, the built-in project, and a job to
// start and stop.
#pragma once

#include <fmt/format.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jobs/stream.h"
#include "kit/lake_fixture.h"
#include "kit/memory_topics.h"
#include "lake/scan.h"
#include "project/embedded.h"
#include "project/load.h"

namespace pinpipe::jobs {

struct StreamTest : lake::LakeTest {
  static constexpr const char* id = "0e90e0175553";

  kit::TemporaryDirectory directory;
  kit::MemoryTopics topics{clock};
  project::Project project;
  std::unique_ptr<StreamJob> job;
  std::unique_ptr<io::Scope> scope;
  kit::TemporaryDirectory state_directory;
  std::unique_ptr<state::Database> state;
  Millis engine_idle{10'000};

  void SetUp() override {
    auto loaded = project::load(project::embedded_project(), {});
    ASSERT_TRUE(loaded.project) << project::render(loaded.diagnostics);
    project = std::move(*loaded.project);
    topics.set_auto_create(false);
    auto opened =
        state::Database::open(state_directory.path() + "/stream_job.db", StreamJob::migrations());
    ASSERT_TRUE(opened) << opened.error().text();
    state = std::move(*opened);
  }
  project::StreamJobSettings& settings(const std::string& dataset) {
    for (project::Dataset& one : project.datasets) {
      if (one.name == dataset) return one.stream_job;
    }
    ADD_FAILURE() << "no data set " << dataset;
    return project.stream_job;
  }
  void TearDown() override { stop(); }

  StreamJob::Options options() {
    return {.project = &project,
            .topics = &topics,
            .lake = &services,
            .lake_bucket = "lake",
            .loop = &runtime.loop(0),
            .clock = &clock,
            .engine = {.threads = 2,
                       .memory_bytes = 400 << 20,
                       .temp_root = directory.path(),
                       .readable_directories = {}},
            .state = state.get(),
            .engine_idle = engine_idle};
  }
  void start() {
    job = std::make_unique<StreamJob>(options());
    scope = begin(*job);
  }
  std::unique_ptr<io::Scope> begin(StreamJob& which) {
    auto owner = std::make_unique<io::Scope>(runtime.loop(0));
    io::run_on(runtime.loop(0), [](io::Scope& in, StreamJob& one) -> io::Task<> {
      in.spawn("stream job", one.run());
      co_return;
    }(*owner, which));
    return owner;
  }
  void stop() {
    end(scope);
    job.reset();
  }
  void end(std::unique_ptr<io::Scope>& owner) {
    if (!owner) return;
    io::run_on(runtime.loop(0), [](io::Scope& in) -> io::Task<> {
      in.cancel();
      co_await in.join();
    }(*owner));
    owner.reset();
  }

  static std::string stream(const std::string& dataset) {
    return std::string("streaming-") + id + "-" + dataset;
  }
  void create(const std::string& name, int shards = 1) {
    auto made = wait(topics.create({.name = name, .partitions = shards, .configs = {}}));
    ASSERT_TRUE(made) << made.error().text();
  }
  void send(const std::string& name, const std::string& value, int shard = 0,
            std::optional<std::string_view> key = {}) {
    broker::RecordIn record;
    record.key = key;
    record.value = value;
    record.partition = shard;
    auto placed = wait(topics.produce(name, std::span(&record, 1), broker::Acks::committed));
    ASSERT_TRUE(placed && !placed->front().error);
  }
  static std::string place(int ind) {
    return fmt::format(
        R"({{"ind":{},"timestamp":"2020-01-01 00:00:00","latitude":1.5,"longitude":2.5,"country":"Chad"}})",
        ind);
  }
  static std::string post(int ind, const std::string& followers) {
    return fmt::format(R"({{"index":{},"follower_count":"{}"}})", ind, followers);
  }

  StreamStatus status(const std::string& dataset) { return of(wait(job->status()), dataset); }
  // Starts a run of geo that ends by itself and waits for its end.
  StreamStatus run_geo(StreamJob::Trigger trigger) {
    EXPECT_TRUE(wait(job->start("geo", trigger)));
    Status done = wait(job->wait_until_done("geo", io::after(Millis{60'000})));
    EXPECT_TRUE(done) << done.error().text();
    return status("geo");
  }

  std::vector<StreamStatus> drain() {
    auto done = wait(job->drain(io::after(Millis{60'000})));
    EXPECT_TRUE(done) << done.error().text();
    return done ? *done : std::vector<StreamStatus>{};
  }
  static const StreamStatus& of(const std::vector<StreamStatus>& all, const std::string& dataset) {
    for (const StreamStatus& one : all) {
      if (one.dataset == dataset) return one;
    }
    ADD_FAILURE() << "no status of " << dataset;
    return all.front();
  }

  // The answer over the files of a table of the lake, as text.
  std::string answer(const std::string& table, const std::string& columns,
                     const std::string& order) {
    auto opened = wait(lake::Table::open(services, {"lake", std::string(id) + "_" + table}));
    if (!opened) return opened.error().text();
    auto scanned = wait(lake::scan(services, (*opened)->location(), (*opened)->snapshot()));
    EXPECT_TRUE(scanned) << scanned.error().text();
    auto connection = connect();
    auto rows =
        (*connection)
            ->query(fmt::format("SELECT {} FROM ({}) ORDER BY {}", columns, scanned->select, order),
                    {.rows_max = 1'000'000});
    EXPECT_TRUE(rows) << rows.error().text();
    std::string text;
    for (const sql::Row& row : rows->rows) {
      for (size_t i = 0; i < row.size(); ++i) text += (i == 0 ? "" : "|") + sql::to_text(row[i]);
      text += " ";
    }
    return text;
  }
  std::string inds(const std::string& table) { return answer(table, "ind", "ind"); }
  std::string quarantined(const std::string& table) {
    return answer(table + "_quarantine", "shard, record_offset, reason, bytes",
                  "shard, record_offset");
  }
};

}  // namespace pinpipe::jobs
