// What every object store has to do, as one test body: instantiate StoreContract with a StoreMaker
// per implementation.
#pragma once

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/random.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/seed.h"
#include "kit/temporary_directory.h"
#include "objects/store.h"

namespace pinpipe::kit {

struct StoreMaker {
  std::string name;
  std::function<std::unique_ptr<objects::Store>(const std::string& root, io::Pool& disk)> make;
  bool md5_etags = true;
  bool keeps_attributes = true;
  bool puts_tell_time = true;  // modified_ms of a put is the object's
  bool any_text = true;        // in user metadata, line ends too
  std::string folder = "";     // below the root: where the buckets' files are
  size_t key_bytes_max = 1024;
};

inline void PrintTo(const StoreMaker& maker, std::ostream* out) {
  *out << maker.name;
}

class StoreContract : public testing::TestWithParam<StoreMaker> {
 protected:
  StoreContract() : store(GetParam().make(directory.path(), runtime.disk())) {
    EXPECT_TRUE(wait(store->create_bucket("box")));
  }
  ~StoreContract() override { store.reset(); }

  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(runtime.loop(0), std::move(task));
  }
  void reopen() {
    store.reset();
    store = GetParam().make(directory.path(), runtime.disk());
  }

  Result<objects::ObjectFacts> put(const std::string& key, const std::string& bytes,
                                   objects::Condition condition = {}) {
    return wait(store->put("box", key, bytes, {}, std::move(condition)));
  }
  std::string get(const std::string& key) {
    auto got = wait(store->get("box", key));
    return got ? *got : "<" + std::string(name_of(got.error().code())) + ">";
  }
  objects::Listing list(objects::ListQuery query = {}) {
    auto listing = wait(store->list("box", std::move(query)));
    EXPECT_TRUE(listing) << listing.error().text();
    return listing ? std::move(*listing) : objects::Listing{};
  }
  // Everything under a prefix, page by page: keys and common prefixes in one sequence of each.
  std::vector<std::string> keys(const std::string& prefix = {}, const std::string& delimiter = {},
                                size_t page = 1000) {
    std::vector<std::string> all;
    objects::ListQuery query;
    query.prefix = prefix;
    query.delimiter = delimiter;
    query.count_max = page;
    while (true) {
      objects::Listing listing = list(query);
      EXPECT_LE(listing.objects.size() + listing.common_prefixes.size(), page);
      for (const auto& object : listing.objects) all.push_back(object.key);
      for (const auto& group : listing.common_prefixes) all.push_back(group);
      if (!listing.truncated) break;
      EXPECT_GT(listing.next_after, query.after);
      query.after = listing.next_after;
    }
    std::ranges::sort(all);
    return all;
  }
  Code code_of(const auto& result) { return result ? Code::internal : result.error().code(); }

  TemporaryDirectory directory;
  io::Runtime runtime{{.loops = 1, .disk_threads = 4, .work_threads = 1}};
  std::unique_ptr<objects::Store> store;
};

TEST_P(StoreContract, what_was_put_is_read_back_also_after_a_restart) {
  auto put_facts = put("topics/a.json", "hello");
  ASSERT_TRUE(put_facts) << put_facts.error().text();
  EXPECT_EQ(put_facts->size, 5U);
  if (GetParam().md5_etags) EXPECT_EQ(put_facts->etag, to_hex(md5("hello")));
  reopen();
  EXPECT_EQ(get("topics/a.json"), "hello");
  auto facts = wait(store->head("box", "topics/a.json"));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->etag, put_facts->etag);
  EXPECT_EQ(facts->key, "topics/a.json");
  if (GetParam().puts_tell_time) EXPECT_EQ(facts->modified_ms, put_facts->modified_ms);
}

TEST_P(StoreContract, a_second_put_replaces_and_open_readers_keep_the_first) {
  ASSERT_TRUE(put("k", "first"));
  auto opened = wait(store->open("box", "k"));
  ASSERT_TRUE(opened);
  ASSERT_TRUE(put("k", "second one"));
  ASSERT_TRUE(wait(store->remove("box", "k")));
  std::string back(100, '-');
  auto read = [](objects::OpenObject& object, std::span<char> into) -> io::Task<Result<size_t>> {
    co_return co_await object.read_at(into, 0);
  };
  EXPECT_EQ(*wait(read(**opened, back)), 5U);
  EXPECT_EQ(back.substr(0, 5), "first");
  EXPECT_EQ((*opened)->facts().size, 5U);
}

