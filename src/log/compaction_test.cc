// Compaction: what stays of batches, what readers see while and after segments are exchanged, and
// what a crash in between leaves.
#include "log/compaction.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>

#include "codec/compression.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/fake_clock.h"
#include "kit/memory_files.h"
#include "kit/queued_pool.h"
#include "log/partition_log.h"

namespace pinpipe::log {
namespace {

using Values = std::map<std::string, std::string>;

LooseRecord record_of(std::string_view key, std::optional<std::string_view> value) {
  return {.key = key, .value = value, .timestamp_ms = {}, .headers = {}};
}

TEST(OffsetMapTest, the_last_offset_of_each_key_counts_and_memory_is_bounded) {
  OffsetMap map(64 << 10);
  Offset offset = 0;
  while (map.put("key " + std::to_string(offset), offset)) ++offset;
  EXPECT_GT(offset, 1000);
  EXPECT_LE(map.size_bytes(), size_t{64 << 10});
  EXPECT_TRUE(map.put("key 5", offset)) << "a known key needs no room";
  EXPECT_EQ(map.latest("key 5"), offset);
  EXPECT_EQ(map.latest("key 6"), 6);
  EXPECT_EQ(map.latest("another"), -1);
}

class CompactBatchTest : public testing::Test {
 protected:
  // Keys a, b, c at offsets 0, 1, 2; b is a tombstone.
  std::string batch(codec::Codec codec = codec::Codec::none) {
    BatchBuilder builder;
    HeaderView header{.key = "h", .value = "x"};
    LooseRecord a = record_of("a", "1");
    a.headers = std::span(&header, 1);
    builder.add(a, 1000);
    builder.add(record_of("b", std::nullopt), 1001);
    builder.add(record_of("c", "3"), 1007);
    std::string bytes = std::move(builder).finish();
    if (codec == codec::Codec::none) return bytes;
    std::string packed = bytes.substr(0, header_bytes) +
                         *codec::compress(codec, std::string_view(bytes).substr(header_bytes));
    store_be(packed.data() + 8, static_cast<int32_t>(packed.size() - length_prefix_bytes));
    store_be(packed.data() + 21, static_cast<int16_t>(codec));
    return packed;
  }
  CompactedBatch compact(std::string_view bytes, int64_t now_ms = 5000) {
    auto compacted =
        compact_batch(bytes, {.latest = map_, .now_ms = now_ms, .delete_retention_ms = 100});
    EXPECT_TRUE(compacted);
    return *compacted;
  }
  static std::string text(std::string_view bytes) {
    std::string scratch;
    auto records = records_of(bytes, 1 << 20, scratch);
    RecordCursor cursor(read_header(bytes), *records);
    std::string text;
    for (RecordView record; cursor.next(record);)
      text += fmt::format("{}@{}:{}={} ", record.offset, record.timestamp_ms, *record.key,
                          record.value.value_or("none"));
    EXPECT_TRUE(cursor.at_end());
    return text;
  }
  OffsetMap map_{1 << 20};
};

TEST_F(CompactBatchTest, a_batch_of_latest_records_stays_as_it_is) {
  map_.put("a", 0);
  map_.put("c", 2);
  BatchBuilder builder;
  builder.add(record_of("a", "1"), 1000);
  EXPECT_EQ(compact(std::move(builder).finish()).outcome, CompactedBatch::Outcome::unchanged);
}

TEST_F(CompactBatchTest, replaced_records_go_and_the_header_keeps_its_offsets) {
  map_.put("c", 9);
  for (auto codec : {codec::Codec::none, codec::Codec::gzip, codec::Codec::snappy,
                     codec::Codec::lz4, codec::Codec::zstd}) {
    auto compacted = compact(batch(codec));
    ASSERT_EQ(compacted.outcome, CompactedBatch::Outcome::rewritten);
    EXPECT_EQ(compacted.records_dropped, 1);
    EXPECT_TRUE(crc_holds(compacted.bytes));
    BatchHeader header = read_header(compacted.bytes);
    EXPECT_EQ(header.last_offset_delta, 2);
    EXPECT_EQ(header.count, 2);
    EXPECT_EQ(header.codec(), static_cast<int>(codec));
    EXPECT_EQ(header.max_timestamp_ms, 1001);
    EXPECT_EQ(text(compacted.bytes), "0@1000:a=1 1@1001:b=none ");
  }
}

TEST_F(CompactBatchTest, a_tombstone_stays_until_its_horizon) {
  auto marked = compact(batch());
  ASSERT_EQ(marked.outcome, CompactedBatch::Outcome::rewritten);
  BatchHeader header = read_header(marked.bytes);
  EXPECT_TRUE(header.has_delete_horizon());
  EXPECT_EQ(header.base_timestamp_ms, 5100) << "the horizon, where the base time was";
  EXPECT_EQ(text(marked.bytes), "0@1000:a=1 1@1001:b=none 2@1007:c=3 ");
  EXPECT_EQ(compact(marked.bytes, 5099).outcome, CompactedBatch::Outcome::unchanged);
  auto after = compact(marked.bytes, 5100);
  EXPECT_EQ(text(after.bytes), "0@1000:a=1 2@1007:c=3 ");
}

TEST_F(CompactBatchTest, what_is_left_of_nothing_is_a_header_that_tells_the_offsets) {
  for (const char* key : {"a", "b", "c"}) map_.put(key, 9);
  std::string all = batch();
  EXPECT_EQ(compact(all).outcome, CompactedBatch::Outcome::empty);
  std::string empty = empty_batch(read_header(all));
  EXPECT_EQ(empty.size(), header_bytes);
  EXPECT_TRUE(crc_holds(empty));
  EXPECT_EQ(read_header(empty).last_offset(), 2);
  EXPECT_EQ(text(empty), "");
}

class CompactedLogTest : public testing::Test {
 protected:
  CompactedLogTest() {
    options_.segment_bytes = 600;
    options_.compaction.dirty_ratio_min = 0.01;
  }
  void open() {
    auto opened = PartitionLog::open("/data/log/orders/id/0", options_, house());
    ASSERT_TRUE(opened) << opened.error().text();
    log_ = *opened;
  }
  void reopen() {
    log_.reset();
    open();
  }
  LogHouse house() { return {files_, open_files_, pool_, clock_}; }
  template <class T>
  T value_of(io::OneShot<T> shot) {
    pool_.run_all();
    auto value = io::wait_on(runtime_.loop(0), shot.wait());
    EXPECT_TRUE(value);
    return *std::move(value);
  }
  void put(std::string key, std::optional<std::string> value) {
    LooseRecord record = record_of(
        key, value ? std::optional<std::string_view>(*value) : std::optional<std::string_view>());
    ASSERT_TRUE(value_of(log_->append(std::span(&record, 1))));
    if (value)
      model_[key] = *value;
    else
      model_.erase(key);
  }
  void put_many(int count, int keys) {
    for (int i = 0; i < count; ++i)
      put("key " + std::to_string(i % keys), "value " + std::to_string(written_++));
  }
  Result<Cleaned> clean() { return value_of(log_->clean()); }

