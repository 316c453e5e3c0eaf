#include "broker/streams.h"

#include <gtest/gtest.h>
#include <set>

#include "broker/streams_fixture.h"
#include "broker/streams_sequence.h"
#include "io/runtime.h"
#include "io/scope.h"

namespace pinpipe::broker {
namespace {

using Kind = StreamStart::Kind;

class StreamsTest : public testing::Test, protected OpenStreams {
 protected:
  StreamsTest() { open(); }
  ~StreamsTest() override { close(); }

  void open() { open_on(io::posix_files(), directory_.path() + "/log", runtime_.disk()); }
  void close() {
    EXPECT_TRUE(wait(broker_->close()));
    forget();
  }
  void restart() {
    close();
    open();
  }
  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(runtime_.loop(0), std::move(task));
  }

  StreamPointer create(std::string name, int32_t shards = 1) {
    auto created = wait(access_->create({.name = std::move(name), .shards = shards, .tags = {}}));
    EXPECT_TRUE(created) << created.error().text();
    return created ? *created : nullptr;
  }
  StreamPointer find(std::string_view name) {
    auto found = access_->find(name);
    EXPECT_TRUE(found) << found.error().text();
    return found ? *found : nullptr;
  }
  StreamPointer stream_now() { return *access_->find("s"); }
  std::vector<StreamPlaced> put(std::string_view name, std::vector<StreamRecord> records) {
    auto placed = wait(access_->put(find(name), records));
    EXPECT_TRUE(placed) << placed.error().text();
    return placed ? *placed : std::vector<StreamPlaced>{};
  }
  std::string iterator(std::string_view name, int32_t shard, StreamStart start = {}) {
    auto text = wait(access_->iterator(find(name), shard, start));
    EXPECT_TRUE(text) << text.error().text();
    return text.value_or("");
  }
  Result<StreamRead> get(std::string_view iterator, size_t records_max = 10'000) {
    auto ticket = access_->read(iterator, Ticket::Kind::iterator);
    EXPECT_TRUE(ticket);
    return wait(access_->get(*ticket, {.records_max = records_max}));
  }
  std::vector<std::string> data(const StreamRead& read) {
    std::vector<std::string> all;
    for (const RecordOut& record : read.records) all.emplace_back(*record.value);
    return all;
  }
  std::vector<std::string> read_all(std::string_view name, int32_t shard, StreamStart start = {}) {
    auto read = get(iterator(name, shard, start));
    EXPECT_TRUE(read) << read.error().text();
    return read ? data(*read) : std::vector<std::string>{};
  }