TEST_P(StoreContract, ranges_are_cut_at_the_end) {
  ASSERT_TRUE(put("k", "0123456789"));
  EXPECT_EQ(*wait(store->get("box", "k", objects::ByteRange{3, 4})), "3456");
  EXPECT_EQ(*wait(store->get("box", "k", objects::ByteRange{8, 100})), "89");
  EXPECT_EQ(*wait(store->get("box", "k", objects::ByteRange{9, std::nullopt})), "9");
  EXPECT_EQ(*wait(store->get("box", "k", objects::ByteRange{10, std::nullopt})), "");
  EXPECT_EQ(code_of(wait(store->get("box", "k", objects::ByteRange{11, std::nullopt}))),
            Code::invalid);
}

TEST_P(StoreContract, many_are_read_at_once_each_with_its_own_outcome) {
  ASSERT_TRUE(put("a", "first"));
  ASSERT_TRUE(put("b/c", ""));
  auto all = wait(store->get_all("box", {"b/c", "absent", "a", ""}));
  ASSERT_EQ(all.size(), 4U);
  ASSERT_TRUE(all[0]) << all[0].error().text();
  EXPECT_EQ(*all[0], "");
  EXPECT_EQ(code_of(all[1]), Code::not_found);
  ASSERT_TRUE(all[2]) << all[2].error().text();
  EXPECT_EQ(*all[2], "first");
  EXPECT_EQ(code_of(all[3]), Code::invalid);
  EXPECT_TRUE(wait(store->get_all("box", {})).empty());
}

TEST_P(StoreContract, absent_things_are_not_found) {
  EXPECT_EQ(get("absent"), "<not_found>");
  EXPECT_EQ(code_of(wait(store->head("box", "a/b"))), Code::not_found);
  EXPECT_EQ(code_of(wait(store->head("nobox", "a"))), Code::not_found);
  EXPECT_EQ(code_of(wait(store->put("nobox", "a", "x", {}, {}))), Code::not_found);
  EXPECT_EQ(code_of(wait(store->list("nobox", {}))), Code::not_found);
  EXPECT_TRUE(wait(store->remove("box", "absent")));
  EXPECT_EQ(code_of(wait(store->remove("nobox", "a"))), Code::not_found);
}

TEST_P(StoreContract, put_if_absent_lets_exactly_one_of_many_win) {
  objects::Condition absent;
  absent.if_absent = true;
  auto race = [](objects::Store& all, io::Loop& loop,
                 objects::Condition condition) -> io::Task<int> {
    io::Scope scope(loop);
    int won = 0;
    auto one = [](objects::Store& in, objects::Condition if_absent, int n,
                  int& count) -> io::Task<> {
      auto done = co_await in.put("box", "log/0.json", std::to_string(n), {}, if_absent);
      if (done) ++count;
      if (!done) EXPECT_EQ(done.error().code(), Code::conflict);
    };
    for (int n = 0; n < 20; ++n) scope.spawn("writer", one(all, condition, n, won));
    co_await scope.join();
    co_return won;
  };
  EXPECT_EQ(wait(race(*store, runtime.loop(0), absent)), 1);
  EXPECT_EQ(code_of(put("log/0.json", "again", absent)), Code::conflict);
}

TEST_P(StoreContract, put_if_etag_needs_the_version_that_is_there) {
  auto first = put("k", "1");
  ASSERT_TRUE(first);
  objects::Condition same;
  same.if_etag = first->etag;
  ASSERT_TRUE(put("k", "22", same));
  EXPECT_EQ(code_of(put("k", "333", same)), Code::conflict);
  EXPECT_EQ(code_of(put("other", "1", same)), Code::not_found);
  EXPECT_EQ(get("k"), "22");
}

