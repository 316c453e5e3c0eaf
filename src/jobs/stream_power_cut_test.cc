// Power is cut while the stream job commits to a local disk that keeps only what was synced; the
// store fails now and then, or is full, and the stream gets new shards. After each cut the job goes
// on, and at the end every record is in the table or in quarantine once.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "jobs/stream.h"
#include "kit/fake_clock.h"
#include "kit/memory_files.h"
#include "kit/memory_topics.h"
#include "kit/seed.h"
#include "kit/temporary_directory.h"
#include "lake/scan.h"
#include "objects/directory_store.h"
#include "project/embedded.h"
#include "project/load.h"

namespace pinpipe::jobs {
namespace {

constexpr uint64_t seeds = 6;  // of a usual run

// What a store that cannot do what it is told does.
enum class Failure {
  refuses,   // before anything is changed: a full disk
  is_quiet,  // the change happens, and nobody hears of it
};

// A DirectoryStore on a disk that can lose power. The database writes and reads real files, which
// stand for its memory: they come and go through adopt() and materialize().
class FragileStore final : public objects::Store {
 public:
  FragileStore(uint64_t seed, io::Pool& disk) : files_(seed), disk_(disk) { restore_power(); }

  // So many changes fail so, after so many that do not.
  void fail(Failure how, uint64_t after, uint64_t count) {
    failure_ = how;
    well_left_ = after;
    failing_left_ = count;
  }

  // The `change`-th change from now is the last one before the cut.
  void cut_after(uint64_t change) { changes_left_ = change; }
  bool has_power() const { return !is_cut_; }
  void restore_power() {
    is_cut_ = false;
    changes_left_ = UINT64_MAX;
    inner_ = std::make_unique<objects::DirectoryStore>(
        objects::LocalOptions{.root = "/lake", .files = &files_, .clock = &no_time_}, disk_);
  }
  const std::string& directory() const { return real_.path(); }

  io::Task<Status> create_bucket(std::string name) override {
    co_return co_await inner_->create_bucket(std::move(name));
  }
  io::Task<Status> remove_bucket(std::string name) override {
    co_return co_await inner_->remove_bucket(std::move(name));
  }
  io::Task<Result<std::vector<objects::BucketFacts>>> list_buckets() override {
    co_return co_await inner_->list_buckets();
  }
  io::Task<Result<objects::BucketFacts>> find_bucket(std::string name) override {
    co_return co_await inner_->find_bucket(std::move(name));
  }
  io::Task<Result<objects::ObjectFacts>> put(std::string bucket, std::string key, std::string bytes,
                                             objects::Attributes attributes,
                                             objects::Condition condition) override {
    if (is_cut_) co_return no_power();
    bool fails = is_failing();
    if (fails && failure_ == Failure::refuses)
      co_return Error(Code::unavailable, "No space left on device");
    auto done = co_await inner_->put(std::move(bucket), std::move(key), std::move(bytes),
                                     std::move(attributes), std::move(condition));
    count_change();
    if (is_cut_) co_return no_power();
    if (fails) co_return Error(Code::timeout, "the store does not answer");
    co_return done;
  }
  io::Task<Result<objects::ObjectFacts>> adopt(std::string bucket, std::string temporary_path,
                                               std::string key, objects::Attributes attributes,
                                               objects::Condition condition,
                                               std::string /*etag*/) override {
    auto bytes = io::posix_files().read_all(temporary_path);
    (void)io::posix_files().remove(temporary_path);
    if (!bytes) co_return bytes.error();
    co_return co_await put(std::move(bucket), std::move(key), std::move(*bytes),
                           std::move(attributes), std::move(condition));
  }
  std::string new_temporary() override {
    return fmt::format("{}/{}", real_.path(), next_temporary_.fetch_add(1));
  }
  io::Task<Result<objects::ObjectFacts>> head(std::string bucket, std::string key) override {
    if (is_cut_) co_return no_power();
    co_return co_await inner_->head(std::move(bucket), std::move(key));
  }
  io::Task<Result<std::unique_ptr<objects::OpenObject>>> open(std::string bucket,
                                                              std::string key) override {
    if (is_cut_) co_return no_power();
    co_return co_await inner_->open(std::move(bucket), std::move(key));
  }
  io::Task<Result<std::string>> get(std::string bucket, std::string key,
                                    std::optional<objects::ByteRange> range) override {
    if (is_cut_) co_return no_power();
    co_return co_await inner_->get(std::move(bucket), std::move(key), range);
  }
  io::Task<Status> remove(std::string bucket, std::string key,
                          objects::Condition condition) override {
    if (is_cut_) co_return no_power();
    Status done = co_await inner_->remove(std::move(bucket), std::move(key), std::move(condition));
    count_change();
    co_return done;
  }
  io::Task<Result<objects::ObjectFacts>> copy(std::string from_bucket, std::string from_key,
                                              std::string to_bucket, std::string to_key,
                                              std::optional<objects::Attributes> attributes,
                                              objects::Condition condition) override {
    co_return co_await inner_->copy(std::move(from_bucket), std::move(from_key),
                                    std::move(to_bucket), std::move(to_key), std::move(attributes),
                                    std::move(condition));
  }
  io::Task<Result<objects::Listing>> list(std::string bucket, objects::ListQuery query) override {
    if (is_cut_) co_return no_power();
    co_return co_await inner_->list(std::move(bucket), std::move(query));
  }
  io::Task<Result<Pinned>> materialize(std::string bucket, std::string key) override {
    auto bytes = co_await get(std::move(bucket), std::move(key), std::nullopt);
    if (!bytes) co_return bytes.error();
    std::string path = new_temporary();
    Status written = io::posix_files().replace(path, *bytes);
    if (!written) co_return written.error();
    std::shared_ptr<void> keep(nullptr, [path](void*) { (void)io::posix_files().remove(path); });
    co_return Pinned{path, std::move(keep)};
  }

