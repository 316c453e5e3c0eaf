#include "lake/checkpoint.h"

#include <gmock/gmock.h>

#include "base/random.h"
#include "kit/lake_fixture.h"
#include "kit/memory_files.h"
#include "kit/seed.h"
#include "lake/checkpoint_rows.h"

namespace pinpipe::lake {
namespace {

// A snapshot as text: equal texts, equal tables.
std::string text_of(const Snapshot& snapshot, int64_t tombstones_after_ms) {
  std::vector<std::string> lines(1);
  encode(snapshot.protocol(), lines[0]);
  encode(snapshot.metadata(), lines[0]);
  for (const auto& [app_id, txn] : snapshot.txns()) encode(txn, lines.emplace_back());
  for (const FilePtr& file : snapshot.files()) encode(*file, lines.emplace_back());
  snapshot.tombstones().each([&](const Tombstones::Line& remove) {
    if (remove.deleted_ms > tombstones_after_ms) lines.emplace_back(remove.text);
  });
  std::ranges::sort(lines);
  std::string text = fmt::format("version {} bytes {}\n", snapshot.version(), snapshot.bytes());
  for (const std::string& line : lines) text += line;
  return text;
}

// Histories that no sane writer would write but every writer may: adds, removes, re-adds, new
// schemas, txns, in any order, with odd text everywhere.
class RandomHistory {
 public:
  explicit RandomHistory(uint64_t seed) : random_(seed) {}

  Actions next(Version version, int64_t now_ms) {
    Actions actions;
    if (version == 0) actions.protocol = Protocol{};
    if (version == 0 || random_.below(12) == 0) actions.metadata = metadata();
    for (uint64_t i = random_.below(3); i > 0; --i) {
      Txn txn{.app_id = odd_text(3),
              .version = static_cast<int64_t>(random_.next() >> 1),
              .updated_ms = {}};
      if (random_.below(2) == 0) txn.updated_ms = now_ms;
      bool repeated =
          std::ranges::find(actions.txns, txn.app_id, &Txn::app_id) != actions.txns.end();
      if (!repeated) actions.txns.push_back(txn);
    }
    for (uint64_t i = random_.below(4); i > 0 && !live_.empty(); --i) {
      size_t at = random_.below(live_.size());
      actions.removes.push_back(RemoveFile{.path = live_[at],
                                           .deleted_ms = now_ms,
                                           .data_change = random_.below(2) == 0,
                                           .size = static_cast<int64_t>(random_.below(1000)),
                                           .partition_values = partition(),
                                           .deletion_vector = {},
                                           .deletion_vector_id = {}});
      gone_.push_back(live_[at]);
      live_.erase(live_.begin() + static_cast<ptrdiff_t>(at));
    }
    for (uint64_t i = random_.below(5); i > 0; --i) actions.adds.push_back(add(now_ms));
    return actions;
  }

 private:
  std::string odd_text(uint64_t kinds) {
    constexpr std::array<std::string_view, 8> pieces = {
        "a", "b\"", "\\", "\xC3\xBC", "\n", "'", "\xF0\x9F\x98\x80", ","};
    std::string text(pieces[random_.below(kinds)]);
    for (uint64_t i = random_.below(3); i > 0; --i) text += pieces[random_.below(pieces.size())];
    return text;
  }
  PartitionValues partition() {
    if (random_.below(2) == 0) return {};
    return {{"p", odd_text(3)}, {"q", std::nullopt}};
  }
  Metadata metadata() {
    Metadata metadata;
    metadata.id = odd_text(3);
    if (random_.below(2) == 0) metadata.name = odd_text(3);
    metadata.schema_string =
        R"({"type":"struct","fields":[{"name":"n","type":"long","nullable":true,"metadata":{}}]})";
    if (random_.below(2) == 0) metadata.partition_columns = {"p", "q"};
    if (random_.below(2) == 0) metadata.configuration = {{odd_text(3), odd_text(3)}};
    if (random_.below(2) == 0) metadata.created_ms = 5;
    return metadata;
  }
  AddFile add(int64_t now_ms) {
    AddFile add;
    // Now and then a file comes back under its old name.
    if (!gone_.empty() && random_.below(4) == 0) {
      add.path = gone_.back();
      gone_.pop_back();
    } else {
      add.path = fmt::format("f{}{}", ++files_, odd_text(8));
    }
    add.partition_values = partition();
    add.size = static_cast<int64_t>(random_.next() >> 20);
    add.modified_ms = now_ms;
    if (random_.below(2) == 0) add.stats = fmt::format(R"({{"numRecords":{}}})", random_.below(9));
    if (random_.below(4) == 0) add.tags = R"({"k":"v"})";
    live_.push_back(add.path);
    return add;
  }