  // What a reader who replays everything knows in the end; every record it meets is counted.
  Values replay() {
    Values values;
    records_seen_ = 0;
    Range range = log_->range();
    Offset last = -1;
    for (Offset next = range.start; next < range.high_watermark;) {
      auto slice = log_->read(next, 1000);
      EXPECT_TRUE(slice) << slice.error().text();
      if (!slice || slice->bytes().empty()) break;
      BatchCursor batches(slice->bytes());
      std::string_view batch;
      for (BatchHeader header; batches.next(header, batch);) {
        next = header.last_offset() + 1;
        std::string scratch;
        RecordCursor cursor(header, *records_of(batch, 1 << 20, scratch));
        for (RecordView record; cursor.next(record);) {
          EXPECT_GT(record.offset, last);
          last = record.offset;
          ++records_seen_;
          if (record.value)
            values[std::string(*record.key)] = *record.value;
          else
            values.erase(std::string(*record.key));
        }
      }
    }
    return values;
  }
  std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const io::DirEntry& entry : *files_.list("/data/log/orders/id/0"))
      names.push_back(entry.name);
    return names;
  }

  kit::MemoryFiles files_;
  std::shared_ptr<OpenFiles> open_files_ = std::make_shared<OpenFiles>(files_, 5);
  kit::QueuedPool pool_;
  kit::FakeClock clock_;
  io::Runtime runtime_{{.loops = 1, .disk_threads = 1, .work_threads = 1}};
  LogOptions options_;
  std::shared_ptr<PartitionLog> log_;
  Values model_;
  int written_ = 0;
  int records_seen_ = 0;
};

