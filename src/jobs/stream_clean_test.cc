#include "jobs/stream_clean.h"

#include "jobs/stream_fixture.h"

namespace pinpipe::jobs {
namespace {

struct StreamCleanTest : StreamTest {
  StreamCleanTest() : engine(engine_options(), clock) {}

  sql::Engine::Options engine_options() const {
    return {.threads = 2,
            .memory_bytes = 400 << 20,
            .temp_root = directory.path(),
            .readable_directories = {}};
  }
  StreamCleaner cleaner_of_geo() {
    for (const project::Dataset& dataset : project.datasets) {
      if (dataset.name == "geo") return {dataset, stream("geo"), {}, clock};
    }
    std::abort();
  }
  int64_t cleaned_rows(StreamCleaner& cleaner) {
    const std::string value = place(1);
    broker::Fetched fetched;
    fetched.records.push_back(
        {.offset = 0, .timestamp_ms = 1'000, .key = {}, .value = value, .headers = {}});
    fetched.next = 1;
    StreamBatch batch;
    batch.add(0, std::move(fetched));
    auto schema = cleaner.schema();
    EXPECT_TRUE(schema) << schema.error().text();
    if (!schema) return -1;
    auto cleaned = cleaner.clean(
        batch, *schema, {.rows = store.new_temporary(), .quarantine = store.new_temporary()}, {});
    EXPECT_TRUE(cleaned) << cleaned.error().text();
    return cleaned ? cleaned->rows.rows() : -1;
  }

  WarmEngine engine;
};

TEST_F(StreamCleanTest, sessions_share_an_engine_for_its_life_only) {
  auto first = engine.get();
  ASSERT_TRUE(first) << first.error().text();
  clock.advance(sql::Engine::life - Millis{1});
  auto second = engine.get();
  ASSERT_TRUE(second);
  EXPECT_EQ(*second, *first);
  clock.advance(Millis{1});
  auto third = engine.get();
  ASSERT_TRUE(third);
  EXPECT_NE(*third, *first);
}

TEST_F(StreamCleanTest, a_worn_session_is_opened_anew_over_another_engine) {
  StreamCleaner cleaner = cleaner_of_geo();
  ASSERT_TRUE(cleaner.open(engine));
  std::weak_ptr<sql::Engine> former = *engine.get();
  EXPECT_EQ(cleaned_rows(cleaner), 1);
  EXPECT_FALSE(cleaner.is_worn());
  clock.advance(sql::Engine::life);
  EXPECT_TRUE(cleaner.is_worn());
  EXPECT_EQ(cleaned_rows(cleaner), 1);
  ASSERT_TRUE(cleaner.open(engine));
  EXPECT_TRUE(former.expired());
  EXPECT_FALSE(cleaner.is_worn());
  EXPECT_EQ(cleaned_rows(cleaner), 1);
}

TEST_F(StreamCleanTest, a_worn_session_goes_on_where_no_other_is_to_be_had) {
  sql::Engine::Options wrong = engine_options();
  wrong.role = sql::Role::user;
  wrong.readable_directories = {std::string("/no\0name", 8)};
  WarmEngine none(wrong, clock);
  StreamCleaner cleaner = cleaner_of_geo();
  EXPECT_FALSE(cleaner.open(none));
  EXPECT_FALSE(cleaner.is_open());
  ASSERT_TRUE(cleaner.open(engine));
  clock.advance(sql::Engine::life);
  ASSERT_TRUE(cleaner.open(none));
  EXPECT_TRUE(cleaner.is_worn());
  EXPECT_EQ(cleaned_rows(cleaner), 1);
}

}  // namespace
}  // namespace pinpipe::jobs
