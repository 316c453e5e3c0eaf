// Lives of one table on a disk that loses power at any of its operations, from a seed. In each two
// processes append, and one of them optimizes, writes checkpoints and vacuums. After each: the
// table can be read, each writer's rows are those its transactions tell of, once, and none that was
// acknowledged is lost. At the end vacuum finds all files that no version names, and only these.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <set>

#include "base/random.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/fake_clock.h"
#include "kit/memory_files.h"
#include "kit/seed.h"
#include "kit/temporary_directory.h"
#include "lake/optimize.h"
#include "lake/scan.h"
#include "lake/table.h"
#include "lake/vacuum.h"
#include "objects/directory_store.h"
#include "sql/engine.h"

namespace pinpipe::lake {
namespace {

constexpr uint64_t seeds = 8;
constexpr int lives = 3;
constexpr int64_t batch_rows = 5;
constexpr int64_t hour_ms = 3'600'000;

// The SQL engine writes and reads Parquet on the machine's own disk: what it wrote to a temporary
// name is taken into memory, unsynced, when it is opened there, and what is to be read is put under
// its name on the machine's disk as well.
class BridgedFiles final : public io::Files {
 public:
  BridgedFiles(kit::MemoryFiles& memory, Clock& clock) : memory_(memory), clock_(clock) {}

  Result<std::unique_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override {
    auto written = io::posix_files().read_all(path);
    if (written && !memory_.exists(path)) {
      auto file = memory_.open(path, io::OpenMode::create_new);
      if (!file) return file.error();
      if (Status copied = (*file)->write_at(*written, 0); !copied) return copied.error();
      (void)io::posix_files().remove(path);
    }
    return memory_.open(path, mode);
  }
  // A file was changed when it was first seen; directories have no time.
  Result<io::FileFacts> facts(const std::string& path) override {
    auto facts = memory_.facts(path);
    if (!facts || facts->is_directory) return facts;
    std::lock_guard lock(mutex_);
    facts->modified_ms = seen_ms_.try_emplace(facts->inode, clock_.wall_ms()).first->second;
    return facts;
  }
  Result<std::vector<io::DirEntry>> list(const std::string& directory) override {
    return memory_.list(directory);
  }
  Status make_directories(const std::string& directory) override {
    if (directory.ends_with("/tmp")) (void)io::posix_files().make_directories(directory);
    return memory_.make_directories(directory);
  }
  Status remove(const std::string& path) override {
    (void)io::posix_files().remove(path);
    return memory_.remove(path);
  }
  Status rename(const std::string& from, const std::string& to) override {
    return memory_.rename(from, to);
  }
  Status link(const std::string& from, const std::string& to) override {
    Status linked = memory_.link(from, to);
    if (!linked || !to.contains("/.pinpipe/tmp/")) return linked;
    auto bytes = memory_.read_all(to);
    if (!bytes) return bytes.error();
    auto file = io::posix_files().open(to, io::OpenMode::create_new);
    return file ? (*file)->write_at(*bytes, 0) : Status(file.error());
  }
  Status sync_directory(const std::string& directory) override {
    return memory_.sync_directory(directory);
  }
  Result<uint64_t> free_bytes(const std::string& directory) override {
    return memory_.free_bytes(directory);
  }

 private:
  kit::MemoryFiles& memory_;
  Clock& clock_;
  std::mutex mutex_;
  std::map<uint64_t, int64_t> seen_ms_;  // by inode
};

// One engine for all lives: it has nothing on the disk that loses power.
struct House {
  io::Runtime runtime{{.loops = 1, .disk_threads = 2, .work_threads = 2}};
  kit::TemporaryDirectory directory;
  std::shared_ptr<sql::Engine> engine = open_engine(directory.path());

  static std::shared_ptr<sql::Engine> open_engine(const std::string& path) {
    auto opened = sql::Engine::open({.threads = 1, .temp_root = path, .readable_directories = {}});
    CHECK(opened.has_value(), "an engine");
    return std::move(*opened);
  }
};

class TableLives {
 public:
  TableLives(uint64_t seed, House& house) : random_(seed), house_(house), memory_(seed) {}
  ~TableLives() { (void)io::posix_files().remove_tree(root_); }