TEST_F(CompactedLogTest, the_last_value_of_each_key_stays_and_offsets_do_not_move) {
  open();
  put_many(200, 7);
  uint64_t before = log_->size_bytes();
  auto cleaned = clean();
  ASSERT_TRUE(cleaned) << cleaned.error().text();
  EXPECT_GT(cleaned->records_dropped, 150u);
  EXPECT_LT(log_->size_bytes(), before / 4);
  EXPECT_EQ(replay(), model_);
  EXPECT_EQ(log_->range().high_watermark, 200);
  EXPECT_FALSE(log_->has_dirty_segments());
  // Everything of it holds over a restart, clean or not, and appends go on.
  ASSERT_TRUE(value_of(log_->close()));
  reopen();
  EXPECT_TRUE(log_->recovery().clean);
  EXPECT_EQ(replay(), model_);
  put_many(50, 9);
  reopen();
  EXPECT_FALSE(log_->recovery().clean);
  EXPECT_EQ(log_->recovery().dropped_segments, 0u);
  EXPECT_EQ(replay(), model_);
  ASSERT_TRUE(clean());
  EXPECT_EQ(replay(), model_);
}

TEST_F(CompactedLogTest, nothing_is_written_until_enough_is_dirty) {
  options_.compaction.dirty_ratio_min = 0.5;
  open();
  put_many(100, 100);
  ASSERT_TRUE(clean());
  EXPECT_FALSE(log_->has_dirty_segments());
  auto before = names();
  put_many(12, 3);
  EXPECT_TRUE(log_->has_dirty_segments());
  EXPECT_EQ(clean()->bytes_before, 0u);
  clock_.advance(Millis(1000));
  LogOptions late = options_;
  late.compaction.lag_max_ms = 500;
  log_->set_options(late);
  EXPECT_GT(clean()->bytes_before, 0u) << "but not for longer than max.compaction.lag.ms";
  EXPECT_EQ(replay(), model_);
}

TEST_F(CompactedLogTest, young_records_stay_as_they_are) {
  options_.compaction.lag_min_ms = 1000;
  open();
  put_many(100, 3);
  EXPECT_EQ(clean()->records_dropped, 0u);
  clock_.advance(Millis(1001));
  EXPECT_GT(clean()->records_dropped, 50u);
}

