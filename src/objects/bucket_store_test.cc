#include "objects/bucket_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/temporary_directory.h"

namespace pinpipe::objects {
namespace {

struct BucketStoreTest : testing::Test {
  kit::TemporaryDirectory directory;
  io::Runtime runtime{{.loops = 1, .disk_threads = 4, .work_threads = 1}};
  io::Files& files = io::posix_files();

  std::unique_ptr<Store> open() {
    auto store = BucketStore::open({.root = directory.path()}, runtime.disk());
    EXPECT_TRUE(store) << store.error().text();
    return std::move(*store);
  }
  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(runtime.loop(0), std::move(task));
  }
  std::string path(std::string_view relative) {
    return directory.path() + "/" + std::string(relative);
  }
  void write_segment(const std::vector<JournalRecord>& records, std::string_view tail = {}) {
    Journal journal(files, path(".pinpipe/journal"));
    ASSERT_TRUE(journal.replay([](const JournalRecord&) { return Status{}; }));
    std::string encoded;
    for (const JournalRecord& record : records) append_record(encoded, record);
    ASSERT_TRUE(journal.append(encoded + std::string(tail)));
  }
};

TEST_F(BucketStoreTest, objects_are_plain_files_and_a_clean_end_leaves_no_journal) {
  {
    auto store = open();
    ASSERT_TRUE(wait(store->create_bucket("box")));
    ASSERT_TRUE(wait(store->put("box", "topics/t/x.json", "{}\n", {}, {})));
    EXPECT_EQ(files.list(path(".pinpipe/journal"))->size(), 1U);
  }
  EXPECT_EQ(*files.read_all(path("box/topics/t/x.json")), "{}\n");
  EXPECT_TRUE(files.list(path(".pinpipe/journal"))->empty());
  EXPECT_TRUE(files.list(path(".pinpipe/tmp"))->empty());
  EXPECT_FALSE(files.exists(path("box/.pinpipe/attributes")));
}

TEST_F(BucketStoreTest, start_does_what_the_journal_promised_and_stops_at_a_torn_record) {
  {
    ASSERT_TRUE(wait(open()->create_bucket("box")));
  }
  std::string etag = "etag " + to_hex(md5("one")) + "\n";
  std::string torn;
  append_record(
      torn, {.bucket = "box", .key = "torn", .attributes = etag, .temporary = {}, .bytes = "one"});
  torn.pop_back();
  ASSERT_TRUE(files.replace(path(".pinpipe/tmp/1-7"), "adopted"));
  ASSERT_TRUE(files.replace(path(".pinpipe/tmp/1-8"), "never promised"));
  write_segment(
      {{.bucket = "box", .key = "a/b", .attributes = etag, .temporary = {}, .bytes = "one"},
       {.bucket = "box", .key = "gone", .attributes = etag, .temporary = {}, .bytes = "one"},
       {.kind = JournalRecord::Kind::adopt,
        .bucket = "box",
        .key = "big",
        .attributes = "etag 0\nuser.x 1\n",
        .temporary = "1-7",
        .bytes = {}},
       {.kind = JournalRecord::Kind::remove,
        .bucket = "box",
        .key = "gone",
        .attributes = "etag \n",
        .temporary = {},
        .bytes = {}},
       {.bucket = "elsewhere", .key = "k", .attributes = etag, .temporary = {}, .bytes = "one"}},
      torn);
  auto store = open();
  EXPECT_EQ(*wait(store->get("box", "a/b")), "one");
  EXPECT_EQ(*wait(store->get("box", "big")), "adopted");
  EXPECT_EQ(wait(store->head("box", "big"))->attributes.user.at("x"), "1");
  EXPECT_EQ(wait(store->head("box", "gone")).error().code(), Code::not_found);
  EXPECT_EQ(wait(store->head("box", "torn")).error().code(), Code::not_found);
  EXPECT_TRUE(files.list(path(".pinpipe/tmp"))->empty());
  EXPECT_TRUE(files.list(path(".pinpipe/journal"))->empty());
}

TEST_F(BucketStoreTest, a_large_object_that_did_not_reach_the_disk_whole_was_not_promised) {
  {
    ASSERT_TRUE(wait(open()->create_bucket("box")));
  }
  auto etag_of = [](std::string_view bytes) { return "etag " + to_hex(md5(bytes)) + "\n"; };
  std::string one = etag_of("one"), whole = etag_of("whole");
  auto adopt = [&](std::string_view key, std::string_view name) {
    return JournalRecord{.kind = JournalRecord::Kind::adopt_checked,
                         .bucket = "box",
                         .key = key,
                         .attributes = whole,
                         .temporary = name,
                         .bytes = {}};
  };
  ASSERT_TRUE(files.replace(path(".pinpipe/tmp/1-7"), "whole"));
  ASSERT_TRUE(files.replace(path(".pinpipe/tmp/1-8"), "who"));
  auto put = [&](std::string_view key) {
    return JournalRecord{
        .bucket = "box", .key = key, .attributes = one, .temporary = {}, .bytes = "one"};
  };
  write_segment(
      {put("a"), put("b"), put("c"), adopt("a", "1-7"), adopt("b", "1-8"), adopt("c", "1-9")});
  auto store = open();
  EXPECT_EQ(*wait(store->get("box", "a")), "whole");
  EXPECT_EQ(*wait(store->get("box", "b")), "one") << "half of the file was there";
  EXPECT_EQ(*wait(store->get("box", "c")), "one") << "its name was not";
}

TEST_F(BucketStoreTest, a_journal_of_another_version_is_refused_and_kept) {
  std::string segment = path(".pinpipe/journal/000000000001.journal");
  ASSERT_TRUE(files.make_directories(path(".pinpipe/journal")));
  ASSERT_TRUE(files.replace(segment, std::string("PPOJ\0\0\0\1", 8) + "records"));
  auto store = BucketStore::open({.root = directory.path()}, runtime.disk());
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().text(), testing::HasSubstr("stop it, which empties its journal"));
  EXPECT_TRUE(files.exists(segment));
}

