#include "broker/broker.h"

#include <gtest/gtest.h>

#include "broker/committed_offsets.h"
#include "broker/names.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/fake_clock.h"
#include "kit/temporary_directory.h"

namespace pinpipe::broker {
namespace {

class BrokerTest : public testing::Test {
 protected:
  BrokerTest() { open(); }
  ~BrokerTest() override { EXPECT_TRUE(wait(broker_->close())); }

  void open(auth::Policy policy = auth::Policy::open_for_local()) {
    options_.log_directory = directory_.path() + "/log";
    options_.state_path = directory_.path() + "/broker.db";
    auto opened =
        Broker::open(options_, io::posix_files(), runtime_.disk(), clock_, std::move(policy));
    ASSERT_TRUE(opened) << opened.error().text();
    broker_ = std::move(*opened);
    topics_ = broker_->as(auth::local_principal());
  }
  void restart() {
    EXPECT_TRUE(wait(broker_->close()));
    topics_.reset();
    broker_.reset();
    open();
  }
  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(runtime_.loop(0), std::move(task));
  }

  void wait_all(io::Task<> task) { io::run_on(runtime_.loop(0), std::move(task)); }

  TopicFacts create(std::string name, int32_t partitions = 1, ConfigMap configs = {}) {
    auto created = wait(topics_->create({std::move(name), partitions, std::move(configs)}));
    EXPECT_TRUE(created) << created.error().text();
    return created ? *created : TopicFacts{};
  }
  std::vector<Placed> produce(std::string_view topic, std::vector<RecordIn> records) {
    auto placed = wait(topics_->produce(topic, records, Acks::committed));
    EXPECT_TRUE(placed) << placed.error().text();
    return placed ? *placed : std::vector<Placed>{};
  }
  static RecordIn record(std::string_view value, std::optional<PartitionId> partition = {}) {
    RecordIn in;
    in.value = value;
    in.partition = partition;
    return in;
  }
  Result<Fetched> fetch(std::string_view topic, PartitionId partition, Offset from,
                        size_t bytes_max = 1 << 20) {
    return wait(topics_->fetch(topic, partition, from, bytes_max, io::after(Millis(0))));
  }

  kit::TemporaryDirectory directory_;
  kit::FakeClock clock_;
  io::Runtime runtime_{{.loops = 2, .disk_threads = 2, .work_threads = 1}};
  Broker::Options options_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<Topics> topics_;
};

TEST_F(BrokerTest, produced_records_are_fetched_with_keys_headers_and_times) {
  create("orders");
  std::array headers = {RecordHeader{"pinpipe-post", "r/1"}};
  RecordIn in{.key = "k", .value = "v", .partition = {}, .timestamp_ms = 77, .headers = {}};
  in.headers.assign(headers.begin(), headers.end());
  auto placed = produce("orders", {in, record("second")});
  ASSERT_EQ(placed.size(), 2u);
  EXPECT_EQ(placed[0].offset, 0);
  EXPECT_EQ(placed[0].timestamp_ms, 77);
  EXPECT_EQ(placed[1].offset, 1);
  EXPECT_EQ(placed[1].timestamp_ms, clock_.wall_ms());
  auto fetched = fetch("orders", 0, 0);
  ASSERT_TRUE(fetched);
  ASSERT_EQ(fetched->records.size(), 2u);
  EXPECT_EQ(fetched->records[0].key, "k");
  EXPECT_EQ(fetched->records[0].value, "v");
  EXPECT_EQ(fetched->records[0].headers.at(0).value, "r/1");
  EXPECT_EQ(fetched->next, 2);
  EXPECT_EQ(fetched->range.high_watermark, 2);
  EXPECT_EQ(fetch("orders", 0, 1)->records.size(), 1u);
}

TEST_F(BrokerTest, keys_choose_partitions_as_kafka_does_and_others_go_round) {
  EXPECT_EQ(murmur2("21"), static_cast<uint32_t>(-973932308));
  EXPECT_EQ(murmur2("foobar"), static_cast<uint32_t>(-790332482));
  EXPECT_EQ(murmur2("a-little-bit-long-string"), static_cast<uint32_t>(-985981536));
  EXPECT_EQ(murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"),
            static_cast<uint32_t>(-58897971));
  EXPECT_EQ(murmur2("abc"), static_cast<uint32_t>(479470107));
  create("orders", 3);
  auto placed = produce("orders", {record("a"), record("b"), record("c"), record("d", 2)});
  std::set<PartitionId> used{placed[0].partition, placed[1].partition, placed[2].partition};
  EXPECT_EQ(used.size(), 3u);
  EXPECT_EQ(placed[3].partition, 2);
  EXPECT_EQ(placed[3].offset, 1);
  auto wrong = produce("orders", {record("x", 3), record("y", 0)});
  EXPECT_EQ(wrong[0].error->code(), Code::not_found);
  EXPECT_FALSE(wrong[1].error);
}

TEST_F(BrokerTest, everything_is_there_after_a_restart) {
  auto facts = create("orders", 2, {{"retention.ms", "1000000"}});
  produce("orders", {record("a", 0), record("b", 1)});
  restart();
  auto found = topics_->find("orders");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, facts.id);
  EXPECT_EQ(found->configs.at("retention.ms"), "1000000");
  EXPECT_EQ(fetch("orders", 1, 0)->records.at(0).value, "b");
}