  io::Runtime runtime_{{.loops = 1, .disk_threads = 2, .work_threads = 1}};
};

using Texts = std::vector<std::string>;

TEST_F(StreamsTest, records_go_by_hash_and_come_back_with_the_same_numbers) {
  create("s", 3);
  auto placed = put("s", {{.partition_key = "a", .data = "1", .explicit_hash = {}},
                          {.partition_key = "a", .data = "2", .explicit_hash = {}},
                          {.partition_key = "a", .data = "3", .explicit_hash = hash_key_max}});
  ASSERT_EQ(placed.size(), 3u);
  EXPECT_EQ(placed[0].shard, 0);
  EXPECT_EQ(placed[1].shard, 0);
  EXPECT_EQ(placed[2].shard, 2);
  EXPECT_LT(placed[0].sequence, placed[1].sequence);
  EXPECT_LT(find("s")->shards[0].starting_sequence(), placed[0].sequence);
  clock_.advance(Millis(5000));
  auto read = get(iterator("s", 0));
  ASSERT_TRUE(read);
  EXPECT_EQ(data(*read), (Texts{"1", "2"}));
  EXPECT_EQ(read->shard->sequence_of(read->records[1].offset, read->records[1].timestamp_ms),
            placed[1].sequence);
  EXPECT_EQ(read->records[0].key, "a");
  EXPECT_EQ(read->behind_ms, 0);
  auto third = get(iterator("s", 2));
  EXPECT_EQ(third->records.at(0).headers.at(0).key, hash_key_header);
  EXPECT_EQ(third->records.at(0).headers.at(0).value, to_decimal(hash_key_max));
}

TEST_F(StreamsTest, iterators_begin_where_they_were_asked_to) {
  create("s");
  put("s", {{"k", "old", {}}});
  clock_.advance(Millis(10'000));
  int64_t between = clock_.wall_ms() - 5000;
  put("s", {{"k", "new", {}}});
  std::string latest = iterator("s", 0, {Kind::latest, 0});
  EXPECT_EQ(read_all("s", 0), (Texts{"old", "new"}));
  EXPECT_EQ(read_all("s", 0, {Kind::time, between}), (Texts{"new"}));
  EXPECT_EQ(read_all("s", 0, {Kind::time, clock_.wall_ms() + 1}), (Texts{}));
  EXPECT_EQ(read_all("s", 0, {Kind::offset, 1}), (Texts{"new"}));
  put("s", {{"k", "newest", {}}});
  EXPECT_EQ(data(*get(latest)), (Texts{"newest"}));
}

TEST_F(StreamsTest, a_limited_read_goes_on_where_it_ended_and_says_how_far_behind_it_is) {
  create("s");
  put("s", {{"k", "1", {}}, {"k", "2", {}}, {"k", "3", {}}});
  clock_.advance(Millis(700));
  auto read = get(iterator("s", 0), 2);
  EXPECT_EQ(data(*read), (Texts{"1", "2"}));
  EXPECT_EQ(read->behind_ms, 700);
  read = get(*read->next, 2);
  EXPECT_EQ(data(*read), (Texts{"3"}));
  EXPECT_EQ(read->behind_ms, 0);
  read = get(*read->next, 2);
  EXPECT_TRUE(read->records.empty());
  EXPECT_TRUE(read->next);
}

TEST_F(StreamsTest, a_large_backlog_is_read_in_bounded_pieces) {
  create("s");
  std::string large(1 << 20, 'x');
  for (int i = 0; i < 12; ++i) put("s", {{"k", large, {}}});
  auto read = get(iterator("s", 0));
  EXPECT_EQ(read->records.size(), 9u);
  EXPECT_GT(read->behind_ms, 0);
  EXPECT_EQ(get(*read->next)->records.size(), 3u);
}

TEST_F(StreamsTest, what_is_older_than_the_retention_is_not_read) {
  auto stream = create("s");
  put("s", {{"k", "old", {}}});
  clock_.advance(std::chrono::hours(23));
  put("s", {{"k", "new", {}}});
  clock_.advance(std::chrono::hours(2));
  EXPECT_EQ(read_all("s", 0), (Texts{"new"}));
  ASSERT_TRUE(wait(access_->set_retention(stream, 48LL * 3'600'000)));
  EXPECT_EQ(read_all("s", 0), (Texts{"old", "new"}));
  EXPECT_EQ(access_->retention_ms(*find("s")), 48LL * 3'600'000);
  auto topics = broker_->as(auth::local_principal());
  EXPECT_EQ(topics->find("s")->configs.at("segment.ms"), std::to_string(2 * 3'600'000));
}

TEST_F(StreamsTest, streams_records_tags_and_iterators_survive_a_restart) {
  auto before = create("s", 2);
  put("s", {{"a", "1", {}}, {"a", "2", {}}});
  std::string at = iterator("s", 0);
  at = *get(at, 1)->next;
  ASSERT_TRUE(wait(access_->add_tags(before, {{"team", "data"}, {"x", "y"}})));
  ASSERT_TRUE(wait(access_->remove_tags(before, {"x"})));
  restart();
  auto after = find("s");
  EXPECT_EQ(after->id, before->id);
  EXPECT_EQ(after->created_ms, before->created_ms);
  EXPECT_EQ(after->shards.size(), 2u);
  EXPECT_TRUE(after->shards[1].range == before->shards[1].range);
  EXPECT_EQ(after->tags, (std::map<std::string, std::string>{{"team", "data"}}));
  EXPECT_EQ(data(*get(at)), (Texts{"2"}));
}

TEST_F(StreamsTest, a_stream_created_again_refuses_old_iterators) {
  auto first = create("s");
  std::string old = iterator("s", 0);
  ASSERT_TRUE(wait(access_->remove(first)));
  EXPECT_EQ(access_->find("s").error().code(), Code::not_found);
  auto second = create("s");
  EXPECT_NE(first->id, second->id);
  EXPECT_EQ(get(old).error().code(), Code::not_found);
  EXPECT_EQ(wait(access_->put(first, {})).error().code(), Code::not_found);
}

TEST_F(StreamsTest, a_name_is_taken_by_streams_and_topics_alike) {
  create("s");
  EXPECT_EQ(wait(access_->create({.name = "s", .tags = {}})).error().code(), Code::conflict);
  auto topics = broker_->as(auth::local_principal());
  ASSERT_TRUE(wait(topics->create({.name = "topic", .partitions = 1, .configs = {}})));
  EXPECT_EQ(wait(access_->create({.name = "topic", .tags = {}})).error().code(), Code::conflict);
  EXPECT_EQ(access_->find("topic").error().code(), Code::not_found);
  EXPECT_EQ(access_->list().size(), 1u);
}

TEST_F(StreamsTest, a_stream_whose_topic_was_deleted_is_gone_and_its_name_free) {
  create("s");
  auto topics = broker_->as(auth::local_principal());
  ASSERT_TRUE(wait(topics->remove("s")));
  EXPECT_EQ(access_->find("s").error().code(), Code::not_found);
  EXPECT_TRUE(access_->list().empty());
  create("s");
  ASSERT_TRUE(wait(topics->remove("s")));
  restart();
  EXPECT_TRUE(access_->list().empty());
  create("s", 2);
  EXPECT_EQ(find("s")->shards.size(), 2u);
}

TEST_F(StreamsTest, a_principal_without_rights_is_denied) {
  auto stream = create("s");
  StreamAccess stranger = streams_->as(auth::anonymous_principal());
  EXPECT_EQ(stranger.find("s").error().code(), Code::denied);
  EXPECT_TRUE(stranger.list().empty());
  EXPECT_EQ(wait(stranger.create({.name = "t", .tags = {}})).error().code(), Code::denied);
  EXPECT_EQ(wait(stranger.iterator(stream, 0, {})).error().code(), Code::denied);
  EXPECT_EQ(wait(stranger.add_tags(stream, {{"a", "b"}})).error().code(), Code::denied);
  std::vector<StreamRecord> records = {{"k", "v", {}}};
  EXPECT_EQ(wait(stranger.put(stream, records)).error().code(), Code::denied);
}

TEST_F(StreamsTest, a_split_closes_the_parent_and_its_reader_is_sent_to_the_children) {
  auto stream = create("s");
  put("s", {{"k", "before", hash_key_max}});
  std::string at = iterator("s", 0);
  ASSERT_TRUE(wait(access_->split(stream, 0, HashKey{1} << 127)));
  auto placed = put("s", {{"k", "low", HashKey{0}}, {"k", "high", hash_key_max}});
  EXPECT_EQ(placed[0].shard, 1);
  EXPECT_EQ(placed[1].shard, 2);
  auto read = get(at);
  EXPECT_EQ(data(*read), (Texts{"before"}));
  EXPECT_FALSE(read->next);
  ASSERT_EQ(read->children.size(), 2u);
  EXPECT_EQ(read->children[0]->parent, 0);
  EXPECT_LT(*read->shard->ending_sequence(), read->children[0]->starting_sequence());
  restart();
  EXPECT_EQ(find("s")->shards.size(), 3u);
  EXPECT_EQ(find("s")->open_shards(), 2);
  EXPECT_EQ(read_all("s", 2), (Texts{"high"}));
}

TEST_F(StreamsTest, a_merge_has_both_parents_and_needs_neighbours) {
  auto stream = create("s", 3);
  EXPECT_EQ(wait(access_->merge(stream, 0, 2)).error().code(), Code::invalid);
  EXPECT_EQ(wait(access_->merge(stream, 1, 0)).error().code(), Code::invalid);
  ASSERT_TRUE(wait(access_->merge(stream, 0, 1)));
  const Stream after = *find("s");
  EXPECT_EQ(after.open_shards(), 2);
  EXPECT_EQ(after.shards[3].parent, 0);
  EXPECT_EQ(after.shards[3].adjacent_parent, 1);
  EXPECT_EQ(after.children_of(1).at(0)->number, 3);
  EXPECT_EQ(wait(access_->merge(stream, 0, 1)).error().code(), Code::conflict);
  EXPECT_EQ(put("s", {{"k", "v", HashKey{0}}})[0].shard, 3);
}

TEST_F(StreamsTest, no_acknowledged_record_is_lost_while_shards_change) {
  auto stream = create("s");
  constexpr int writers = 4;
  constexpr int rounds = 60;
  std::multiset<std::string> acknowledged;
  auto write = [&](int writer) -> io::Task<> {
    for (int i = 0; i < rounds; ++i) {
      std::string key = std::to_string(writer) + "/" + std::to_string(i);
      std::vector<StreamRecord> records = {{key, key, {}}};
      auto placed = co_await access_->put(stream, records);
      EXPECT_TRUE(placed && !placed->front().error);
      acknowledged.insert(key);
    }
  };
  auto reshard = [&]() -> io::Task<> {
    for (int32_t i = 0; i < 5; ++i) {
      int32_t open = i * 3;  // each round leaves one open shard behind three closed ones
      Status split = co_await access_->split(stream_now(), open, HashKey{1} << 127);
      EXPECT_TRUE(split) << split.error().text();
      Status merged = co_await access_->merge(stream_now(), open + 1, open + 2);
      EXPECT_TRUE(merged) << merged.error().text();
    }
  };
  auto all = [&]() -> io::Task<> {
    io::Scope scope(io::Loop::current());
    for (int writer = 0; writer < writers; ++writer) scope.spawn("writer", write(writer));
    scope.spawn("reshard", reshard());
    co_await scope.join();
  };
  io::run_on(runtime_.loop(0), all());
  std::multiset<std::string> readable;
  for (const Shard& shard : find("s")->shards) {
    for (std::string& text : read_all("s", shard.number)) readable.insert(std::move(text));
  }
  EXPECT_EQ(acknowledged.size(), static_cast<size_t>(writers * rounds));
  EXPECT_EQ(readable, acknowledged);
  EXPECT_EQ(find("s")->shards.size(), 16u);
}

TEST_F(StreamsTest, a_stream_is_brought_to_a_number_of_shards_and_loses_nothing) {
  auto stream = create("s", 4);
  for (int i = 0; i < 40; ++i) put("s", {{std::to_string(i), std::to_string(i), {}}});
  ASSERT_TRUE(wait(access_->set_shard_count(stream, 3)));
  EXPECT_EQ(find("s")->open_shards(), 3);
  for (int i = 40; i < 80; ++i) put("s", {{std::to_string(i), std::to_string(i), {}}});
  restart();
  EXPECT_EQ(find("s")->open_shards(), 3);
  std::multiset<std::string> all;
  for (const Shard& shard : find("s")->shards) {
    for (std::string& text : read_all("s", shard.number)) all.insert(std::move(text));
  }
  EXPECT_EQ(all.size(), 80u);
  ASSERT_TRUE(wait(access_->set_shard_count(find("s"), 6)));
  EXPECT_EQ(find("s")->open_shards(), 6);
}

TEST_F(StreamsTest, a_child_of_the_same_second_has_later_numbers_than_its_parent) {
  auto stream = create("s");
  ASSERT_TRUE(wait(access_->split(stream, 0, HashKey{1} << 127)));
  ASSERT_TRUE(wait(access_->merge(find("s"), 1, 2)));
  const Stream after = *find("s");
  for (const Shard& shard : after.shards) {
    for (const Shard* child : after.children_of(shard.number))
      EXPECT_LT(*shard.ending_sequence(), child->starting_sequence());
  }
}

TEST_F(StreamsTest, consumers_and_their_tags_survive_a_restart_and_go_with_the_stream) {
  auto stream = create("s");
  ASSERT_TRUE(wait(access_->add_consumer(stream, {"c", 5000, {{"a", "1"}}})));
  ASSERT_TRUE(wait(access_->add_consumer(stream, {"d", 6000, {}})));
  EXPECT_EQ(wait(access_->add_consumer(stream, {"c", 7000, {}})).error().code(), Code::conflict);
  ASSERT_TRUE(wait(access_->tag_consumer(stream, "c", {{"b", "2"}})));
  ASSERT_TRUE(wait(access_->untag_consumer(stream, "c", {"a"})));
  ASSERT_TRUE(wait(access_->remove_consumer(stream, "d")));
  restart();
  ASSERT_EQ(find("s")->consumers.size(), 1u);
  EXPECT_EQ(find("s")->consumers.at("c").created_ms, 5000);
  EXPECT_EQ(find("s")->consumers.at("c").tags, (std::map<std::string, std::string>{{"b", "2"}}));
  ASSERT_TRUE(wait(access_->remove(find("s"))));
  EXPECT_TRUE(create("s")->consumers.empty());
}

TEST_F(StreamsTest, a_subscriber_is_woken_by_a_record_and_by_the_shards_end) {
  auto stream = create("s");
  auto subscription = access_->subscribe(*stream, "c", 0);
  ASSERT_TRUE(subscription);
  Ticket at = *access_->read(iterator("s", 0), Ticket::Kind::iterator);
  std::vector<StreamRead> reads;
  auto follow = [&]() -> io::Task<> {
    while (true) {
      auto read = co_await access_->follow(at, {}, **subscription, io::never);
      EXPECT_TRUE(read) << read.error().text();
      if (!read) co_return;
      at.position = read->position;
      reads.push_back(std::move(*read));
      if (!reads.back().next) co_return;
    }
  };
  auto write = [&]() -> io::Task<> {
    std::vector<StreamRecord> records = {{"k", "one", {}}};
    EXPECT_TRUE(co_await access_->put(stream, records));
    EXPECT_TRUE(co_await access_->split(stream, 0, HashKey{1} << 127));
  };
  auto both = [&]() -> io::Task<> {
    io::Scope scope(io::Loop::current());
    scope.spawn("follow", follow());
    scope.spawn("write", write());
    co_await scope.join();
  };
  io::run_on(runtime_.loop(0), both());
  Texts all;
  for (const StreamRead& read : reads) {
    for (std::string& text : data(read)) all.push_back(std::move(text));
  }
  EXPECT_EQ(all, (Texts{"one"}));
  ASSERT_FALSE(reads.empty());
  EXPECT_EQ(reads.back().children.size(), 2u);
}

TEST_F(StreamsTest, a_subscription_is_taken_over_after_a_while_and_ends_with_its_consumer) {
  auto stream = create("s");
  ASSERT_TRUE(wait(access_->add_consumer(stream, {"c", 5000, {}})));
  auto first = access_->subscribe(*stream, "c", 0);
  ASSERT_TRUE(first);
  EXPECT_TRUE(access_->subscribe(*stream, "d", 0));
  EXPECT_EQ(access_->subscribe(*stream, "c", 0).error().code(), Code::conflict);
  clock_.advance(Millis(Subscriptions::own_ms));
  auto second = access_->subscribe(*stream, "c", 0);
  ASSERT_TRUE(second);
  EXPECT_TRUE((*first)->is_over());
  Ticket at = *access_->read(iterator("s", 0), Ticket::Kind::iterator);
  EXPECT_EQ(wait(access_->follow(at, {}, **first, io::never)).error().code(), Code::cancelled);
  ASSERT_TRUE(wait(access_->remove_consumer(stream, "c")));
  EXPECT_TRUE((*second)->is_over());
  second->reset();
  EXPECT_TRUE(access_->subscribe(*stream, "c", 0));
}

TEST_F(StreamsTest, there_may_be_only_so_many_shards) {
  EXPECT_EQ(wait(access_->create({.name = "s", .shards = 10'001, .tags = {}})).error().code(),
            Code::busy);
}

}  // namespace
}  // namespace pinpipe::broker