  // What is wrong; empty when all is well. Syncs of the directory whose name ends so are forgotten,
  // or of what is in it where a slash follows.
  std::string run(const std::string& forgotten_sync) {
    CHECK(memory_.make_directories(root_), "a disk");
    for (std::string at = root_; at != "/"; at = io::parent_directory(at))
      CHECK(memory_.sync_directory(io::parent_directory(at)), "a disk");
    open_store();
    CHECK(wait(store_->create_bucket("lake")), "a bucket");
    TableOptions options;
    options.properties["delta.checkpointInterval"] = "3";
    Schema schema{{Field{.name = "app", .type = *type_of_sql("VARCHAR")},
                   Field{.name = "n", .type = *type_of_sql("BIGINT")}}};
    CHECK(wait(Table::create(*services_, place(), schema, options)), "a table");
    if (forgotten_sync.ends_with('/')) {
      memory_.ignore_syncs_within(forgotten_sync);
    } else if (!forgotten_sync.empty()) {
      memory_.ignore_syncs_of(forgotten_sync);
    }
    for (int life = 0; life < lives && trouble_.empty(); ++life) {
      memory_.cut_power_after(random_.below(200));
      live();
      memory_.power_off();
      memory_.power_on();
      open_store();
      check();
    }
    if (trouble_.empty()) check_orphans();
    return trouble_;
  }
  static uint64_t files_vacuumed() { return vacuumed; }

 private:
  static Location place() { return {"lake", "t"}; }
  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(house_.runtime.loop(0), std::move(task));
  }
  void is_wrong(std::string what) {
    if (trouble_.empty()) trouble_ = std::move(what);
  }

  void open_store() {
    store_ = std::make_unique<objects::DirectoryStore>(
        objects::LocalOptions{.root = root_, .files = &files_, .clock = &no_time_},
        house_.runtime.disk());
    services_ = std::make_unique<Services>(*store_, house_.runtime.work(), clock_,
                                           [this] { return house_.engine->connect(); });
  }

  void live() {
    std::array<uint64_t, 2> turns{};
    for (uint64_t& count : turns) count = 3 + random_.below(6);
    uint64_t first_chore = random_.below(4);
    auto all = [&]() -> io::Task<> {
      io::Scope scope(io::Loop::current());
      scope.spawn("first", write("first", turns[0], first_chore));
      scope.spawn("second", write("second", turns[1], 4));
      co_await scope.join();
    };
    io::run_on(house_.runtime.loop(0), all());
  }

  // Ends with the power: every later operation fails. `chore` 4 is none at all.
  io::Task<> write(std::string app, uint64_t turns, uint64_t chore) {
    auto table = co_await Table::open(*services_, place());
    if (!table) co_return;
    for (uint64_t turn = 0; turn < turns && memory_.has_power(); ++turn) {
      auto snapshot = co_await (*table)->refresh();
      if (!snapshot) co_return;
      int64_t done = (*snapshot)->txn_version(app).value_or(-1);
      CommitFacts facts;
      facts.txns.push_back({.app_id = app, .version = done + 1, .expected = done});
      auto data = co_await house_.runtime.work().run([&] { return batch(app, done + 1); });
      if (!data) co_return;
      auto version =
          co_await (*table)->write(WriteMode::append, std::move(*data), std::move(facts));
      if (version) acknowledged_[app] = done + 1;
      if (chore != 4) (void)co_await keep(**table, chore++ % 4);
    }
  }

  io::Task<> keep(Table& table, uint64_t chore) {
    if (chore == 0) (void)co_await optimize(table);
    if (chore == 1) (void)co_await table.checkpoint();
    if (chore == 2)
      (void)co_await vacuum(table, {.retention_ms = 0, .allow_short_retention = true});
  }

  Result<Encoded> batch(const std::string& app, int64_t number) {
    auto connection = house_.engine->connect();
    if (!connection) return connection.error();
    return encode(**connection,
                  fmt::format("SELECT '{}' AS app, i AS n FROM range({}, {}) AS r(i)", app,
                              number * batch_rows, (number + 1) * batch_rows),
                  store_->new_temporary());
  }

  Result<sql::Table> tally(const std::shared_ptr<const Snapshot>& snapshot) {
    auto rows = wait(scan(*services_, place(), snapshot));
    if (!rows) return rows.error();
    auto connection = house_.engine->connect();
    if (!connection) return connection.error();
    return (*connection)
        ->query(fmt::format("SELECT app, count(*), count(DISTINCT n), max(n) FROM ({}) GROUP BY "
                            "app",
                            rows->select),
                {.rows_max = 10});
  }