 private:
  static Error no_power() { return Error(Code::unavailable, "the power is cut"); }
  bool is_failing() {
    if (well_left_ > 0) {
      --well_left_;
      return false;
    }
    if (failing_left_ == 0) return false;
    --failing_left_;
    return true;
  }
  void count_change() {
    if (is_cut_ || --changes_left_ > 0) return;
    is_cut_ = true;
    files_.power_cut();
  }

  kit::MemoryFiles files_;
  io::Pool& disk_;
  // These files have no time of change: the store must not take a listing of them for unchanged.
  kit::FakeClock no_time_{0};
  kit::TemporaryDirectory real_;
  std::unique_ptr<objects::DirectoryStore> inner_;
  // All on one loop.
  bool is_cut_ = false;
  uint64_t changes_left_ = UINT64_MAX;
  Failure failure_ = Failure::refuses;
  uint64_t well_left_ = 0;
  uint64_t failing_left_ = 0;
  std::atomic<uint64_t> next_temporary_{0};
};

class StreamLives {
 public:
  explicit StreamLives(uint64_t seed) : random_(seed), store_(seed, runtime_.disk()) {
    auto loaded = project::load(project::embedded_project(), {});
    project_ = std::move(*loaded.project);
    std::erase_if(project_.datasets, [](const auto& dataset) { return dataset.name != "geo"; });
    topics_.set_auto_create(false);
  }