TEST_P(StoreContract, remove_if_etag_spares_another_version) {
  auto first = put("k", "first");
  ASSERT_TRUE(first);
  auto second = put("k", "second");
  ASSERT_TRUE(second);
  auto remove = [&](const std::string& etag) {
    objects::Condition condition;
    condition.if_etag = etag;
    return code_of(wait(store->remove("box", "k", std::move(condition))));
  };
  EXPECT_EQ(remove(first->etag), Code::conflict);
  EXPECT_EQ(get("k"), "second");
  EXPECT_EQ(remove(second->etag), Code::internal) << "done";
  EXPECT_EQ(get("k"), "<not_found>");
  EXPECT_EQ(remove(second->etag), Code::not_found);
}

TEST_P(StoreContract, a_finished_file_is_adopted_and_goes_from_where_it_was) {
  std::string bytes(300'000, 'x');
  auto write = [&] {
    std::string path = store->new_temporary();
    EXPECT_TRUE(io::posix_files().make_directories(io::parent_directory(path)));
    EXPECT_TRUE(io::posix_files().replace(path, bytes));
    return path;
  };
  std::string path = write();
  auto facts = wait(store->adopt("box", path, "big/file", {}, {}));
  ASSERT_TRUE(facts) << facts.error().text();
  EXPECT_EQ(facts->size, bytes.size());
  if (GetParam().md5_etags) EXPECT_EQ(facts->etag, to_hex(md5(bytes)));
  EXPECT_EQ(get("big/file"), bytes);
  reopen();
  EXPECT_FALSE(io::posix_files().exists(path));
  EXPECT_EQ(get("big/file"), bytes);
  objects::Condition absent;
  absent.if_absent = true;
  path = write();
  EXPECT_EQ(code_of(wait(store->adopt("box", path, "big/file", {}, absent))), Code::conflict);
  EXPECT_FALSE(io::posix_files().exists(path));
}

TEST_P(StoreContract, a_large_put_is_whole) {
  std::string bytes(3'000'000, 'a');
  bytes += "end";
  auto facts = put("large", bytes);
  ASSERT_TRUE(facts);
  reopen();
  EXPECT_EQ(get("large"), bytes);
  EXPECT_EQ(wait(store->head("box", "large"))->etag, facts->etag);
}

TEST_P(StoreContract, attributes_come_back_as_they_were_given) {
  if (!GetParam().keeps_attributes) GTEST_SKIP() << "this store keeps no attributes";
  objects::Attributes attributes;
  attributes.content_type = "text/plain; charset=utf-8";
  attributes.user = {{"author", GetParam().any_text ? "Ada\nLovelace 100%" : "Ada Lovelace 100%"},
                     {"empty", ""}};
  attributes.system = {{"cache-control", "no-cache"}};
  ASSERT_TRUE(wait(store->put("box", "k", "v", attributes, {})));
  reopen();
  auto facts = wait(store->head("box", "k"));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->attributes.content_type, attributes.content_type);
  EXPECT_EQ(facts->attributes.user, attributes.user);
  EXPECT_EQ(facts->attributes.system, attributes.system);
  ASSERT_TRUE(put("k", "v2"));
  EXPECT_TRUE(wait(store->head("box", "k"))->attributes.user.empty());
}

TEST_P(StoreContract, a_copy_has_the_bytes_and_the_attributes_it_should) {
  objects::Attributes attributes;
  attributes.user = {{"a", "1"}};
  std::string large(2'500'000, 'z');
  ASSERT_TRUE(wait(store->put("box", "from", "bytes", attributes, {})));
  ASSERT_TRUE(wait(store->put("box", "large", large, {}, {})));
  ASSERT_TRUE(wait(store->create_bucket("other")));
  ASSERT_TRUE(wait(store->copy("box", "from", "other", "to/here", std::nullopt)));
  ASSERT_TRUE(wait(store->copy("box", "large", "other", "large", std::nullopt)));
  EXPECT_EQ(*wait(store->get("other", "to/here")), "bytes");
  EXPECT_EQ(*wait(store->get("other", "large")), large);
  if (GetParam().keeps_attributes)
    EXPECT_EQ(wait(store->head("other", "to/here"))->attributes.user, attributes.user);
  EXPECT_EQ(code_of(wait(store->copy("box", "absent", "other", "x", std::nullopt))),
            Code::not_found);
}

