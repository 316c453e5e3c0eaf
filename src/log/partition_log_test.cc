#include "log/partition_log.h"

#include <gtest/gtest.h>

#include "io/runtime.h"
#include "io/scope.h"
#include "kit/fake_clock.h"
#include "kit/memory_files.h"
#include "kit/queued_pool.h"

namespace pinpipe::log {
namespace {

class PartitionLogTest : public testing::Test {
 protected:
  using Answer = PartitionLog::Answer;

  void open() {
    auto opened = PartitionLog::open("/data/log/orders/id/0", options_, house());
    ASSERT_TRUE(opened) << opened.error().text();
    log_ = *opened;
  }
  LogHouse house() { return {files_, open_files_, pool_, clock_}; }

  template <class T>
  T value_of(io::OneShot<T> shot) {
    pool_.run_all();
    auto value = io::wait_on(runtime_.loop(0), shot.wait());
    EXPECT_TRUE(value);
    return *std::move(value);
  }
  Answer append(std::string value) {
    LooseRecord record{.key = {}, .value = value, .timestamp_ms = {}, .headers = {}};
    return value_of(log_->append(std::span(&record, 1)));
  }
  WholeBatch batch_from(int64_t producer, int32_t sequence, int16_t epoch = 0, int count = 1) {
    BatchBuilder builder;
    for (int i = 0; i < count; ++i)
      builder.add({.key = {}, .value = "v", .timestamp_ms = {}, .headers = {}}, clock_.wall_ms());
    auto owned = std::make_shared<std::string>(std::move(builder).finish());
    BatchHeader header = read_header(*owned);
    header.producer_id = producer;
    header.producer_epoch = epoch;
    header.base_sequence = sequence;
    store_be(owned->data() + 43, producer);
    store_be(owned->data() + 51, epoch);
    store_be(owned->data() + 53, sequence);
    stamp_append_time(*owned, clock_.wall_ms());  // only to have the CRC made again
    return {owned, *owned, header};
  }
  Status close() { return value_of(log_->close()); }
  void reopen_after_crash() {
    log_.reset();
    open();
  }

  std::vector<std::string> values_from(Offset from, size_t bytes_max = 1 << 20) {
    std::vector<std::string> values;
    while (from < log_->range().high_watermark) {
      auto slice = log_->read(from, bytes_max);
      EXPECT_TRUE(slice) << slice.error().text();
      if (!slice) break;
      BatchCursor batches(slice->bytes());
      std::string_view batch;
      for (BatchHeader header; batches.next(header, batch);) {
        RecordCursor cursor(header, batch.substr(header_bytes));
        for (RecordView record; cursor.next(record);) {
          if (record.offset < from) continue;
          EXPECT_EQ(record.offset, from);
          ++from;
          values.emplace_back(record.value.value_or("(none)"));
        }
      }
    }
    return values;
  }
  std::string segment_path(Offset base) const {
    return fmt::format("/data/log/orders/id/0/{:020}.log", base);
  }

