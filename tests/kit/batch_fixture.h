// For tests of the batch job and of questions: a project, a bucket, a lake, the batch job over
// them, and people who ask.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "io/runtime.h"
#include "io/scope.h"
#include "jobs/batch.h"
#include "jobs/questions.h"
#include "kit/fake_clock.h"
#include "kit/memory_topics.h"
#include "kit/temporary_directory.h"
#include "objects/bucket_store.h"
#include "objects/directory_store.h"
#include "project/embedded.h"
#include "project/load.h"

namespace pinpipe::jobs {

inline constexpr const char* id = "0e90e0175553";

struct BatchTest : testing::Test {
  kit::TemporaryDirectory directory;
  kit::FakeClock clock;
  io::Runtime runtime{{.loops = 1, .disk_threads = 2, .work_threads = 1}};
  project::Project project;
  std::unique_ptr<objects::BucketStore> store;
  std::unique_ptr<state::Database> state;
  objects::DirectoryStore lake_store{{.root = directory.path() + "/lake"}, runtime.disk()};
  std::unique_ptr<sql::Engine> engine;
  std::unique_ptr<lake::Services> lake;
  std::unique_ptr<Batch> batch;
  kit::MemoryTopics topics;
  std::unique_ptr<Questions> questions;
  std::string bucket = std::string("user-") + id + "-bucket";

  void SetUp() override {
    auto loaded = project::load(project::embedded_project(), {});
    ASSERT_TRUE(loaded.project) << project::render(loaded.diagnostics);
    project = std::move(*loaded.project);
    auto opened =
        objects::BucketStore::open({.root = directory.path() + "/buckets"}, runtime.disk());
    ASSERT_TRUE(opened) << opened.error().text();
    store = std::move(*opened);
    ASSERT_TRUE(wait(store->create_bucket(bucket)));
    state = std::move(
        *state::Database::open(directory.path() + "/jobs.db", BatchRecords::migrations()));
    auto opened_engine =
        sql::Engine::open({.temp_root = directory.path(), .readable_directories = {}});
    ASSERT_TRUE(opened_engine) << opened_engine.error().text();
    engine = std::move(*opened_engine);
    lake = std::make_unique<lake::Services>(lake_store, runtime.work(), clock,
                                            [this] { return engine->connect(); });
    batch = std::make_unique<Batch>(
        Batch::Options{.project = &project,
                       .store = store.get(),
                       .work = &runtime.work(),
                       .clock = &clock,
                       .state = state.get(),
                       .engine = {.temp_root = directory.path(), .readable_directories = {}},
                       .lake = lake.get(),
                       .lake_bucket = "delta"});
    questions = std::make_unique<Questions>(Questions::Options{
        .project = &project,
        .batch = batch.get(),
        .store = store.get(),
        .topics = &topics,
        .find_stream = [](const std::string& name) -> Result<broker::StreamPointer> {
          return Error(Code::not_found, "there is no stream " + name);
        },
        .lake = lake.get(),
        .lake_bucket = "delta",
        .loop = &runtime.loop(0),
        .work = &runtime.work(),
        .clock = &clock,
        .engine = {
            .role = sql::Role::user,
            .temp_root = directory.path(),
            .readable_directories = {directory.path() + "/lake", directory.path() + "/buckets"}}});
  }

  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(runtime.loop(0), std::move(task));
  }

  void put(const std::string& dataset, int number, std::string lines) {
    std::string key = "topics/" + std::string(id) + "." + dataset + "/partition=0/" + id + "." +
                      dataset + "+0+000000000" + std::to_string(number) + ".json";
    auto stored = wait(store->put(bucket, key, std::move(lines), {}, {}));
    ASSERT_TRUE(stored) << stored.error().text();
  }

  void put_one_post(int ind, const std::string& followers, const std::string& country) {
    std::string i = std::to_string(ind);
    put("pin", ind,
        R"({"index":)" + i +
            R"(,"unique_id":"u","title":"t","description":"d","poster_name":"p","follower_count":")" +
            followers +
            R"(","tag_list":"a","is_image_or_video":"image","image_src":"s","downloaded":1,)" +
            R"("save_location":"Local save in /data/art","category":"art"})" + "\n");
    put("geo", ind,
        R"({"ind":)" + i +
            R"(,"timestamp":"2020-01-01 00:00:00","latitude":1.5,"longitude":2.5,"country":")" +
            country + "\"}\n");
    put("user", ind,
        R"({"ind":)" + i +
            R"(,"first_name":"A","last_name":"B","age":20,"date_joined":"2016-01-01 00:00:00"})" +
            "\n");
  }
};

}  // namespace pinpipe::jobs
