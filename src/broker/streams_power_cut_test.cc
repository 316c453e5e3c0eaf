// Streams on a disk that loses power while records are put and shards change, from seeds: what was
// acknowledged is where its number says, shards cover all hash keys, numbers rise.
#include <gtest/gtest.h>

#include "base/log_line.h"
#include "base/random.h"
#include "broker/streams_fixture.h"
#include "broker/streams_sequence.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/memory_files.h"
#include "kit/seed.h"

namespace pinpipe::broker {
namespace {

constexpr int rounds = 4;
constexpr int writers = 3;
constexpr int puts_of_a_writer = 12;

class StreamLife : OpenStreams {
 public:
  StreamLife(uint64_t seed, io::Runtime& runtime) : random_(seed), runtime_(runtime), files_(seed) {
    EXPECT_TRUE(files_.make_directories("/data/log") && files_.sync_directory("/data") &&
                files_.sync_directory("/"));
  }
  ~StreamLife() { forget(); }

  void run() {
    open();
    ASSERT_TRUE(access_);
    auto made = wait(access_->create({.name = "s", .shards = 2, .tags = {}}));
    ASSERT_TRUE(made) << made.error().text();
    for (int round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
      live();
      forget();
      files_.power_cut();
      open();
      if (access_) check();
    }
    if (broker_) EXPECT_TRUE(wait(broker_->close()));
  }

 private:
  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(runtime_.loop(0), std::move(task));
  }

  void open() { open_on(files_, "/data/log", runtime_.disk()); }

  // Puts and changes of shards at once; the power goes after some of the puts.
  void live() {
    cut_after_ = static_cast<int>(random_.below(writers * puts_of_a_writer + 6));
    puts_ = 0;
    auto all = [this]() -> io::Task<> {
      io::Scope scope(io::Loop::current());
      for (int writer = 0; writer < writers; ++writer) scope.spawn("writer", write(writer));
      scope.spawn("reshard", reshard());
      co_await scope.join();
    };
    io::run_on(runtime_.loop(0), all());
  }

  io::Task<> write(int writer) {
    for (int i = 0; i < puts_of_a_writer; ++i) {
      auto stream = access_->find("s");
      if (!stream) co_return;
      std::string key = std::to_string(writer);
      std::string text = std::to_string(count_++) + std::string(random_.below(300), 'x');
      std::vector<StreamRecord> records = {{key, text, HashKey{random_.next()} << 64}};
      if (puts_++ == cut_after_) files_.power_cut();
      auto placed = co_await access_->put(*stream, records);
      if (puts_ > cut_after_) co_return;  // what is answered after the cut, nobody hears
      if (placed && !placed->front().error)
        acknowledged_.push_back({placed->front().shard, placed->front().sequence, text});
      clock_.advance(Millis(random_.below(400)));
    }
  }

  io::Task<> reshard() {
    for (int i = 0; i < 4 && puts_ <= cut_after_; ++i) {
      auto stream = access_->find("s");
      if (!stream) co_return;
      auto wanted = static_cast<int32_t>(1 + random_.below(5));
      (void)co_await access_->set_shard_count(*stream, wanted);
    }
  }

  void check() {
    auto stream = access_->find("s");
    ASSERT_TRUE(stream) << stream.error().text();
    std::map<std::string, std::string> there;
    HashKey covered = 0;
    for (int32_t number : (*stream)->open) covered += range_size(*(*stream)->find_shard(number));
    EXPECT_EQ(to_decimal(covered), "0") << "2^128 keys wrap around";
    for (const Shard& shard : (*stream)->shards) {
      for (const Shard* child : (*stream)->children_of(shard.number))
        EXPECT_LT(*shard.ending_sequence(), child->starting_sequence());
      auto read = wait(access_->look(*stream, shard.number, {}, {}));
      ASSERT_TRUE(read) << read.error().text();
      std::string last = shard.starting_sequence();
      for (const RecordOut& record : read->records) {
        std::string sequence = shard.sequence_of(record.offset, record.timestamp_ms);
        EXPECT_LT(last, sequence);
        last = sequence;
        there[sequence] = *record.value;
      }
    }
    for (const Acknowledged& one : acknowledged_)
      ASSERT_EQ(there[one.sequence], one.text) << one.sequence << " of shard " << one.shard;
    // What is there stays there: the next rounds ask for it again.
  }

  static HashKey range_size(const Shard& shard) { return shard.range.last - shard.range.first + 1; }

  struct Acknowledged {
    int32_t shard = 0;
    std::string sequence;
    std::string text;
  };

  Random random_;
  io::Runtime& runtime_;
  kit::MemoryFiles files_;
  int cut_after_ = 0;
  int puts_ = 0;
  int count_ = 0;
  std::vector<Acknowledged> acknowledged_;
};

TEST(StreamsPowerCut, nothing_acknowledged_is_lost) {
  set_log_level(Level::error);
  io::Runtime runtime({.loops = 1, .disk_threads = 2, .work_threads = 1});
  for (uint64_t i = 0; i < 25 && !testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE("seed " + std::to_string(kit::seed() + i));
    StreamLife(kit::seed() + i, runtime).run();
  }
  set_log_level(Level::info);
}

}  // namespace
}  // namespace pinpipe::broker