  kit::MemoryFiles files_;
  std::shared_ptr<OpenFiles> open_files_ = std::make_shared<OpenFiles>(files_, 3);
  kit::QueuedPool pool_;
  kit::FakeClock clock_;
  io::Runtime runtime_{{.loops = 1, .disk_threads = 1, .work_threads = 1}};
  LogOptions options_;
  std::shared_ptr<PartitionLog> log_;
};

TEST_F(PartitionLogTest, appended_records_are_read_from_any_offset) {
  open();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(append("v" + std::to_string(i))->base, i);
  EXPECT_EQ(values_from(0).size(), 100u);
  EXPECT_EQ(values_from(57).front(), "v57");
  EXPECT_EQ(values_from(0, 1).size(), 100u)
      << "at least one batch is given, however small the bound";
  EXPECT_TRUE(log_->read(100, 10)->bytes().empty());
  EXPECT_EQ(log_->read(101, 10).error().code(), Code::invalid);
}

TEST_F(PartitionLogTest, loose_records_that_wait_together_become_one_batch_one_write_one_sync) {
  open();
  append("first");
  uint64_t syncs_before = files_.syncs();
  std::vector<io::OneShot<Answer>> answers;
  for (int i = 0; i < 50; ++i) {
    LooseRecord record{.key = {}, .value = "v", .timestamp_ms = {}, .headers = {}};
    answers.push_back(log_->append(std::span(&record, 1)));
  }
  for (int i = 0; i < 50; ++i) EXPECT_EQ(value_of(answers[static_cast<size_t>(i)])->base, i + 1);
  EXPECT_EQ(files_.syncs(), syncs_before + 1);
  auto slice = log_->read(1, 1 << 20);
  EXPECT_EQ(read_header(slice->bytes()).count, 50);
}

TEST_F(PartitionLogTest, nothing_is_readable_before_it_is_committed) {
  open();
  LooseRecord record{.key = {}, .value = "v", .timestamp_ms = {}, .headers = {}};
  auto answer = log_->append(std::span(&record, 1));
  EXPECT_EQ(log_->range().high_watermark, 0);
  EXPECT_EQ(value_of(answer)->base, 0);
  EXPECT_EQ(log_->range().high_watermark, 1);
}

TEST_F(PartitionLogTest, arrival_never_falls_even_when_the_clock_does) {
  open();
  int64_t first = append("a")->append_time_ms;
  clock_.set_wall_ms(first - 5000);
  EXPECT_EQ(append("b")->append_time_ms, first);
}

TEST_F(PartitionLogTest, append_time_never_falls_even_over_a_restart) {
  options_.append_time = true;
  open();
  int64_t before_ms = append("a")->append_time_ms;
  clock_.set_wall_ms(before_ms - 5000);
  EXPECT_EQ(append("b")->append_time_ms, before_ms);
  reopen_after_crash();
  EXPECT_EQ(append("c")->append_time_ms, before_ms);
  ASSERT_TRUE(close());
  reopen_after_crash();
  EXPECT_EQ(append("d")->append_time_ms, before_ms);
  clock_.set_wall_ms(before_ms + 1);
  EXPECT_EQ(append("e")->append_time_ms, before_ms + 1);
}

TEST_F(PartitionLogTest, a_full_queue_is_busy_and_drains) {
  options_.pending_bytes_max = 1000;
  open();
  std::string value(600, 'x');
  LooseRecord record{.key = {}, .value = value, .timestamp_ms = {}, .headers = {}};
  auto first = log_->append(std::span(&record, 1));
  auto second = log_->append(std::span(&record, 1));
  EXPECT_EQ(value_of(second).error().fault, Fault::busy);
  EXPECT_TRUE(value_of(first));
  EXPECT_TRUE(append(value));
}

TEST_F(PartitionLogTest, segments_roll_and_everything_is_still_there_after_a_clean_close) {
  options_.segment_bytes = 1000;
  open();
  for (int i = 0; i < 100; ++i) append("value " + std::to_string(i));
  ASSERT_TRUE(close());
  reopen_after_crash();
  EXPECT_TRUE(log_->recovery().clean);
  EXPECT_EQ(log_->leader_epoch(), 0);
  auto values = values_from(0);
  ASSERT_EQ(values.size(), 100u);
  EXPECT_EQ(values[99], "value 99");
  EXPECT_EQ(append("next")->base, 100);
  EXPECT_EQ(values_from(100), std::vector<std::string>{"next"});
}

TEST_F(PartitionLogTest, an_unclean_start_reads_again_and_begins_an_epoch) {
  open();
  append("a");
  append("b");
  reopen_after_crash();
  EXPECT_FALSE(log_->recovery().clean);
  EXPECT_EQ(log_->recovery().cut_bytes, 0u);
  EXPECT_EQ(log_->leader_epoch(), 1);
  EXPECT_EQ(log_->end_of_epoch(0).start, 2);
  EXPECT_EQ(append("c")->base, 2);
  EXPECT_EQ(values_from(0), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(log_->end_of_epoch(5).epoch, 1);
  EXPECT_EQ(log_->end_of_epoch(5).start, 3);
}

TEST_F(PartitionLogTest, recovery_reads_only_what_the_last_checkpoint_left_open) {
  options_.checkpoint_bytes = 2000;
  open();
  for (int i = 0; i < 200; ++i) append("value " + std::to_string(i));
  reopen_after_crash();
  EXPECT_LT(log_->recovery().scanned_bytes, 3000u);
  EXPECT_EQ(values_from(0).size(), 200u);
  reopen_after_crash();
  EXPECT_EQ(append("next")->base, 200);
}

TEST_F(PartitionLogTest, a_torn_tail_is_cut_at_the_first_bad_byte_and_told) {
  open();
  append("a");
  append("b");
  files_.append_garbage(segment_path(0), std::string(100, '\x7f'));
  reopen_after_crash();
  EXPECT_EQ(log_->recovery().cut_bytes, 100u);
  EXPECT_FALSE(log_->recovery().reason.empty());
  EXPECT_EQ(values_from(0).size(), 2u);
  EXPECT_EQ(append("c")->base, 2);
}

TEST_F(PartitionLogTest, a_tail_of_zeros_is_an_end_not_a_fault) {
  open();
  append("a");
  files_.append_garbage(segment_path(0), std::string(5000, '\0'));
  reopen_after_crash();
  EXPECT_EQ(log_->recovery().cut_bytes, 0u);
  EXPECT_EQ(append("b")->base, 1);
  EXPECT_EQ(values_from(0), (std::vector<std::string>{"a", "b"}));
}

TEST_F(PartitionLogTest, a_flipped_bit_in_an_old_segment_is_never_served) {
  options_.segment_bytes = 500;
  open();
  for (int i = 0; i < 50; ++i) append("value " + std::to_string(i));
  ASSERT_TRUE(close());
  files_.flip_bit(segment_path(0), 70);
  reopen_after_crash();
  EXPECT_EQ(log_->read(0, 1000).error().code(), Code::corrupt);
  EXPECT_EQ(values_from(40).size(), 10u) << "the rest is still served";
}

TEST_F(PartitionLogTest, missing_and_garbled_indexes_are_rebuilt) {
  options_.segment_bytes = 20'000;
  options_.index_interval_bytes = 200;
  open();
  for (int i = 0; i < 500; ++i) {
    append("value " + std::to_string(i));
    clock_.advance(Millis(10));
  }
  ASSERT_TRUE(close());
  std::string stem = segment_path(0).substr(0, segment_path(0).size() - 4);
  ASSERT_TRUE(files_.remove(stem + ".timeindex"));
  files_.append_garbage(stem + ".index", "garbage!");
  reopen_after_crash();
  EXPECT_EQ(values_from(123).front(), "value 123");
  auto found = log_->offset_at(1'767'348'900'000 + 2005);
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)->offset, 201);
}

TEST_F(PartitionLogTest, a_full_disk_fails_that_group_alone_and_reads_go_on) {
  open();
  append("a");
  files_.set_capacity(files_.free_bytes("/").value() > 0 ? 600 : 0);
  Answer refused = append(std::string(5000, 'x'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::storage);
  EXPECT_EQ(values_from(0), std::vector<std::string>{"a"});
  files_.set_capacity(std::nullopt);
  EXPECT_EQ(append("b")->base, 1);
  reopen_after_crash();
  EXPECT_EQ(values_from(0), (std::vector<std::string>{"a", "b"}));
}

TEST_F(PartitionLogTest, a_failed_sync_poisons_until_restart) {
  open();
  append("a");
  files_.fail_next_sync();
  EXPECT_EQ(append("b").error().fault, Fault::storage);
  EXPECT_EQ(append("c").error().fault, Fault::storage);
  EXPECT_TRUE(log_->is_poisoned());
  EXPECT_EQ(values_from(0), std::vector<std::string>{"a"});
  EXPECT_FALSE(close());
  reopen_after_crash();
  EXPECT_EQ(values_from(0).front(), "a");
  EXPECT_TRUE(append("d"));
}

TEST_F(PartitionLogTest, an_idempotent_batch_sent_twice_is_stored_once) {
  open();
  EXPECT_EQ(value_of(log_->append(batch_from(7, 0, 0, 3)))->base, 0);
  auto pending = log_->append(batch_from(7, 3));
  auto twice = log_->append(batch_from(7, 3));
  EXPECT_EQ(value_of(pending)->base, 3);
  EXPECT_EQ(value_of(twice)->base, 3);
  EXPECT_TRUE(value_of(log_->append(batch_from(7, 0, 0, 3)))->duplicate);
  EXPECT_EQ(value_of(log_->append(batch_from(7, 9))).error().fault, Fault::out_of_order_sequence);
  EXPECT_EQ(log_->range().high_watermark, 4);
  reopen_after_crash();
  Answer again = value_of(log_->append(batch_from(7, 3)));
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(again->base, 3);
  ASSERT_TRUE(close());
  reopen_after_crash();
  EXPECT_TRUE(value_of(log_->append(batch_from(7, 3)))->duplicate);
  EXPECT_EQ(value_of(log_->append(batch_from(7, 4)))->base, 4);
}

TEST_F(PartitionLogTest, a_newer_epoch_of_a_producer_fences_the_older) {
  open();
  EXPECT_TRUE(value_of(log_->append(batch_from(7, 0, 0))));
  EXPECT_EQ(value_of(log_->append(batch_from(7, 5, 1))).error().fault,
            Fault::out_of_order_sequence);
  EXPECT_TRUE(value_of(log_->append(batch_from(7, 0, 1))));
  EXPECT_EQ(value_of(log_->append(batch_from(7, 1, 0))).error().fault, Fault::stale_producer_epoch);
}

TEST_F(PartitionLogTest, a_failed_group_gives_its_sequence_numbers_back) {
  open();
  EXPECT_TRUE(value_of(log_->append(batch_from(7, 0))));
  files_.set_capacity(0);
  EXPECT_EQ(value_of(log_->append(batch_from(7, 1))).error().fault, Fault::storage);
  files_.set_capacity(std::nullopt);
  EXPECT_EQ(value_of(log_->append(batch_from(7, 1)))->base, 1);
}

TEST_F(PartitionLogTest, trimmed_records_stay_away_over_restarts_and_their_segments_go) {
  options_.segment_bytes = 500;
  open();
  for (int i = 0; i < 50; ++i) append("value " + std::to_string(i));
  ASSERT_TRUE(value_of(log_->trim(30)));
  EXPECT_EQ(log_->range().start, 30);
  EXPECT_FALSE(files_.exists(segment_path(0)));
  EXPECT_EQ(log_->read(29, 100).error().code(), Code::invalid);
  EXPECT_EQ(value_of(log_->trim(51)).error().code(), Code::invalid);
  reopen_after_crash();
  EXPECT_EQ(log_->range().start, 30);
  EXPECT_EQ(values_from(30).front(), "value 30");
}

TEST_F(PartitionLogTest, retention_drops_closed_segments_by_age_and_by_size) {
  options_.segment_bytes = 500;
  open();
  for (int i = 0; i < 50; ++i) {
    append("value " + std::to_string(i));
    clock_.advance(Millis(1000));
  }
  uint64_t before = log_->size_bytes();
  ASSERT_TRUE(value_of(log_->retain(-1, static_cast<int64_t>(before) - 600)));
  EXPECT_LT(log_->size_bytes(), before);
  EXPECT_GE(log_->size_bytes(), before - 600) << "never below the bound";
  ASSERT_TRUE(value_of(log_->retain(20'000, -1)));
  Offset start = log_->range().start;
  EXPECT_GT(start, 20);
  EXPECT_LE(start, 30) << "a segment goes when its youngest record is too old";
  EXPECT_EQ(values_from(start).size(), static_cast<size_t>(50 - start));
}

TEST_F(PartitionLogTest, time_leads_to_the_first_record_at_or_after) {
  options_.segment_bytes = 3000;
  options_.index_interval_bytes = 200;
  open();
  for (int i = 0; i < 200; ++i) {
    append("value");
    clock_.advance(Millis(10));
  }
  int64_t begin = 1'767'348'900'000;
  for (int i : {0, 1, 57, 120, 199}) {
    EXPECT_EQ((*log_->offset_at(begin + i * 10))->offset, i);
    if (i > 0) {
      EXPECT_EQ((*log_->offset_at(begin + i * 10 - 5))->offset, i);
    }
  }
  EXPECT_FALSE(*log_->offset_at(begin + 2000));
  EXPECT_EQ((*log_->newest())->offset, 199);
}

TEST_F(PartitionLogTest, a_closed_log_takes_nothing_more) {
  open();
  append("a");
  ASSERT_TRUE(close());
  EXPECT_EQ(append("b").error().fault, Fault::closed);
}

TEST_F(PartitionLogTest, files_beyond_the_cap_are_closed_and_opened_again) {
  options_.segment_bytes = 200;
  open();
  for (int i = 0; i < 30; ++i) append("value " + std::to_string(i));
  EXPECT_EQ(values_from(0).size(), 30u);
}

}  // namespace
}  // namespace pinpipe::log
