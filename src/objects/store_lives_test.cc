// Lives of a bucket store and its uploads in parts, from a seed, each ended by a power cut at any
// of the disk's operations, or closed just before: what was acknowledged is there whole, what was
// on its way is there whole or not at all, nothing else is, and no debris is left.
#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <set>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/random.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/fake_clock.h"
#include "kit/memory_files.h"
#include "kit/seed.h"
#include "objects/bucket_store.h"
#include "objects/uploads.h"

namespace pinpipe::objects {
namespace {

constexpr uint64_t seeds = 12;
constexpr const char* root = "/data/buckets";

// What a key or a part may hold after a crash. Nothing: it is not there.
using MayBe = std::set<std::optional<std::string>>;

// Syncs of paths with this in them or at their end, which answer ok and do nothing.
struct Forgotten {
  std::string within = {};
  std::string suffix = {};
};

struct PendingUpload {
  std::string id;
  std::string key;
  std::map<int, MayBe> parts;
  bool maybe_gone = false;  // its end was under way
};

class StoreLives {
 public:
  StoreLives(uint64_t seed, io::Runtime& runtime)
      : random_(seed), runtime_(runtime), files_(seed), clock_(1'000'000) {}

  // What was lost, half there or left over; empty when all is well.
  std::string run(const Forgotten& forgotten) {
    CHECK(files_.make_directories("/data") && files_.sync_directory("/"), "a disk");
    if (!forgotten.within.empty()) files_.ignore_syncs_within(forgotten.within);
    if (!forgotten.suffix.empty()) files_.ignore_syncs_of(forgotten.suffix);
    for (int life = 0; life < 8 && trouble_.empty(); ++life) {
      open();
      if (trouble_.empty() && life == 0) make_bucket();
      if (trouble_.empty()) check();
      if (trouble_.empty()) live();
      end_life();
    }
    if (trouble_.empty()) open();
    if (trouble_.empty()) check();
    if (trouble_.empty()) check_debris();
    return trouble_;
  }

 private:
  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(runtime_.loop(0), std::move(task));
  }
  void is_wrong(std::string what) {
    if (trouble_.empty()) trouble_ = std::move(what);
  }

  void open() {
    LocalOptions options{.root = root, .files = &files_, .clock = &clock_};
    auto opened = BucketStore::open(options, runtime_.disk());
    if (!opened) return is_wrong("open: " + opened.error().text());
    store_ = std::move(*opened);
    uploads_ = std::make_unique<Uploads>(options, runtime_.disk());
  }

  void make_bucket() {
    if (!wait(store_->create_bucket("box"))) is_wrong("the bucket cannot be made");
  }

  void live() {
    files_.cut_power_after(random_.below(120));
    for (uint64_t n = 1 + random_.below(4); n > 0 && files_.has_power(); --n)
      io::run_on(runtime_.loop(0), act_at_once(*this));
  }

  void end_life() {
    // A clean end syncs the files and forgets the journal: they must be there without it.
    bool is_clean = random_.below(3) == 0;
    if (is_clean) files_.cut_power_after(UINT64_MAX);
    if (is_clean) store_.reset();
    files_.power_off();
    store_.reset();
    uploads_.reset();
    files_.power_on();
  }

  // Several clients at once, each with keys and uploads of its own.
  static io::Task<> act_at_once(StoreLives& lives) {
    io::Scope scope(lives.runtime_.loop(0));
    for (int client = 0; client < 3; ++client) {
      std::vector<uint64_t> draws;
      for (int i = 0; i < 12; ++i) draws.push_back(lives.random_.next());
      scope.spawn("client", lives.act(client, std::move(draws)));
    }
    co_await scope.join();
  }

  io::Task<> act(int client, std::vector<uint64_t> draws) {
    for (size_t i = 0; i + 4 <= draws.size(); i += 4) {
      std::string key = fmt::format("c{}/{}", client, (draws[i] >> 8) % 3 == 0 ? "a" : "a/b");
      std::string value = value_of(draws[i + 1], draws[i + 2]);
      switch (draws[i] % 8) {
        case 0:
        case 1:
        case 2:
          co_await put(key, std::move(value), draws[i + 3] % 3 == 0);
          break;
        case 3:
          co_await remove(key);
          break;
        case 4:
          co_await copy(key, key + "-copy");
          break;
        default:
          co_await upload(client, key, std::move(value), draws[i + 3]);
      }
    }
  }

  static std::string value_of(uint64_t letter, uint64_t size) {
    constexpr size_t sizes[] = {0, 1, 700, 3'000, 300'000};
    return std::string(sizes[size % std::size(sizes)], static_cast<char>('a' + letter % 26));
  }