  void run() {
    EXPECT_TRUE(wait(store_.create_bucket("lake")));
    std::string stream = project_.datasets[0].stream;
    ASSERT_TRUE(wait(topics_.create({.name = stream, .partitions = 2, .configs = {}})));
    for (int life = 0; life < 5; ++life) {
      send(stream, 1 + static_cast<int>(random_.below(30)));
      if (random_.below(3) == 0) {
        topics_.add_partition(stream);
        ++shards_;
      }
      if (random_.below(2) == 0)
        store_.fail(random_.below(2) == 0 ? Failure::refuses : Failure::is_quiet, random_.below(4),
                    1 + random_.below(3));
      store_.cut_after(1 + random_.below(8));
      live(Millis{250});
      store_.restore_power();
    }
    live(Millis{60'000});
    EXPECT_EQ(marks("", "ind"), good_);
    EXPECT_EQ(marks("_quarantine", "cast(substr(bytes, 5) as integer)"), bad_);
  }

 private:
  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(runtime_.loop(0), std::move(task));
  }

  void send(const std::string& stream, int count) {
    for (int i = 0; i < count; ++i) {
      int number = next_++;
      bool is_bad = random_.below(5) == 0;
      (is_bad ? bad_ : good_) += fmt::format("{} ", number);
      std::string value = is_bad ? fmt::format("bad {}", number)
                                 : fmt::format(R"({{"ind":{},"country":"Chad"}})", number);
      broker::RecordIn record;
      record.value = value;
      record.partition = number % shards_;
      auto placed = wait(topics_.produce(stream, std::span(&record, 1), broker::Acks::committed));
      ASSERT_TRUE(placed && !placed->front().error);
    }
  }

  // One life of the job: until all is committed, or the power goes.
  void live(Millis at_most) {
    StreamJob job({.project = &project_,
                   .topics = &topics_,
                   .lake = &services_,
                   .lake_bucket = "lake",
                   .loop = &runtime_.loop(0),
                   .clock = &clock_,
                   .engine = engine_options()});
    io::Scope scope(runtime_.loop(0));
    io::run_on(runtime_.loop(0), [](io::Scope& in, StreamJob& one) -> io::Task<> {
      in.spawn("stream job", one.run());
      co_return;
    }(scope, job));
    auto drained = wait(job.drain(io::after(at_most)));
    EXPECT_TRUE(drained || at_most < Millis{60'000}) << drained.error().text();
    io::run_on(runtime_.loop(0), [](io::Scope& in) -> io::Task<> {
      in.cancel();
      co_await in.join();
    }(scope));
  }

  std::string marks(const std::string& ending, const std::string& mark) {
    lake::Location place{"lake", project_.datasets[0].tables.stream + ending};
    auto table = wait(lake::Table::open(services_, place));
    if (!table) return table.error().code() == Code::not_found ? "" : table.error().text();
    auto scanned = wait(lake::scan(services_, place, (*table)->snapshot()));
    if (!scanned) return scanned.error().text();
    auto connection = services_.connect();
    auto rows = (*connection)
                    ->query(fmt::format("SELECT {} FROM ({}) ORDER BY 1", mark, scanned->select),
                            {.rows_max = 100'000});
    if (!rows) return rows.error().text();
    std::string text;
    for (const sql::Row& row : rows->rows) text += sql::to_text(row[0]) + " ";
    return text;
  }

  sql::Engine::Options engine_options() const {
    return {.threads = 1,
            .memory_bytes = 200 << 20,
            .temp_root = store_.directory(),
            .readable_directories = {}};
  }

  Random random_;
  kit::FakeClock clock_;
  io::Runtime runtime_{{.loops = 1, .disk_threads = 2, .work_threads = 1}};
  FragileStore store_;
  kit::MemoryTopics topics_{clock_};
  project::Project project_;
  lake::Services services_{.store = store_,
                           .work = runtime_.work(),
                           .clock = clock_,
                           .connect = [this]() -> Result<std::unique_ptr<sql::Connection>> {
                             auto engine = sql::Engine::open(engine_options());
                             if (!engine) return engine.error();
                             return (*engine)->connect();
                           }};
  int next_ = 0;
  int shards_ = 2;
  std::string good_;
  std::string bad_;
};

TEST(StreamPowerCut, every_record_is_there_once_whatever_the_disk_lost) {
  for (uint64_t round = 0; round < kit::rounds(seeds); ++round) {
    SCOPED_TRACE(fmt::format("seed {}", kit::seed() + round));
    StreamLives(kit::seed() + round).run();
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace pinpipe::jobs