TEST_F(CompactedLogTest, tombstones_stay_for_their_time_and_then_go) {
  options_.compaction.delete_retention_ms = 10'000;
  open();
  put_many(30, 3);
  put("key 1", std::nullopt);
  put_many(30, 1);
  ASSERT_TRUE(clean());
  int with_tombstone = (replay(), records_seen_);
  EXPECT_EQ(replay(), model_);
  clock_.advance(Millis(10'001));
  put_many(30, 1);
  ASSERT_TRUE(clean());
  EXPECT_EQ(replay(), model_);
  EXPECT_LT(records_seen_, with_tombstone + 30 - 20) << "the tombstone and what key 0 was";
}

TEST_F(CompactedLogTest, more_keys_than_memory_holds_take_more_passes) {
  options_.segment_bytes = 4000;
  options_.compaction.map_bytes_max = 0;  // the least there is: 768 keys
  open();
  for (int round = 0; round < 2; ++round) put_many(1500, 1500);
  for (int pass = 0; pass < 10 && log_->has_dirty_segments(); ++pass) ASSERT_TRUE(clean());
  EXPECT_FALSE(log_->has_dirty_segments());
  EXPECT_EQ(replay(), model_);
  EXPECT_LT(records_seen_, 1700);
}

TEST_F(CompactedLogTest, a_producer_is_known_after_its_records_are_gone) {
  open();
  auto send = [&](int32_t sequence) {
    BatchBuilder builder;
    builder.add(record_of("key", "v"), clock_.wall_ms());
    auto owned = std::make_shared<std::string>(std::move(builder).finish());
    BatchHeader header = read_header(*owned);
    header.producer_id = 7;
    header.producer_epoch = 0;
    header.base_sequence = sequence;
    store_be(owned->data() + 43, header.producer_id);
    store_be(owned->data() + 51, header.producer_epoch);
    store_be(owned->data() + 53, sequence);
    stamp_append_time(*owned, clock_.wall_ms());
    return value_of(log_->append(WholeBatch{owned, *owned, header}));
  };
  for (int32_t i = 0; i < 5; ++i) ASSERT_TRUE(send(i));
  for (int i = 0; i < 60; ++i) put("key", "later " + std::to_string(i));
  ASSERT_TRUE(clean());
  ASSERT_TRUE(value_of(log_->close()));
  // Without the checkpoint only the batches tell: the last header of the producer has stayed.
  ASSERT_TRUE(files_.remove("/data/log/orders/id/0/checkpoint"));
  files_.append_garbage("/data/log/orders/id/0/00000000000000000000-1.index", "x");
  reopen();
  EXPECT_EQ(replay(), model_);
  auto again = send(4);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(again->base, 4);
}

TEST_F(CompactedLogTest, readers_go_on_while_segments_are_exchanged) {
  open();
  put_many(200, 7);
  auto cleaning = log_->clean();
  Offset next = 0;
  while (pool_.size() > 0) {
    pool_.run_one();
    auto slice = log_->read(next, 100);
    ASSERT_TRUE(slice) << slice.error().text();
    BatchCursor batches(slice->bytes());
    std::string_view batch;
    for (BatchHeader header; batches.next(header, batch);) next = header.last_offset() + 1;
    EXPECT_TRUE(log_->offset_at(0));
  }
  EXPECT_GT(next, 0);
  EXPECT_EQ(replay(), model_);
}

TEST_F(CompactedLogTest, trimming_and_closing_meanwhile_do_no_harm) {
  open();
  put_many(200, 50);
  auto cleaning = log_->clean();
  pool_.run_one();  // planned
  pool_.run_one();  // the first group is written
  auto trimmed = log_->trim(150);
  pool_.run_all();
  EXPECT_TRUE(value_of(trimmed));
  (void)value_of(cleaning);
  EXPECT_EQ(log_->range().start, 150);
  put_many(200, 50);
  auto second = log_->clean();
  pool_.run_one();
  auto closed = log_->close();
  EXPECT_TRUE(value_of(closed));
  EXPECT_FALSE(value_of(second));
  reopen();
  EXPECT_TRUE(log_->recovery().clean);
  EXPECT_EQ(replay(), model_);
}

TEST_F(CompactedLogTest, a_full_disk_leaves_everything_as_it_was) {
  open();
  put_many(200, 150);
  auto before = names();
  files_.set_capacity(0);
  EXPECT_FALSE(clean());
  files_.set_capacity(std::nullopt);
  EXPECT_EQ(names(), before);
  EXPECT_EQ(replay(), model_);
  EXPECT_TRUE(clean());
  EXPECT_EQ(replay(), model_);
}

TEST_F(CompactedLogTest, a_damaged_segment_is_left_alone) {
  open();
  put_many(200, 7);
  files_.flip_bit("/data/log/orders/id/0/00000000000000000000.log", 65);
  EXPECT_EQ(clean().error().code(), Code::corrupt);
  EXPECT_EQ(log_->read(0, 10).error().code(), Code::corrupt);
}

TEST_F(CompactedLogTest, a_crash_at_any_step_leaves_the_old_files_or_the_new) {
  for (int steps = 0; steps < 20; ++steps) {
    open();
    put_many(100, 7);
    auto cleaning = log_->clean();
    for (int i = 0; i < steps && pool_.size() > 0; ++i) pool_.run_one();
    bool done = pool_.size() == 0;
    log_.reset();
    pool_.forget_all();
    files_.power_cut();
    open_files_ = std::make_shared<OpenFiles>(files_, 5);
    open();
    EXPECT_EQ(replay(), model_) << "after " << steps << " steps";
    for (const std::string& name : names()) EXPECT_EQ(name.find(".tmp"), std::string::npos);
    if (done) break;
  }
}

}  // namespace
}  // namespace pinpipe::log