  MayBe& at(const std::string& key) {
    auto [found, fresh] = may_be_.try_emplace(key);
    if (fresh) found->second = {std::nullopt};
    return found->second;
  }
  static void settle(MayBe& may_be, bool acknowledged, std::optional<std::string> value) {
    if (acknowledged) may_be = {std::move(value)};
  }

  io::Task<> put(std::string key, std::string value, bool only_new) {
    MayBe& may_be = at(key);
    bool is_there = !may_be.contains(std::nullopt);
    if (!only_new || !is_there) may_be.insert(value);
    Attributes attributes{.content_type = "text/x", .user = {{"of", key}}, .system = {}};
    Condition condition{.if_absent = only_new, .if_etag = {}};
    auto done =
        co_await store_->put("box", key, value, std::move(attributes), std::move(condition));
    if (done && only_new && is_there) is_wrong("put-if-absent replaced " + key);
    settle(may_be, done.has_value(), std::move(value));
  }

  io::Task<> remove(std::string key) {
    MayBe& may_be = at(key);
    may_be.insert(std::nullopt);
    Status done = co_await store_->remove("box", key);
    settle(may_be, done.has_value(), std::nullopt);
  }

  io::Task<> copy(std::string key, std::string to) {
    MayBe source = at(key);
    MayBe& may_be = at(to);
    may_be.insert(source.begin(), source.end());
    auto done = co_await store_->copy("box", key, "box", to, std::nullopt, {});
    if (!done) co_return;
    source.erase(std::nullopt);
    may_be = std::move(source);
  }

  // One step of an upload in parts: begin, a part, or its end.
  io::Task<> upload(int client, std::string key, std::string value, uint64_t draw) {
    auto& mine = uploading_[client];
    if (mine.empty() || draw % 5 == 0) {
      auto id = co_await uploads_->create("box", key, {});
      if (id) mine.push_back({*id, key, {}, false});
      co_return;
    }
    PendingUpload& upload = mine.front();
    if (draw % 5 == 1) {
      upload.maybe_gone = true;
      Status gone = co_await uploads_->remove(upload.id);
      if (gone) mine.erase(mine.begin());
      co_return;
    }
    if (draw % 5 != 2 || upload.parts.empty())
      co_return co_await put_part(upload, static_cast<int>(1 + draw / 5 % 3), std::move(value));
    co_await complete(upload);
    if (upload.id.empty()) mine.erase(mine.begin());
  }

  io::Task<> put_part(PendingUpload& upload, int number, std::string value) {
    auto [found, fresh] = upload.parts.try_emplace(number);
    MayBe& may_be = found->second;
    may_be.insert(value);
    // While a part is replaced it is not there for a moment.
    may_be.insert(std::nullopt);
    PartFacts facts{.number = number, .md5_hex = to_hex(md5(value))};
    auto done = co_await uploads_->put_part(upload.id, std::move(facts), "", value);
    settle(may_be, done.has_value(), std::move(value));
  }

  io::Task<> complete(PendingUpload& upload) {
    auto parts = co_await uploads_->parts(upload.id);
    if (!parts || parts->empty()) co_return;
    std::vector<int> numbers;
    std::string expected;
    for (const PartFacts& part : *parts) {
      numbers.push_back(part.number);
      const MayBe& may_be = upload.parts[part.number];
      auto held = std::ranges::find_if(may_be, [&](const std::optional<std::string>& value) {
        return value && to_hex(md5(*value)) == part.md5_hex;
      });
      if (held == may_be.end()) co_return is_wrong("a part that nobody sent");
      expected += **held;
    }
    auto joined = co_await uploads_->join(upload.id, numbers, store_->new_temporary());
    if (!joined) co_return;
    MayBe& may_be = at(upload.key);
    may_be.insert(expected);
    upload.maybe_gone = true;
    auto stored = co_await store_->adopt("box", *joined, upload.key, {}, {}, "x-3");
    settle(may_be, stored.has_value(), std::move(expected));
    if (!stored) co_return;
    Status removed = co_await uploads_->remove(upload.id);
    if (removed) upload.id.clear();
  }

  void check() {
    for (auto& [key, may_be] : may_be_) {
      auto got = wait(store_->get("box", key, std::nullopt));
      if (!got && got.error().code() != Code::not_found)
        return is_wrong(key + ": " + got.error().text());
      std::optional<std::string> value;
      if (got) value = std::move(*got);
      if (!may_be.contains(value))
        return is_wrong(fmt::format(
            "{} has {}", key,
            value ? std::to_string(value->size()) + " other bytes" : std::string("nothing")));
      may_be = {std::move(value)};
    }
    check_listing();
    for (auto& [client, mine] : uploading_)
      std::erase_if(mine, [this](PendingUpload& upload) { return !is_still_there(upload); });
  }