TEST_P(StoreContract, a_materialized_file_outlives_its_object) {
  ASSERT_TRUE(put("x/part.json.gz", "old"));
  auto pinned = wait(store->materialize("box", "x/part.json.gz"));
  ASSERT_TRUE(pinned);
  ASSERT_TRUE(put("x/part.json.gz", "new"));
  ASSERT_TRUE(wait(store->remove("box", "x/part.json.gz")));
  EXPECT_TRUE(pinned->path.ends_with("part.json.gz"));
  EXPECT_EQ(*io::posix_files().read_all(pinned->path), "old");
  pinned->keep.reset();
  EXPECT_FALSE(io::posix_files().exists(pinned->path));
}

TEST_P(StoreContract, many_are_materialized_at_once_each_with_its_own_outcome) {
  ASSERT_TRUE(put("a", "first"));
  ASSERT_TRUE(put("b", "second"));
  auto all = wait(store->materialize_all("box", {"b", "absent", "a"}));
  ASSERT_EQ(all.size(), 3U);
  ASSERT_TRUE(all[0] && all[2]);
  EXPECT_EQ(*io::posix_files().read_all(all[0]->path), "second");
  EXPECT_EQ(code_of(all[1]), Code::not_found);
  EXPECT_EQ(*io::posix_files().read_all(all[2]->path), "first");
}

TEST_P(StoreContract, buckets_are_made_listed_and_removed_when_empty) {
  EXPECT_EQ(code_of(wait(store->create_bucket("box"))), Code::conflict);
  EXPECT_EQ(code_of(wait(store->create_bucket("../evil"))), Code::invalid);
  EXPECT_EQ(code_of(wait(store->create_bucket(".."))), Code::invalid);
  ASSERT_TRUE(wait(store->create_bucket("another")));
  reopen();
  auto buckets = wait(store->list_buckets());
  ASSERT_TRUE(buckets);
  ASSERT_EQ(buckets->size(), 2U);
  EXPECT_EQ((*buckets)[0].name, "another");
  EXPECT_EQ((*buckets)[1].name, "box");
  EXPECT_TRUE(wait(store->find_bucket("box")));
  EXPECT_EQ(code_of(wait(store->find_bucket("absent"))), Code::not_found);
  ASSERT_TRUE(put("deep/er/k", "1"));
  EXPECT_EQ(code_of(wait(store->remove_bucket("box"))), Code::conflict);
  ASSERT_TRUE(wait(store->remove("box", "deep/er/k")));
  EXPECT_TRUE(wait(store->remove_bucket("box")));
  EXPECT_EQ(code_of(wait(store->remove_bucket("box"))), Code::not_found);
}

TEST_P(StoreContract, keys_that_are_no_paths_are_objects_like_others) {
  std::vector<std::string> odd = {"a",
                                  "a/b",
                                  "a/b/c",
                                  "a/",
                                  "a//b",
                                  "/a",
                                  "..",
                                  "../../../etc/passwd",
                                  "./x",
                                  "x/.",
                                  ".pinpipe",
                                  ".pinpipe/journal",
                                  "a%2Fb",
                                  "a+b",
                                  "sp ace",
                                  "ünï/cødé/🦆",
                                  "new\nline",
                                  std::string(300, 'n'),
                                  std::string(GetParam().key_bytes_max, 'm'),
                                  std::string("nul\0x", 5),
                                  "//",
                                  "a/../b"};
  std::set<std::string> expected;
  for (const std::string& key : odd) {
    ASSERT_TRUE(put(key, "of " + key)) << key;
    expected.insert(key);
  }
  reopen();
  for (const std::string& key : odd) EXPECT_EQ(get(key), "of " + key);
  EXPECT_EQ(keys(), std::vector<std::string>(expected.begin(), expected.end()));
  EXPECT_EQ(io::posix_files().list(io::parent_directory(directory.path() + "/x"))->size(), 2U)
      << "beside the bucket and our own directory there is nothing";
  for (const std::string& key : odd) ASSERT_TRUE(wait(store->remove("box", key))) << key;
  EXPECT_TRUE(keys().empty());
  EXPECT_TRUE(wait(store->remove_bucket("box")));
}

TEST_P(StoreContract, keys_that_no_object_may_have_are_refused) {
  EXPECT_EQ(code_of(put("", "x")), Code::invalid);
  EXPECT_EQ(code_of(put(std::string(1025, 'k'), "x")), Code::invalid);
  EXPECT_EQ(code_of(put("\xff\xfe", "x")), Code::invalid);
}