TEST_F(BucketStoreTest, large_objects_that_were_replaced_do_not_stay_on_the_disk) {
  auto opened = BucketStore::open({.root = directory.path(), .files = &io::unsynced_posix_files()},
                                  runtime.disk());
  ASSERT_TRUE(opened);
  auto store = std::move(*opened);
  ASSERT_TRUE(wait(store->create_bucket("box")));
  constexpr uint64_t bytes = 16 << 20;
  for (uint64_t put = 0; put <= 2 * BucketStore::kept_bytes_max / bytes + 2; ++put)
    ASSERT_TRUE(wait(store->put("box", "k", std::string(bytes, 'x'), {}, {})));
  auto kept = files.list(path(".pinpipe/tmp"));
  EXPECT_LE(kept->size() * bytes, 2 * BucketStore::kept_bytes_max);
}

TEST_F(BucketStoreTest, replay_leaves_a_file_that_is_there_as_promised_untouched) {
  int64_t modified_ms = 0;
  {
    auto store = open();
    ASSERT_TRUE(wait(store->create_bucket("box")));
    modified_ms = wait(store->put("box", "k", "one", {}, {}))->modified_ms;
  }
  uint64_t inode = files.facts(path("box/k"))->inode;
  std::string etag = "etag " + to_hex(md5("one")) + "\n";
  write_segment(
      {{.bucket = "box", .key = "k", .attributes = etag, .temporary = {}, .bytes = "one"}});
  auto store = open();
  EXPECT_EQ(files.facts(path("box/k"))->inode, inode);
  EXPECT_EQ(wait(store->head("box", "k"))->modified_ms, modified_ms);
}

TEST_F(BucketStoreTest, attributes_of_a_file_replaced_by_hand_are_not_believed) {
  auto store = open();
  ASSERT_TRUE(wait(store->create_bucket("box")));
  Attributes attributes;
  attributes.system["checksum"] = "x";
  ASSERT_TRUE(wait(store->put("box", "k", "one", attributes, {})));
  ASSERT_TRUE(files.replace(path("box/k"), "by hand"));
  auto facts = wait(store->head("box", "k"));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->etag, to_hex(md5("by hand")));
  EXPECT_TRUE(facts->attributes.system.empty());
}

TEST_F(BucketStoreTest, a_stale_attributes_file_in_the_way_is_cleared) {
  auto store = open();
  ASSERT_TRUE(wait(store->create_bucket("box")));
  Attributes attributes;
  attributes.content_type = "x/y";
  ASSERT_TRUE(wait(store->put("box", "a", "file", attributes, {})));
  ASSERT_TRUE(files.remove(path("box/a")));
  ASSERT_TRUE(wait(store->put("box", "a/b", "below", attributes, {})));
  EXPECT_EQ(wait(store->head("box", "a/b"))->attributes.content_type, "x/y");
  ASSERT_TRUE(files.remove(path("box/a/b")));
  ASSERT_TRUE(files.remove(path("box/a")));
  ASSERT_TRUE(wait(store->put("box", "a", "file again", attributes, {})));
  EXPECT_EQ(wait(store->head("box", "a"))->attributes.content_type, "x/y");
}

TEST_F(BucketStoreTest, removing_the_last_object_leaves_no_empty_directories) {
  auto store = open();
  ASSERT_TRUE(wait(store->create_bucket("box")));
  Attributes attributes;
  attributes.content_type = "x/y";
  ASSERT_TRUE(wait(store->put("box", "a/b/c", "1", attributes, {})));
  ASSERT_TRUE(wait(store->remove("box", "a/b/c")));
  EXPECT_EQ(files.list(path("box"))->size(), 1U);
  EXPECT_FALSE(files.exists(path("box/.pinpipe/attributes/a")));
}

TEST_F(BucketStoreTest, segments_turn_over_while_many_write) {
  auto store = open();
  ASSERT_TRUE(wait(store->create_bucket("box")));
  auto many = [](Store& all, io::Loop& loop) -> io::Task<int> {
    io::Scope scope(loop);
    int failed = 0;
    auto one = [](Store& in, int n, int& failures) -> io::Task<> {
      std::string bytes(200'000, static_cast<char>('a' + n % 26));
      auto done = co_await in.put("box", "k" + std::to_string(n), std::move(bytes), {}, {});
      if (!done) ++failures;
    };
    for (int n = 0; n < 250; ++n) scope.spawn("writer", one(all, n, failed));
    co_await scope.join();
    co_return failed;
  };
  EXPECT_EQ(wait(many(*store, runtime.loop(0))), 0);
  store.reset();
  EXPECT_TRUE(files.list(path(".pinpipe/journal"))->empty());
  EXPECT_EQ(files.list(path("box"))->size(), 251U);
}

}  // namespace
}  // namespace pinpipe::objects
