// Lives of a connector over a bucket store and its own state on a disk that loses power at any of
// its operations, from a seed: at the end the objects of a partition, in the order of their names,
// hold each of its records once, without a gap.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <thread>

#include "base/random.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/fake_clock.h"
#include "kit/memory_files.h"
#include "kit/memory_topics.h"
#include "kit/seed.h"
#include "kit/sqlite_disk.h"
#include "objects/bucket_store.h"
#include "sink/object_sink.h"

namespace pinpipe::sink {
namespace {

constexpr uint64_t seeds = 6;
constexpr int partitions = 2;

class SinkLives {
 public:
  SinkLives(uint64_t seed, io::Runtime& runtime) : random_(seed), runtime_(runtime), files_(seed) {}

  // What the objects have too little or too much of; empty when all is well.
  std::string run(const std::string& forgotten_sync) {
    CHECK(files_.make_directories("/data") && files_.sync_directory("/"), "a disk");
    if (!forgotten_sync.empty()) files_.ignore_syncs_within(forgotten_sync);
    broker::TopicSpec spec;
    spec.name = "u.pin";
    spec.partitions = partitions;
    CHECK(wait(topics_.create(spec)).has_value(), "a topic");
    for (int life = 0; life < 10 && trouble_.empty(); ++life) {
      if (open(life == 0)) live();
      close();
    }
    if (trouble_.empty() && open(false)) finish();
    close();
    return trouble_;
  }

 private:
  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(runtime_.loop(0), std::move(task));
  }

  bool open(bool is_first) {
    auto opened =
        objects::BucketStore::open({.root = "/data/buckets", .files = &files_}, runtime_.disk());
    auto state = SinkState::open("/data/sink.db");
    if (!opened || !state) {
      trouble_ = "open: " + (opened ? state.error().text() : opened.error().text());
      return false;
    }
    store_ = std::move(*opened);
    state_ = std::move(*state);
    if (is_first) CHECK(wait(store_->create_bucket("bucket")).has_value(), "a bucket");
    auto config = parse_config({{"name", "c"},
                                {"connector.class", "S3Sink"},
                                {"format.class", "JsonFormat"},
                                {"s3.bucket.name", "bucket"},
                                {"topics", "u.pin"},
                                {"flush.size", "7"},
                                {"file.age.max.ms", "1000"},
                                {"retry.backoff.ms", "1"}});
    CHECK(config.has_value(), "the configuration is good");
    sink_ = std::make_unique<ObjectSink>(
        ObjectSink::Parts{topics_, *store_, *state_, runtime_.disk(), runtime_.loop(0), clock_},
        std::move(*config));
    return true;
  }

  void start() {
    io::run_on(runtime_.loop(0), [](SinkLives& lives) -> io::Task<> {
      lives.scope_ = std::make_unique<io::Scope>(lives.runtime_.loop(0));
      lives.scope_->spawn("sink", lives.sink_->run());
      co_return;
    }(*this));
  }

  void close() {
    if (scope_) {
      io::run_on(runtime_.loop(0), [](SinkLives& lives) -> io::Task<> {
        lives.scope_->cancel();
        co_await lives.scope_->join();
        lives.scope_.reset();
      }(*this));
    }
    files_.power_off();
    sink_.reset();
    state_.reset();
    store_.reset();
    files_.power_on();
  }

