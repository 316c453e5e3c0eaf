#include "jobs/batch.h"

#include <gtest/gtest.h>

#include "io/runtime.h"
#include "io/scope.h"
#include "kit/fake_clock.h"
#include "kit/temporary_directory.h"
#include "objects/bucket_store.h"
#include "objects/directory_store.h"
#include "project/embedded.h"
#include "project/load.h"

namespace pinpipe::jobs {
namespace {

constexpr const char* id = "0e90e0175553";

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
    state = std::move(*state::Database::open(directory.path() + "/jobs.db", Batch::migrations()));
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
                       .lake_bucket = "delta",
                       .lake_directory = directory.path() + "/lake"});
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

TEST_F(BatchTest, counts_add_up_and_bad_lines_are_in_quarantine) {
  put_one_post(1, "5k", "Albania");
  put_one_post(2, "9999999999M", "Albania");  // beyond int: the project's own quarantine
  put("pin", 3, "{\"index\":\nnot json\n");
  auto report = wait(batch->run("first"));
  ASSERT_TRUE(report) << report.error().text();
  const DatasetCount& pin = report->counts[1];  // data sets come in the order of their names
  EXPECT_EQ(pin.dataset, "pin");
  EXPECT_EQ(pin.objects, 3U);
  EXPECT_EQ(pin.lines, 4U);
  EXPECT_EQ(pin.rows, 2U);
  EXPECT_EQ(pin.refused, 2U);
  EXPECT_EQ(pin.clean, 1U);
  EXPECT_EQ(pin.quarantined, 1U);
  EXPECT_EQ(pin.filtered, 0);
  auto quarantine = wait(batch->quarantine(10));
  ASSERT_TRUE(quarantine);
  ASSERT_EQ(quarantine->size(), 3U);
  EXPECT_EQ((*quarantine)[1].bytes, "not json");
  EXPECT_EQ((*quarantine)[1].line, 2U);
  EXPECT_TRUE((*quarantine)[0].source.ends_with("+0+0000000003.json"));
}

TEST_F(BatchTest, questions_are_answered_over_the_published_tables) {
  put_one_post(1, "5k", "Albania");
  put_one_post(2, "2M", "Chad");
  ASSERT_TRUE(wait(batch->run("first")));
  auto answers = wait(batch->ask("q3b"));
  ASSERT_TRUE(answers) << answers.error().text();
  ASSERT_EQ(answers->size(), 1U);
  EXPECT_EQ(sql::to_text((*answers)[0].table.rows[0][0]), "Chad");
  EXPECT_EQ(sql::to_text((*answers)[0].table.rows[0][1]), "2000000");
  EXPECT_EQ(wait(batch->ask(""))->size(), project.queries.size());
  EXPECT_EQ(wait(batch->ask("q99")).error().code(), Code::not_found);
  auto rows = wait(batch->query("select count(*) from raw.pin", 10));
  ASSERT_TRUE(rows) << rows.error().text();
  EXPECT_EQ(sql::to_text(rows->rows[0][0]), "2");
  EXPECT_FALSE(wait(batch->query("create table t as select 1", 10)));
}

TEST_F(BatchTest, a_failed_run_leaves_the_tables_of_the_one_before) {
  put_one_post(1, "5k", "Albania");
  ASSERT_TRUE(wait(batch->run("first")));
  project.queries[0].sql.text = "select nonsense from clean.pin";
  auto failed = wait(batch->run("second"));
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().text().find(project.queries[0].sql.path), std::string::npos)
      << failed.error().text();
  EXPECT_TRUE(wait(batch->ask("q2")));
  auto reports = wait(batch->reports(10));
  ASSERT_EQ(reports->size(), 1U);
  EXPECT_EQ((*reports)[0].run, "first");
}

TEST_F(BatchTest, asking_before_the_first_run_says_what_to_do) {
  auto answers = wait(batch->ask("q1"));
  ASSERT_FALSE(answers);
  EXPECT_EQ(answers.error().code(), Code::not_found);
  EXPECT_NE(answers.error().text().find("pinpipe run"), std::string::npos);
}

TEST_F(BatchTest, a_later_run_replaces_the_rows_as_a_new_version_of_each_table) {
  put_one_post(1, "5k", "Albania");
  EXPECT_EQ(wait(batch->run("first"))->counts[1].clean, 1U);
  put_one_post(2, "5k", "Albania");
  auto second = wait(batch->run("second"));
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_EQ(second->counts[1].clean, 2U);
  EXPECT_EQ(second->counts[1].version, 2);  // 0 made the table, 1 was the first run
  auto rows = wait(batch->query("select count(*) from 0e90e0175553_pin_clean", 10));
  ASSERT_TRUE(rows) << rows.error().text();
  EXPECT_EQ(sql::to_text(rows->rows[0][0]), "2");
}

TEST_F(BatchTest, an_empty_bucket_gives_empty_answers) {
  auto report = wait(batch->run("first"));
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->counts.size(), 3U);
  EXPECT_EQ(wait(batch->ask("q1"))->front().table.rows.size(), 0U);
}

}  // namespace
}  // namespace pinpipe::jobs
