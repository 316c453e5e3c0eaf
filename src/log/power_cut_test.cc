// Random appends, trims, cleanings, crashes and power cuts from a seed: what was acknowledged is
// there, in order, without gaps; of a compacted partition, the last of each key.
#include <gtest/gtest.h>

#include "base/log_line.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/fake_clock.h"
#include "kit/memory_files.h"
#include "kit/queued_pool.h"
#include "kit/seed.h"
#include "log/partition_log.h"

namespace pinpipe::log {
namespace {

class Life {
 public:
  Life(uint64_t seed, io::Runtime& runtime, bool compacts = false)
      : random_(seed), runtime_(runtime), files_(seed), compacts_(compacts) {}

  // What was lost or out of place; empty when all is well.
  std::string run(std::string forgotten_sync) {
    bool made = files_.make_directories("/data/log") && files_.sync_directory("/data") &&
                files_.sync_directory("/");
    EXPECT_TRUE(made);
    if (!forgotten_sync.empty()) files_.ignore_syncs_of(std::move(forgotten_sync));
    for (int round = 0; round < 6 && trouble_.empty(); ++round) {
      open();
      for (uint64_t step = random_.below(40); step > 0 && trouble_.empty(); --step) act();
      end_life();
    }
    if (trouble_.empty()) open();
    return trouble_;
  }

 private:
  struct Pending {
    io::OneShot<PartitionLog::Answer> answer;
    std::string key;
    std::string value;
  };

  struct Written {
    std::string key;
    std::string value;
    bool operator==(const Written&) const = default;
  };

  void open() {
    LogOptions options{
        .segment_bytes = 4000, .index_interval_bytes = 300, .checkpoint_bytes = 1500};
    options.compaction.dirty_ratio_min = 0.01;
    auto opened =
        PartitionLog::open("/data/log/orders/id/0", options, {files_, open_files_, pool_, clock_});
    if (!opened) {
      trouble_ = "open: " + opened.error().text();
      return;
    }
    log_ = *opened;
    check();
  }

  void act() {
    clock_.advance(Millis(random_.below(100)));
    switch (random_.below(8)) {
      case 0:
        pool_.run_all();
        break;
      case 1:
        if (log_->range().high_watermark > 3 && random_.below(4) == 0) trim();
        break;
      case 2:
        if (compacts_) (void)log_->clean();
        break;
      case 3:
        for (uint64_t i = random_.below(4); i > 0 && pool_.size() > 0; --i) pool_.run_one();
        break;
      default:
        append();
    }
  }

  void append() {
    std::string value = std::to_string(written_++) + std::string(random_.below(900), 'x');
    std::string key = "key " + std::to_string(random_.below(5));
    LooseRecord record{.key = key, .value = value, .timestamp_ms = {}, .headers = {}};
    pending_.push_back({log_->append(std::span(&record, 1)), key, value});
  }

  void trim() {
    Offset to = log_->range().high_watermark - 3;
    auto done = log_->trim(to);
    pool_.run_all();
    if (io::wait_on(runtime_.loop(0), done.wait())) trimmed_ = std::max(trimmed_, to);
  }

  void end_life() {
    if (random_.below(2) == 0) pool_.run_all();
    collect();
    bool clean = random_.below(4) == 0;
    if (clean) {
      auto closed = log_->close();
      pool_.run_all();
      collect();
    }
    log_.reset();
    pool_.forget_all();
    pending_.clear();
    if (random_.below(3) > 0) files_.power_cut();
    open_files_ = std::make_shared<OpenFiles>(files_, 10);
  }

  // Acknowledged: those whose answer is there.
  void collect() {
    for (Pending& pending : pending_) {
      auto answer = io::wait_on(runtime_.loop(0), pending.answer.wait(io::after(Millis(0))));
      if (answer && *answer) acknowledged_[(*answer)->base] = {pending.key, pending.value};
    }
    pending_.clear();
  }

  void check() {
    std::map<Offset, Written> there;
    std::map<std::string, Offset> latest;  // of each key that is there
    Range range = log_->range();
    Offset next = range.start;
    while (next < range.high_watermark) {
      auto slice = log_->read(next, 2000);
      if (!slice) {
        trouble_ = "read: " + slice.error().text();
        return;
      }
      BatchCursor batches(slice->bytes());
      std::string_view batch;
      for (BatchHeader header; batches.next(header, batch);) {
        RecordCursor cursor(header, batch.substr(header_bytes));
        for (RecordView record; cursor.next(record);) {
          if (record.offset < next) continue;
          if (record.offset != next && !compacts_)
            trouble_ = "a gap at offset " + std::to_string(next);
          next = record.offset + 1;
          std::string key(record.key.value_or(""));
          there[record.offset] = {key, std::string(record.value.value_or(""))};
          latest[key] = record.offset;
        }
        next = std::max(next, header.last_offset() + 1);
      }
    }
    for (const auto& [offset, written] : acknowledged_) {
      if (offset < std::max(trimmed_, range.start) && range.start <= trimmed_) continue;
      if (compacts_ && latest.contains(written.key) && latest[written.key] > offset) continue;
      auto found = there.find(offset);
      if (found == there.end() || found->second != written) {
        trouble_ = "acknowledged offset " + std::to_string(offset) + " is lost";
        return;
      }
    }
  }

  Random random_;
  io::Runtime& runtime_;
  kit::MemoryFiles files_;
  bool compacts_;
  std::shared_ptr<OpenFiles> open_files_ = std::make_shared<OpenFiles>(files_, 10);
  kit::QueuedPool pool_;
  kit::FakeClock clock_;
  std::shared_ptr<PartitionLog> log_;
  std::vector<Pending> pending_;
  std::map<Offset, Written> acknowledged_;
  Offset trimmed_ = 0;
  int written_ = 0;
  std::string trouble_;
};

class PowerCutTest : public testing::Test {
 protected:
  PowerCutTest() { set_log_level(Level::error); }
  ~PowerCutTest() override { set_log_level(Level::info); }
  io::Runtime runtime_{{.loops = 1, .disk_threads = 1, .work_threads = 1}};
};

TEST_F(PowerCutTest, what_was_acknowledged_survives_every_power_cut) {
  for (uint64_t i = 0; i < 200; ++i) {
    uint64_t seed = kit::seed() + i;
    std::string trouble = Life(seed, runtime_).run({});
    ASSERT_EQ(trouble, "") << "seed " << seed;
  }
}

TEST_F(PowerCutTest, the_last_record_of_each_key_survives_compaction_and_every_power_cut) {
  for (uint64_t i = 0; i < 200; ++i) {
    uint64_t seed = kit::seed() + i;
    std::string trouble = Life(seed, runtime_, true).run({});
    ASSERT_EQ(trouble, "") << "seed " << seed;
  }
}

TEST_F(PowerCutTest, a_forgotten_sync_would_be_found) {
  int found = 0;
  for (uint64_t i = 0; i < 50; ++i) {
    if (!Life(kit::seed() + i, runtime_).run(".log").empty()) ++found;
  }
  EXPECT_GT(found, 10);
}

}  // namespace
}  // namespace pinpipe::log