  Random random_;
  int files_ = 0;
  std::vector<std::string> live_;
  std::vector<std::string> gone_;
};

struct CheckpointTest : LakeTest {};

TEST_F(CheckpointTest, reading_it_back_equals_replaying_the_commits) {
  constexpr int64_t start_ms = 1'767'000'000'000;
  constexpr int64_t day_ms = 86'400'000;
  auto connection = connect();
  ASSERT_TRUE(connection);
  for (uint64_t round = 0; round < 15; ++round) {
    RandomHistory history(kit::seed() + round);
    Snapshot replayed;
    Version last = 5 + static_cast<Version>(round);
    for (Version version = 0; version <= last; ++version) {
      auto actions = history.next(version, start_ms + version * day_ms);
      ASSERT_TRUE(replayed.apply_commit(version, std::move(actions), 100));
    }
    int64_t now_ms = start_ms + last * day_ms;
    auto written = write_checkpoint(**connection, replayed, now_ms, store.new_temporary());
    ASSERT_TRUE(written) << written.error().text();
    Snapshot read;
    read.begin_checkpoint(last);
    auto file = io::posix_files().open(written->path, io::OpenMode::read);
    ASSERT_TRUE(file);
    auto done = read_checkpoint_rows(**file, [&read](Actions actions) {
      return read.apply_checkpoint_rows(std::move(actions));
    });
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_EQ(text_of(read, INT64_MIN), text_of(replayed, now_ms - 7 * day_ms))
        << "round " << round;
    EXPECT_EQ(written->facts.files, static_cast<int64_t>(replayed.files().size()));
    (void)io::posix_files().remove(written->path);
  }
}

TEST_F(CheckpointTest, damaged_bytes_end_in_an_error_or_in_actions_and_never_worse) {
  constexpr int flips = 3000;
  auto connection = connect();
  RandomHistory history(kit::seed());
  Snapshot snapshot;
  for (Version version = 0; version < 60; ++version) {
    ASSERT_TRUE(snapshot.apply_commit(version, history.next(version, 1'767'000'000'000), 100));
  }
  auto written = write_checkpoint(**connection, snapshot, 1'767'000'000'000, store.new_temporary());
  ASSERT_TRUE(written) << written.error().text();
  auto bytes = io::posix_files().read_all(written->path);
  (void)io::posix_files().remove(written->path);
  ASSERT_TRUE(bytes);
  kit::MemoryFiles files;
  ASSERT_TRUE(files.make_directories("/disk"));
  Random random(kit::seed());
  int refused = 0;
  for (int i = 0; i < flips; ++i) {
    std::string damaged = *bytes;
    for (uint64_t n = 1 + random.below(4); n > 0; --n) {
      damaged[random.below(damaged.size())] ^= static_cast<char>(1 << random.below(8));
    }
    if (random.below(10) == 0) damaged.resize(random.below(damaged.size()));
    auto file = files.open("/disk/damaged", io::OpenMode::create);
    ASSERT_TRUE(file && (*file)->truncate(0) && (*file)->write_at(std::string_view(damaged), 0));
    Snapshot read;
    read.begin_checkpoint(1);
    auto done = read_checkpoint_rows(**file, [&read](Actions actions) {
      return read.apply_checkpoint_rows(std::move(actions));
    });
    if (!done) ++refused;
  }
  EXPECT_GT(refused, flips / 2);
}

TEST_F(CheckpointTest, a_file_that_is_no_checkpoint_is_corrupt) {
  auto data = numbers(0, 3);
  auto file = io::posix_files().open(data.files[0].temporary_path, io::OpenMode::read);
  ASSERT_TRUE(file);
  auto done = read_checkpoint_rows(**file, [](const Actions&) {
    return Status(Error(Code::internal, "there is nothing to hand out"));
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::corrupt);
}

TEST_F(CheckpointTest, large_tables_wait_until_their_log_has_grown) {
  auto table = create();
  for (int i = 0; i < 10; ++i) append(*table, i, i + 1);
  EXPECT_EQ(table->snapshot()->checkpoint_version(), 10);
  int64_t bytes = table->snapshot()->checkpoint_bytes();
  EXPECT_GT(bytes, 0);
  for (int i = 0; i < 10; ++i) append(*table, i, i + 1);
  auto snapshot = table->snapshot();
  bool is_due = snapshot->bytes_since_checkpoint() == 0;
  EXPECT_TRUE(is_due || snapshot->bytes_since_checkpoint() < snapshot->checkpoint_bytes());
}

TEST(IntervalTest, sparks_spellings_are_read) {
  EXPECT_EQ(parse_interval_ms("interval 7 days"), 7 * 86'400'000);
  EXPECT_EQ(parse_interval_ms("interval 1 week"), 7 * 86'400'000);
  EXPECT_EQ(parse_interval_ms("INTERVAL 2 HOURS 30 minutes"), 9'000'000);
  EXPECT_EQ(parse_interval_ms("interval 0 seconds"), 0);
  for (auto bad : {"", "interval", "7", "interval days 7", "interval 1 month", "interval -1 day",
                   "interval 99999999999999 weeks"}) {
    EXPECT_EQ(parse_interval_ms(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace pinpipe::lake
