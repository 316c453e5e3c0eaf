// What the stream job holds, how its batches adapt, how it keeps its tables, and what it tells.
#include <atomic>

#include "base/metrics.h"
#include "jobs/stream_fixture.h"
#include "lake/catalog.h"

namespace pinpipe::jobs {
namespace {

struct StreamBoundsTest : StreamTest {
  std::string long_place(int ind) {
    return fmt::format(R"({{"ind":{},"country":"{}"}})", ind, std::string(1'000, 'x'));
  }
  lake::Location geo_table() const { return {"lake", std::string(id) + "_geo_table"}; }
  std::shared_ptr<const lake::Snapshot> geo_snapshot() {
    auto table = wait(lake::Table::open(services, geo_table()));
    EXPECT_TRUE(table);
    return (*table)->snapshot();
  }
  size_t data_files() const {
    size_t files = 0;
    for (const std::string& key : store.keys_now()) files += key.ends_with(".parquet") ? 1 : 0;
    return files;
  }
  static int64_t gauge(const std::string& name) {
    return metrics().gauge(name, "", {{"dataset", "geo"}}).value();
  }
};

// While a commit takes its time, the reader goes on only until it has another batch.
TEST_F(StreamBoundsTest, no_more_is_read_than_two_batches_while_a_commit_is_slow) {
  constexpr int records = 2'000;
  constexpr int64_t batch_bytes = 256 << 10;
  create(stream("geo"));
  settings("geo").batch_bytes = batch_bytes;
  std::atomic<int64_t> fetched{0};
  std::atomic<int64_t> committed{0};
  std::atomic<int64_t> held_max{0};
  topics.on_fetched = [&](const broker::Fetched& some) {
    for (const std::string& held : some.bytes) fetched += static_cast<int64_t>(held.size());
    held_max = std::max(held_max.load(), fetched - committed);
  };
  std::string expected;
  int64_t bytes = 0;
  for (int i = 0; i < records; ++i) {
    send(stream("geo"), long_place(10'000 + i));
    bytes += static_cast<int64_t>(long_place(10'000 + i).size());
    expected += std::to_string(10'000 + i) + " ";
  }
  // A commit ends only when the reader has read on as far as it will, or to the end.
  store.before = [&](const kit::MemoryStore::Operation& operation) {
    bool is_commit =
        operation.key.ends_with(".json") && operation.verb == kit::MemoryStore::Verb::put;
    if (!is_commit || fetched == 0) return;
    while (fetched - committed <= batch_bytes / 4 && fetched < bytes) std::this_thread::yield();
    committed = fetched.load() - batch_bytes;
  };
  start();
  drain();
  EXPECT_EQ(inds("geo_table"), expected);
  EXPECT_GE(fetched, bytes);
  EXPECT_LE(held_max, 4 * batch_bytes);
  stop();
}

// A batch that is more than there is room for is tried in smaller parts; they grow again while
// full ones are done quickly.
TEST_F(StreamBoundsTest, batches_shrink_when_there_is_no_room_and_grow_again) {
  create(stream("geo"));
  settings("geo").batch_bytes = 128 << 10;
  std::string expected;
  for (int i = 0; i < 4'000; ++i) {
    send(stream("geo"), place(10'000 + i));
    expected += std::to_string(10'000 + i) + " ";
  }
  std::atomic<int> refused{0};
  const std::string first = geo_table().commit_key(1);
  store.fault = [&](const kit::MemoryStore::Operation& operation) {
    std::optional<kit::MemoryStore::Fault> fault;
    if (operation.key == first && operation.is_change() && refused < 3) {
      ++refused;
      fault = {.code = Code::busy};
    }
    return fault;
  };
  start();
  drain();
  EXPECT_EQ(inds("geo_table"), expected);
  EXPECT_EQ(refused, 3);
  // A quarter of the settings' to begin with, and less after each failure; one fetch is not cut.
  std::string commit = store.get_now(first).value_or("");
  constexpr std::string_view metric = R"("numSourceRecords":")";
  size_t at = commit.find(metric);
  ASSERT_NE(at, std::string::npos);
  int records = std::stoi(commit.substr(at + metric.size()));
  EXPECT_LT(records, (128 << 10) / 8 / static_cast<int>(place(10'000).size()));
  EXPECT_LT(status("geo").batches, 4'000U / static_cast<unsigned>(records));
  stop();
}

// Who reads an older version goes on reading it while its files are merged; when the table's
// retention has passed they go, and the log is kept short by checkpoints.
TEST_F(StreamBoundsTest, upkeep_disturbs_no_reader_and_leaves_what_is_needed) {
  create(stream("geo"));
  start();
  std::string expected;
  for (int i = 0; i < 40; ++i) {
    send(stream("geo"), place(1'000 + i));
    expected += std::to_string(1'000 + i) + " ";
    if (i == 19) drain();
    if (i % 2 == 0) drain();
  }
  drain();
  auto before = geo_snapshot();
  auto scanned = wait(lake::scan(services, geo_table(), before));
  ASSERT_TRUE(scanned) << scanned.error().text();
  for (int i = 40; i < 80; ++i) {
    send(stream("geo"), place(1'000 + i));
    expected += std::to_string(1'000 + i) + " ";
    drain();
  }
  while (status("geo").compacted_files < 30) {
  }
  auto old = (*connect())->query("SELECT count(*), max(ind) FROM (" + scanned->select + ")", {});
  ASSERT_TRUE(old) << old.error().text();
  EXPECT_EQ(sql::to_text(old->rows[0][0]) + " " + sql::to_text(old->rows[0][1]), "40 1039");
  EXPECT_TRUE(store.get_now(geo_table().log_directory() + "_last_checkpoint"));
  size_t kept = data_files();
  // Merged files outlive the table's retention by nothing; those of the present version stay.
  clock.advance(Millis{settings("geo").history_ms + 7'200'000});
  while (data_files() >= kept) {
  }
  EXPECT_EQ(inds("geo_table"), expected);
  stop();
  start();
  send(stream("geo"), place(5'000));
  drain();
  EXPECT_EQ(inds("geo_table"), expected + "5000 ");
}

TEST_F(StreamBoundsTest, lag_rate_and_freshness_are_in_status_and_metrics) {
  create(stream("geo"));
  settings("geo").interval_ms = 3'600'000;
  start();
  send(stream("geo"), place(1));
  drain();
  StreamStatus now = status("geo");
  EXPECT_EQ(now.lag, 0U);
  EXPECT_DOUBLE_EQ(now.records_per_second, 0.1);
  EXPECT_EQ(now.freshness_ms, 0);
  for (int i = 2; i < 5; ++i) send(stream("geo"), place(i));
  while (status("geo").lag != 3) {
  }
  clock.advance(Millis{1'500});
  EXPECT_EQ(status("geo").behind_ms, 1'500);
  send(stream("geo"), place(5));
  while (gauge("pinpipe_stream_job_lag_records") != 4) {
  }
  EXPECT_EQ(gauge("pinpipe_stream_job_behind_milliseconds"), 1'500);
  EXPECT_EQ(gauge("pinpipe_stream_job_following"), 1);
  drain();
  EXPECT_EQ(status("geo").freshness_ms, 1'500);
  EXPECT_NE(metrics().exposition().find("pinpipe_stream_job_freshness_seconds"), std::string::npos);
  EXPECT_NE(metrics().exposition().find("pinpipe_stream_job_records_total{dataset=\"geo\"}"),
            std::string::npos);
}

}  // namespace
}  // namespace pinpipe::jobs