TEST_F(BrokerTest, a_topic_created_again_is_another_one) {
  auto first = create("orders");
  produce("orders", {record("a")});
  ASSERT_TRUE(wait(topics_->commit("g", {{{"orders", 0}, {.offset = 1, .metadata = ""}}})));
  ASSERT_TRUE(wait(topics_->remove("orders")));
  EXPECT_EQ(topics_->find("orders").error().code(), Code::not_found);
  auto second = create("orders");
  EXPECT_NE(first.id, second.id);
  EXPECT_EQ(wait(topics_->range("orders", 0))->high_watermark, 0);
  EXPECT_TRUE(wait(topics_->committed("g", {{"orders", 0}}))->empty());
}

TEST_F(BrokerTest, a_directory_without_a_row_goes_at_start) {
  create("orders");
  produce("orders", {record("a")});
  std::string stray = options_.log_directory + "/ghost/0123/0";
  ASSERT_TRUE(io::posix_files().make_directories(stray));
  restart();
  EXPECT_FALSE(io::posix_files().exists(options_.log_directory + "/ghost"));
  EXPECT_EQ(fetch("orders", 0, 0)->records.size(), 1u);
}

TEST_F(BrokerTest, names_and_settings_are_checked_and_hints_given) {
  auto code_of = [&](std::string name, ConfigMap configs = {}) {
    auto created = wait(topics_->create({std::move(name), 1, std::move(configs)}));
    return created ? Code::internal : created.error().code();
  };
  EXPECT_EQ(code_of(""), Code::invalid);
  EXPECT_EQ(code_of(".."), Code::invalid);
  EXPECT_EQ(code_of("a/b"), Code::invalid);
  EXPECT_EQ(code_of(std::string(250, 'a')), Code::invalid);
  EXPECT_EQ(code_of("ok", {{"retention.ms", "soon"}}), Code::invalid);
  EXPECT_EQ(code_of("ok", {{"cleanup.policy", "compact,shred"}}), Code::invalid);
  auto unknown = wait(topics_->create({"ok", 1, {{"retention.m", "1"}}}));
  EXPECT_NE(unknown.error().text().find("retention.ms"), std::string::npos);
  create("orders");
  EXPECT_EQ(code_of("orders"), Code::conflict);
  EXPECT_NE(topics_->find("order").error().text().find("orders"), std::string::npos);
}

TEST_F(BrokerTest, find_or_create_makes_a_topic_once) {
  auto first = wait(topics_->find_or_create("auto"));
  auto second = wait(topics_->find_or_create("auto"));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->id, second->id);
  EXPECT_EQ(wait(topics_->find_or_create("a b")).error().code(), Code::invalid);
}