  void check() {
    auto table = wait(Table::open(*services_, place()));
    if (!table) return is_wrong("the table cannot be opened: " + table.error().text());
    auto snapshot = (*table)->snapshot();
    auto rows = tally(snapshot);
    if (!rows) return is_wrong("the rows cannot be read: " + rows.error().text());
    std::map<std::string, std::array<int64_t, 3>> found;
    for (const sql::Row& row : rows->rows) {
      auto& counts = found[*row[0].get_if<std::string>()];
      for (size_t i = 0; i < 3; ++i) counts[i] = *row[i + 1].get_if<int64_t>();
    }
    for (const std::string& app : {std::string("first"), std::string("second")}) {
      int64_t done = snapshot->txn_version(app).value_or(-1);
      int64_t want = (done + 1) * batch_rows;
      auto counts = found.contains(app) ? found[app] : std::array<int64_t, 3>{0, 0, -1};
      if (counts != std::array{want, want, want - 1})
        is_wrong(fmt::format("{} has {} rows, {} different, where {} are told of", app, counts[0],
                             counts[1], want));
      if (acknowledged_.contains(app) && acknowledged_[app] > done)
        is_wrong(
            fmt::format("{}: {} was acknowledged, {} is there", app, acknowledged_[app], done));
    }
  }

  std::set<std::string> data_files() {
    objects::ListQuery query;
    query.prefix = "t/";
    query.count_max = 10'000;
    std::set<std::string> names;
    auto listing = wait(store_->list("lake", query));
    if (!listing) is_wrong("the table cannot be listed: " + listing.error().text());
    for (const auto& object : listing ? listing->objects : std::vector<objects::ObjectFacts>()) {
      if (object.key.starts_with("t/part-")) names.insert(object.key.substr(2));
    }
    return names;
  }

  void check_orphans() {
    (void)data_files();  // whatever is there is old from now on
    clock_.advance(Millis(2 * hour_ms));
    auto table = wait(Table::open(*services_, place()));
    if (!table) return is_wrong("the table cannot be opened: " + table.error().text());
    std::set<std::string> before = data_files();
    auto gone = wait(vacuum(**table, {.retention_ms = 0, .allow_short_retention = true}));
    if (!gone) return is_wrong("vacuum: " + gone.error().text());
    std::set<std::string> live;
    for (const FilePtr& file : (*table)->snapshot()->files()) live.insert(file->path);
    if (data_files() != live) is_wrong("vacuum left other files than the live ones");
    if (before.size() != live.size() + gone->files.size()) is_wrong("vacuum miscounted");
    vacuumed += gone->files.size();
    check();
  }

  static inline uint64_t vacuumed = 0;

  Random random_;
  House& house_;
  kit::TemporaryDirectory disk_;
  std::string root_ = disk_.path() + "/lake";
  kit::FakeClock clock_;
  kit::FakeClock no_time_{0};  // see power_cut_test.cc
  kit::MemoryFiles memory_;
  BridgedFiles files_{memory_, clock_};
  std::unique_ptr<objects::DirectoryStore> store_;
  std::unique_ptr<Services> services_;
  std::map<std::string, int64_t> acknowledged_;
  std::string trouble_;
};

struct TableLivesTest : testing::Test {
  House house;
};

TEST_F(TableLivesTest, whenever_the_power_goes_rows_are_there_once_and_only_orphans_are_left) {
  for (uint64_t i = 0; i < seeds; ++i)
    ASSERT_EQ(TableLives(kit::seed() + i, house).run(""), "") << "seed " << kit::seed() + i;
  EXPECT_GT(TableLives::files_vacuumed(), 0U);
}

TEST_F(TableLivesTest, a_forgotten_sync_would_be_found) {
  // The files' content, the log's names, the data files' names.
  for (const char* sync : {"/.pinpipe/tmp/", "/t/_delta_log", "/lake/t"}) {
    bool found = false;
    for (uint64_t i = 0; i < 4 * seeds && !found; ++i)
      found = !TableLives(kit::seed() + i, house).run(sync).empty();
    EXPECT_TRUE(found) << sync;
  }
}

}  // namespace
}  // namespace pinpipe::lake