TEST_P(StoreContract, files_put_there_by_hand_are_objects) {
  io::Files& files = io::posix_files();
  std::string by_hand = directory.path() + GetParam().folder + "/box/by/hand";
  ASSERT_TRUE(files.make_directories(by_hand));
  ASSERT_TRUE(files.replace(by_hand + "/file.txt", "dropped"));
  EXPECT_EQ(get("by/hand/file.txt"), "dropped");
  EXPECT_EQ(keys(), std::vector<std::string>{"by/hand/file.txt"});
  if (GetParam().md5_etags)
    EXPECT_EQ(wait(store->head("box", "by/hand/file.txt"))->etag, to_hex(md5("dropped")));
  ASSERT_TRUE(put("by/hand/file.txt", "replaced"));
  EXPECT_EQ(*files.read_all(by_hand + "/file.txt"), "replaced");
}

TEST_P(StoreContract, a_listing_is_in_the_byte_order_of_whole_keys) {
  for (const char* key : {"a/b", "a-b", "a.b", "a0", "b/c/d", "b/c-d", "b/e", "c"})
    ASSERT_TRUE(put(key, "x"));
  std::vector<std::string> order;
  for (const auto& object : list().objects) order.push_back(object.key);
  EXPECT_EQ(order,
            (std::vector<std::string>{"a-b", "a.b", "a/b", "a0", "b/c-d", "b/c/d", "b/e", "c"}));
  objects::ListQuery grouped;
  grouped.delimiter = "/";
  objects::Listing top = list(grouped);
  EXPECT_EQ(top.common_prefixes, (std::vector<std::string>{"a/", "b/"}));
  EXPECT_EQ(top.objects.size(), 4U);
  grouped.keys_only = true;
  objects::Listing keys = list(grouped);
  EXPECT_EQ(keys.common_prefixes, top.common_prefixes);
  EXPECT_TRUE(std::ranges::equal(keys.objects, top.objects, {}, &objects::ObjectFacts::key,
                                 &objects::ObjectFacts::key));
  objects::ListQuery none;
  none.count_max = 0;
  EXPECT_FALSE(list(none).truncated);
}

// Random operations against a map: the listing with every prefix, delimiter and page size, and the
// bytes of every key, have to be the map's.
TEST_P(StoreContract, it_behaves_as_a_map_does) {
  Random random(seed());
  std::map<std::string, std::string> model;
  auto some_key = [&] {
    static constexpr std::string_view pieces[] = {"a", "b", "ab", "/", "/",
                                                  "-", ".", "..", "é", "0"};
    std::string key;
    for (uint64_t n = 1 + random.below(6); n > 0; --n)
      key += pieces[random.below(std::size(pieces))];
    return key;
  };
  auto expected_keys = [&](const std::string& prefix, const std::string& delimiter) {
    std::set<std::string> expected;
    for (const auto& [key, value] : model) {
      if (!key.starts_with(prefix)) continue;
      size_t at = delimiter.empty() ? std::string::npos : key.find(delimiter, prefix.size());
      expected.insert(at == std::string::npos ? key : key.substr(0, at + delimiter.size()));
    }
    return std::vector<std::string>(expected.begin(), expected.end());
  };
  for (int step = 0; step < 600; ++step) {
    std::string key = some_key();
    if (random.below(3) > 0) {
      std::string value = std::to_string(step);
      ASSERT_TRUE(put(key, value)) << key;
      model[key] = value;
    } else {
      ASSERT_TRUE(wait(store->remove("box", key)));
      model.erase(key);
    }
    if (step % 20 == 0) {
      std::string prefix = random.below(2) == 0 ? "" : some_key();
      std::string delimiter = random.below(2) == 0 ? "/" : random.below(2) == 0 ? "" : "ab";
      EXPECT_EQ(keys(prefix, delimiter, 1 + random.below(7)), expected_keys(prefix, delimiter))
          << "seed " << seed() << " prefix " << prefix << " delimiter " << delimiter;
    }
    if (step % 150 == 0) reopen();
  }
  for (const auto& [key, value] : model) EXPECT_EQ(get(key), value) << key;
  EXPECT_EQ(keys(), expected_keys("", ""));
}

}  // namespace pinpipe::kit
