// Power is cut while writers commit on a local disk that keeps only what was synced: what was
// acknowledged is there, whole, and the log has neither gaps nor torn commits.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "base/random.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/fake_clock.h"
#include "kit/memory_files.h"
#include "kit/seed.h"
#include "lake/table.h"
#include "objects/directory_store.h"

namespace pinpipe::lake {
namespace {

constexpr uint64_t seeds = 25;

class PowerCut {
 public:
  explicit PowerCut(uint64_t seed) : random_(seed), files_(seed) {}

  void run() {
    open_store();
    ASSERT_TRUE(wait(store_->create_bucket("lake")));
    TableOptions options;
    options.properties["delta.checkpointInterval"] = "100000";
    Schema schema{{Field{.name = "n", .type = *type_of_sql("BIGINT")}}};
    ASSERT_TRUE(wait(Table::create(*services_, place(), schema, options)));
    for (int round = 0; round < 4; ++round) {
      write_some();
      if (::testing::Test::HasFatalFailure()) return;
      files_.power_cut();
      open_store();
      check();
      if (::testing::Test::HasFailure()) return;
    }
  }

 private:
  static Location place() { return {"lake", "t"}; }
  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(runtime_.loop(0), std::move(task));
  }

  void open_store() {
    store_ = std::make_unique<objects::DirectoryStore>(
        objects::LocalOptions{.root = "/lake", .files = &files_, .clock = &no_time_},
        runtime_.disk());
    services_ = std::make_unique<Services>(
        *store_, runtime_.work(), clock_,
        []() -> Result<std::unique_ptr<sql::Connection>> { return Error(Code::internal, "none"); });
  }

  // A few writers at once; power may go at any sync of any of them, so all that is not
  // acknowledged may or may not be there.
  void write_some() {
    auto write_all = [this]() -> io::Task<> {
      io::Scope scope(io::Loop::current());
      for (int writer = 0; writer < 3; ++writer) scope.spawn("writer", write(writer));
      co_await scope.join();
    };
    io::run_on(runtime_.loop(0), write_all());
  }

  io::Task<> write(int writer) {
    auto table = co_await Table::open(*services_, place());
    EXPECT_TRUE(table) << table.error().text();
    if (!table) co_return;
    std::string app = fmt::format("writer {}", writer);
    uint64_t commits = 1 + random_.below(4);
    for (uint64_t i = 0; i < commits; ++i) {
      std::string name = new_data_file_name(0);
      std::string bytes(1 + random_.below(5000), static_cast<char>('a' + writer));
      auto put = co_await store_->put("lake", place().key(name), bytes, {}, {});
      EXPECT_TRUE(put);
      CommitPlan plan;
      plan.info = new_commit_info(clock_, "WRITE");
      plan.txns.push_back(Txn{.app_id = app, .version = next_txn_[app]++});
      plan.adds.push_back(AddFile{.path = name, .size = static_cast<int64_t>(bytes.size())});
      auto base = co_await (*table)->refresh();
      EXPECT_TRUE(base);
      if (!base) co_return;
      auto version = co_await (*table)->commit(std::move(plan), *base);
      EXPECT_TRUE(version) << version.error().text();
      if (version) acknowledged_[name] = bytes;
    }
  }

  void check() {
    auto table = wait(Table::open(*services_, place()));
    ASSERT_TRUE(table) << table.error().text();
    auto snapshot = (*table)->snapshot();
    EXPECT_EQ(static_cast<size_t>(snapshot->version()), snapshot->files().size());
    std::set<std::string> there;
    for (const FilePtr& file : snapshot->files()) {
      auto bytes = wait(store_->get("lake", place().key(file->path), std::nullopt));
      ASSERT_TRUE(bytes) << file->path << ": " << bytes.error().text();
      EXPECT_EQ(static_cast<int64_t>(bytes->size()), file->size);
      there.insert(file->path);
    }
    for (const auto& [name, bytes] : acknowledged_) {
      EXPECT_TRUE(there.contains(name)) << "an acknowledged commit is gone";
    }
  }

  Random random_;
  kit::MemoryFiles files_;
  kit::FakeClock clock_;
  // These files have no time of change: the store must not take a listing of them for unchanged.
  kit::FakeClock no_time_{0};
  io::Runtime runtime_{{.loops = 1, .disk_threads = 2, .work_threads = 1}};
  std::unique_ptr<objects::DirectoryStore> store_;
  std::unique_ptr<Services> services_;
  std::map<std::string, int64_t> next_txn_;
  std::map<std::string, std::string> acknowledged_;
};

TEST(LakePowerCut, what_was_acknowledged_is_there_and_whole) {
  for (uint64_t round = 0; round < seeds; ++round) {
    SCOPED_TRACE(fmt::format("seed {}", kit::seed() + round));
    PowerCut(kit::seed() + round).run();
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace pinpipe::lake