  void live() {
    send();
    // What is stored and not committed is what the next life makes again.
    topics_.fail_commits(random_.below(2) == 0 ? 1'000'000 : random_.below(3),
                         Error(Code::unavailable, "no"));
    files_.cut_power_after(random_.below(80));
    start();
    for (uint64_t step = 1 + random_.below(4); step > 0 && files_.has_power(); --step) {
      if (random_.below(2) == 0) send();
      clock_.advance(Millis(random_.below(1'500)));
      wait([](ObjectSink& sink) -> io::Task<bool> {
        co_await sink.close_due_files();
        co_return true;
      }(*sink_));
    }
    // Its work goes on for as long as there is power and something to store, up to a bound.
    for (int turn = 0; turn < 1'000 && files_.has_power() && !has_stored_all(); ++turn)
      std::this_thread::yield();
  }

  void send() {
    for (uint64_t n = random_.below(20); n > 0; --n) {
      auto partition = static_cast<size_t>(random_.below(partitions));
      std::vector<broker::RecordIn> records(1);
      const std::string number = std::to_string(sent_[partition]++);
      records[0].value = number;
      records[0].partition = static_cast<int>(partition);
      CHECK(wait(topics_.produce("u.pin", records, broker::Acks::committed)).has_value(), "sent");
    }
  }

  bool has_stored_all() {
    auto status = wait(sink_->status());
    int64_t stored = 0;
    for (const TaskStatus& task : status.tasks) {
      if (task.state == "FAILED") return true;
      for (const PartitionStatus& one : task.partitions) stored += one.committed + one.open_records;
    }
    return stored == sent_[0] + sent_[1];
  }

  void finish() {
    topics_.fail_commits(0, Error(Code::unavailable, ""));
    start();
    Status flushed = wait(sink_->flush(io::after(Millis(20'000))));
    if (!flushed) trouble_ = "flush: " + flushed.error().text();
    std::array<int64_t, partitions> next{};
    objects::ListQuery all;
    auto listing = wait(store_->list("bucket", std::move(all)));
    CHECK(listing.has_value(), "the bucket is listed");
    for (const objects::ObjectFacts& object : listing->objects) {
      size_t partition = object.key.contains("partition=1/") ? 1 : 0;
      auto bytes = wait(store_->get("bucket", object.key, std::nullopt));
      if (!bytes) trouble_ = "an object cannot be read";
      if (trouble_.empty()) take(object.key, *bytes, next[partition]);
    }
    for (size_t i = 0; i < partitions && trouble_.empty(); ++i) {
      if (next[i] != sent_[i])
        trouble_ = fmt::format("{} of {} records are in objects", next[i], sent_[i]);
    }
  }

  // Values are their records' offsets, and names are their first records'.
  void take(const std::string& key, std::string_view bytes, int64_t& next) {
    if (!key.ends_with(fmt::format("+{:010}.json", next))) {
      trouble_ = fmt::format("{} where record {} is due", key, next);
      return;
    }
    while (!bytes.empty() && trouble_.empty()) {
      std::string_view line = bytes.substr(0, bytes.find('\n'));
      if (line != std::to_string(next)) trouble_ = fmt::format("{} in place of {}", line, next);
      bytes.remove_prefix(std::min(line.size() + 1, bytes.size()));
      ++next;
    }
  }

  Random random_;
  io::Runtime& runtime_;
  kit::MemoryFiles files_;
  kit::SqliteDisk databases_{files_};
  kit::FakeClock clock_;
  kit::MemoryTopics topics_;
  std::unique_ptr<objects::BucketStore> store_;
  std::unique_ptr<SinkState> state_;
  std::unique_ptr<ObjectSink> sink_;
  std::unique_ptr<io::Scope> scope_;
  std::array<int64_t, partitions> sent_{};
  std::string trouble_;
};

class SinkLivesTest : public testing::Test {
 protected:
  io::Runtime runtime{{.loops = 1, .disk_threads = 3, .work_threads = 1}};
};

TEST_F(SinkLivesTest, whenever_the_power_goes_the_objects_are_the_topic) {
  for (uint64_t i = 0; i < seeds; ++i)
    ASSERT_EQ(SinkLives(kit::seed() + i, runtime).run(""), "") << "seed " << kit::seed() + i;
}

TEST_F(SinkLivesTest, a_forgotten_sync_would_be_found) {
  // Of the objects, and of where files ended by the clock.
  for (const char* sync : {".journal", "/data/sink.db"}) {
    int found = 0;
    for (uint64_t i = 0; i < 4 * seeds && found == 0; ++i)
      found += !SinkLives(kit::seed() + i, runtime).run(sync).empty();
    EXPECT_GT(found, 0) << sync;
  }
}

}  // namespace
}  // namespace pinpipe::sink