TEST_F(BrokerTest, a_fetch_at_the_end_waits_for_the_next_record) {
  create("orders");
  std::optional<Result<Fetched>> fetched;
  auto follow = [&]() -> io::Task<> {
    fetched = co_await topics_->fetch("orders", 0, 0, 1000, io::after(Millis(20'000)));
  };
  io::Scope* scope = nullptr;
  auto begin = [&]() -> io::Task<> {
    scope = new io::Scope(io::Loop::current());
    scope->spawn("follow", follow());
    co_return;
  };
  io::run_on(runtime_.loop(1), begin());
  produce("orders", {record("a")});
  auto end = [&]() -> io::Task<> {
    co_await scope->join();
    delete scope;
  };
  io::run_on(runtime_.loop(1), end());
  ASSERT_TRUE(*fetched) << fetched->error().text();
  EXPECT_EQ((*fetched)->records.at(0).value, "a");
  EXPECT_TRUE(fetch("orders", 0, 1)->records.empty()) << "the deadline passes: an empty result";
  EXPECT_EQ(fetch("orders", 0, 5).error().code(), Code::invalid);
}

TEST_F(BrokerTest, a_record_beyond_the_bound_is_refused_alone) {
  create("orders", 1, {{"max.message.bytes", "1000"}});
  std::string large(2000, 'x');
  auto placed = produce("orders", {record("a"), record(large), record("b")});
  EXPECT_EQ(placed[0].offset, 0);
  EXPECT_EQ(placed[1].error->code(), Code::invalid);
  EXPECT_EQ(placed[2].offset, 1);
}

TEST_F(BrokerTest, many_records_over_many_partitions_find_their_places) {
  create("orders", 4);
  std::vector<std::string> values;
  for (int i = 0; i < 5000; ++i) values.push_back(std::to_string(i) + std::string(200, 'x'));
  std::vector<RecordIn> records;
  for (const std::string& value : values) {
    records.push_back(record(value));
    records.back().key = value;
  }
  auto placed = produce("orders", std::move(records));
  for (size_t i = 0; i < values.size(); i += 97) {
    auto fetched = fetch("orders", placed[i].partition, placed[i].offset, 1);
    ASSERT_TRUE(fetched);
    EXPECT_EQ(fetched->records.at(0).value, values[i]);
    EXPECT_EQ(fetched->records.at(0).offset, placed[i].offset);
  }
}

TEST_F(BrokerTest, committed_positions_survive_restarts_and_stay_small) {
  create("orders", 2);
  Positions positions{{{"orders", 0}, {.offset = 5, .metadata = "note"}},
                      {{"orders", 1}, {.offset = 7, .metadata = ""}}};
  ASSERT_TRUE(wait(topics_->commit("sink", positions)));
  std::string padding(4000, 'm');
  for (int i = 0; i < 2400; ++i) {
    Positions next{{{"orders", 0}, {.offset = 6 + i, .metadata = padding}}};
    ASSERT_TRUE(wait(topics_->commit("sink", next)));
  }
  auto size = [&] {
    uint64_t size = 0;
    auto offsets = broker_->cluster_as(auth::local_principal())->find("__consumer_offsets");
    for (const auto& log : (*offsets)->logs) size += log->size_bytes();
    return size;
  };
  uint64_t before = size();
  wait_all(broker_->compact());
  EXPECT_LT(size(), before / 2);
  restart();
  auto found = wait(topics_->committed("sink", {{"orders", 0}, {"orders", 1}, {"other", 0}}));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size(), 2u);
  EXPECT_EQ(found->at({"orders", 0}).offset, 2405);
  EXPECT_EQ(found->at({"orders", 1}).offset, 7);
  EXPECT_FALSE(wait(topics_->commit("sink", {{{"nowhere", 0}, {.offset = 1, .metadata = ""}}})));
}

TEST_F(BrokerTest, positions_of_groups_without_members_expire_and_lasting_ones_do_not) {
  create("orders");
  auto cluster = broker_->cluster_as(auth::local_principal());
  Positions positions{{{"orders", 0}, {.offset = 5, .metadata = "note"}}};
  ASSERT_TRUE(wait(topics_->commit("sink", positions)));
  ASSERT_TRUE(wait(cluster->commit("console", positions)));
  ASSERT_TRUE(wait(cluster->commit("app", positions)));
  constexpr Millis day{24LL * 3600 * 1000};
  auto offset_of = [&](std::string_view group) {
    auto found = wait(topics_->committed(group, {{"orders", 0}}));
    return found && found->contains({"orders", 0}) ? found->at({"orders", 0}).offset : -1;
  };
  // A member of `app` is there for ten days.
  JoinRequest join;
  join.group = "app";
  join.protocol_type = "consumer";
  join.protocols = {{"range", ""}};
  join.session_timeout_ms = join.rebalance_timeout_ms = 1'800'000;
  auto joining = (*cluster->groups("app", auth::Action::read))->join(join);
  for (int i = 0; i < 10; ++i) {
    clock_.advance(day);
    wait_all(broker_->expire_positions());
  }
  EXPECT_EQ(offset_of("console"), -1);
  EXPECT_EQ(offset_of("app"), 5);
  EXPECT_EQ(offset_of("sink"), 5);
  cluster.reset();
  restart();
  EXPECT_EQ(offset_of("console"), -1);
  clock_.advance(day * 6);
  wait_all(broker_->expire_positions());
  EXPECT_EQ(offset_of("app"), 5) << "its seven days began when it became empty";
  clock_.advance(day * 3);
  wait_all(broker_->expire_positions());
  EXPECT_EQ(offset_of("app"), -1);
  EXPECT_EQ(offset_of("sink"), 5);
}

TEST_F(BrokerTest, a_group_that_had_members_is_told_from_one_that_only_has_positions) {
  create("orders");
  auto cluster = broker_->cluster_as(auth::local_principal());
  JoinRequest join;
  join.group = "app";
  join.protocol_type = "consumer";
  join.protocols = {{"range", ""}};
  join.session_timeout_ms = join.rebalance_timeout_ms = 60'000;
  auto joining = (*cluster->groups("app", auth::Action::read))->join(join);
  Positions positions{{{"orders", 0}, {.offset = 5, .metadata = ""}}};
  ASSERT_TRUE(wait(cluster->commit("app", positions)));
  ASSERT_TRUE(wait(cluster->commit("assigned", positions)));
  cluster.reset();
  restart();
  cluster = broker_->cluster_as(auth::local_principal());
  EXPECT_EQ(cluster->describe_group("app")->protocol_type, "consumer");
  EXPECT_EQ(cluster->describe_group("assigned")->protocol_type, "");
  ASSERT_TRUE(wait(cluster->remove_group("app")));
  ASSERT_TRUE(wait(cluster->commit("app", positions)));
  restart();
  cluster = broker_->cluster_as(auth::local_principal());
  EXPECT_EQ(cluster->describe_group("app")->protocol_type, "") << "another group of that name";
}

TEST_F(BrokerTest, a_compacted_topic_keeps_the_last_record_of_each_key) {
  create("settings", 1,
         {{"cleanup.policy", "compact"},
          {"segment.bytes", "1024"},
          {"min.cleanable.dirty.ratio", "0.1"}});
  std::vector<std::string> keys;
  for (int i = 0; i < 100; ++i) keys.push_back("key " + std::to_string(i % 4));
  for (const std::string& key : keys) {
    RecordIn in = record("value");
    in.key = key;
    EXPECT_FALSE(produce("settings", {in}).front().error);
  }
  auto keyless = produce("settings", {record("no key")});
  ASSERT_TRUE(keyless.front().error);
  EXPECT_EQ(keyless.front().error->code(), Code::invalid);
  wait_all(broker_->compact());
  std::vector<Offset> offsets;
  for (Offset next = 0; next < 100;) {
    auto fetched = fetch("settings", 0, next, 1);
    ASSERT_TRUE(fetched);
    ASSERT_FALSE(fetched->records.empty()) << "a fetch looks beyond the gaps";
    for (const RecordOut& one : fetched->records) offsets.push_back(one.offset);
    next = fetched->next;
  }
  EXPECT_LT(offsets.size(), 40u);
  EXPECT_EQ(offsets.back(), 99);
  auto trimmed = wait(broker_->cluster_as(auth::local_principal())->trim("settings", 0, 50));
  EXPECT_EQ(trimmed.error().code(), Code::conflict);
}

TEST_F(BrokerTest, who_may_not_is_told_so) {
  create("orders");
  auto stranger = broker_->as({"eve", auth::PrincipalKind::user});
  EXPECT_EQ(stranger->find("orders").error().code(), Code::denied);
  EXPECT_TRUE(stranger->list().empty());
  std::vector<RecordIn> one{record("x")};
  EXPECT_EQ(wait(stranger->produce("orders", one, Acks::committed)).error().code(), Code::denied);
  EXPECT_EQ(wait(stranger->fetch("orders", 0, 0, 1, io::never)).error().code(), Code::denied);
  EXPECT_EQ(wait(stranger->remove("orders")).error().code(), Code::denied);
}

TEST_F(BrokerTest, producer_ids_never_come_twice) {
  auto cluster = broker_->cluster_as(auth::local_principal());
  int64_t first = *wait(cluster->new_producer_id());
  EXPECT_EQ(*wait(cluster->new_producer_id()), first + 1);
  restart();
  EXPECT_GT(*wait(broker_->cluster_as(auth::local_principal())->new_producer_id()), first + 1);
}

TEST_F(BrokerTest, deleting_a_topic_ends_its_followers) {
  create("orders");
  std::optional<Result<Fetched>> fetched;
  auto scope = std::make_unique<std::optional<io::Scope>>();
  auto follow = [&]() -> io::Task<> {
    fetched = co_await topics_->fetch("orders", 0, 0, 1000, io::after(Millis(20'000)));
  };
  auto begin = [&]() -> io::Task<> {
    scope->emplace(io::Loop::current()).spawn("follow", follow());
    co_return;
  };
  io::run_on(runtime_.loop(1), begin());
  ASSERT_TRUE(wait(topics_->remove("orders")));
  auto end = [&]() -> io::Task<> {
    co_await (*scope)->join();
    scope->reset();
  };
  io::run_on(runtime_.loop(1), end());
  EXPECT_EQ(fetched->error().code(), Code::not_found);
}

}  // namespace
}  // namespace pinpipe::broker