  void check_listing() {
    std::set<std::string> expected, found;
    for (const auto& [key, may_be] : may_be_)
      if (!may_be.contains(std::nullopt)) expected.insert(key);
    auto listing = wait(store_->list("box", {}));
    if (!listing) return is_wrong("list: " + listing.error().text());
    for (const ObjectFacts& object : listing->objects) found.insert(object.key);
    if (found != expected) is_wrong("the listing is not what can be read");
  }

  bool is_still_there(PendingUpload& upload) {
    auto parts = wait(uploads_->parts(upload.id));
    if (!parts) {
      if (!upload.maybe_gone) is_wrong("an acknowledged upload is gone");
      return false;
    }
    for (auto& [number, may_be] : upload.parts) {
      auto part = std::ranges::find(*parts, number, &PartFacts::number);
      if (part == parts->end() && !may_be.contains(std::nullopt))
        is_wrong("an acknowledged part is gone");
    }
    return true;
  }

  // All that is left besides the objects: nothing that is on its way, no upload once they are
  // swept.
  void check_debris() {
    std::string reserved = fmt::format("{}/.pinpipe", root);
    auto temporaries = files_.list(reserved + "/tmp");
    if (temporaries && !temporaries->empty()) is_wrong("temporary files are left");
    clock_.advance(Millis(1'000'000));
    if (!wait(uploads_->remove_abandoned(clock_.wall_ms()))) is_wrong("uploads cannot be swept");
    auto uploads = files_.list(reserved + "/uploads");
    if (uploads && !uploads->empty()) is_wrong("uploads are left");
  }

  Random random_;
  io::Runtime& runtime_;
  kit::MemoryFiles files_;
  kit::FakeClock clock_;
  std::unique_ptr<BucketStore> store_;
  std::unique_ptr<Uploads> uploads_;
  std::map<std::string, MayBe> may_be_;
  std::map<int, std::vector<PendingUpload>> uploading_;
  std::string trouble_;
};

class StoreLivesTest : public testing::Test {
 protected:
  // How many of so many seeds lost something without these syncs.
  int found_without(const Forgotten& syncs, uint64_t tried) {
    int found = 0;
    for (uint64_t i = 0; i < tried; ++i)
      found += !StoreLives(kit::seed() + i, runtime).run(syncs).empty();
    return found;
  }
  io::Runtime runtime{{.loops = 1, .disk_threads = 3, .work_threads = 1}};
};

// The disk that these lives are lived on: entries belong to a directory, not to its name.
TEST(StoreLivesDisk, a_directory_made_anew_has_nothing_of_the_one_before) {
  for (uint64_t seed = kit::seed(); seed < kit::seed() + 20; ++seed) {
    kit::MemoryFiles files(seed);
    ASSERT_TRUE(files.make_directories("/data/a"));
    ASSERT_TRUE(files.open("/data/a/file", io::OpenMode::create_new));
    for (const char* path : {"/", "/data", "/data/a"}) ASSERT_TRUE(files.sync_directory(path));
    ASSERT_TRUE(files.remove("/data/a/file"));
    ASSERT_TRUE(files.remove("/data/a"));
    ASSERT_TRUE(files.sync_directory("/data"));
    ASSERT_TRUE(files.make_directories("/data/a"));
    ASSERT_TRUE(files.sync_directory("/data"));
    files.power_cut();
    EXPECT_TRUE(files.exists("/data/a"));
    EXPECT_FALSE(files.exists("/data/a/file")) << "seed " << seed;
  }
}

TEST_F(StoreLivesTest, nothing_acknowledged_is_lost_and_nothing_is_half_there) {
  for (uint64_t i = 0; i < seeds; ++i)
    ASSERT_EQ(StoreLives(kit::seed() + i, runtime).run({}), "") << "seed " << kit::seed() + i;
}

TEST_F(StoreLivesTest, a_forgotten_sync_would_be_found) {
  EXPECT_GT(found_without({.suffix = ".journal"}, seeds), 0);
  EXPECT_GT(found_without({.suffix = "/.pinpipe/journal"}, seeds), 0) << "its files' names";
  EXPECT_GT(found_without({.within = "/.pinpipe/tmp/"}, seeds), 0) << "large objects on their way";
  EXPECT_GT(found_without({.suffix = "/.pinpipe/tmp"}, seeds), 0) << "their names";
  EXPECT_GT(found_without({.within = "/buckets/box"}, seeds), 0) << "what the journal stood for";
  EXPECT_GT(found_without({.within = "/.pinpipe/uploads"}, seeds), 0) << "parts of uploads";
}

}  // namespace
}  // namespace pinpipe::objects
