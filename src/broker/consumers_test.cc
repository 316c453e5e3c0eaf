#include "broker/consumers.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "broker/broker.h"
#include "broker/consumer_protocol.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/temporary_directory.h"

namespace pinpipe::broker {
namespace {

using io::wait_on;

constexpr Millis long_enough{5'000};

struct ConsumersTest : testing::Test {
  kit::TemporaryDirectory directory;
  io::Runtime runtime{{.loops = 1, .disk_threads = 2, .work_threads = 1}};
  auth::Principal me = auth::local_principal();
  std::unique_ptr<Broker> broker;
  std::unique_ptr<Topics> topics;
  std::unique_ptr<Consumers> consumers;
  std::unique_ptr<io::Scope> services;

  void SetUp() override { open(); }
  void TearDown() override { close(); }

  void open(Millis idle_max = Millis(300'000)) {
    Broker::Options options;
    options.log_directory = directory.path() + "/log";
    options.state_path = directory.path() + "/broker.db";
    auto opened = Broker::open(options, io::posix_files(), runtime.disk(), system_clock(),
                               auth::Policy::open_for_local());
    ASSERT_TRUE(opened) << opened.error().text();
    broker = std::move(*opened);
    topics = broker->as(me);
    auto kept = Consumers::open({.state_path = directory.path() + "/consumers.db",
                                 .idle_max = idle_max,
                                 .save_every = Millis(20)},
                                *broker, runtime.disk(), system_clock());
    ASSERT_TRUE(kept) << kept.error().text();
    consumers = std::move(*kept);
    services = std::make_unique<io::Scope>(runtime.loop(0));
    runtime.loop(0).post([this] {
      services->spawn("broker", broker->run());
      services->spawn("consumers", consumers->run());
    });
  }
  // `clean` as at the end of a program; otherwise as when it is killed.
  void close(bool clean = true) {
    io::run_on(runtime.loop(0), [](io::Scope& scope) -> io::Task<> {
      scope.cancel();
      co_await scope.join();
    }(*services));
    services.reset();
    if (clean) {
      EXPECT_TRUE(wait_on(runtime.loop(0), consumers->close()));
    }
    consumers.reset();
    EXPECT_TRUE(wait_on(runtime.loop(0), broker->close()));
    topics.reset();
    broker.reset();
  }

  void make_topic(std::string name, int32_t partitions = 1) {
    TopicSpec spec{std::move(name), partitions, {}};
    auto made = wait_on(runtime.loop(0), topics->create(std::move(spec)));
    ASSERT_TRUE(made) << made.error().text();
  }
  void post(const std::string& topic, std::vector<std::string> values, PartitionId to = 0) {
    std::vector<RecordIn> records;
    for (const std::string& value : values) {
      records.emplace_back();
      records.back().value = value;
      records.back().partition = to;
    }
    auto placed = wait_on(runtime.loop(0), topics->produce(topic, records, Acks::committed));
    ASSERT_TRUE(placed) << placed.error().text();
  }
  std::shared_ptr<Consumer> make(std::string name, ConsumerSpec spec = {}) {
    spec.group = "students";
    spec.name = std::move(name);
    auto made = wait_on(runtime.loop(0), consumers->create(me, std::move(spec)));
    EXPECT_TRUE(made) << made.error().text();
    return *made;
  }
  std::shared_ptr<Consumer> make_from_start(std::string name, bool auto_commit = true) {
    ConsumerSpec spec;
    spec.reset = OffsetReset::earliest;
    spec.auto_commit = auto_commit;
    return make(std::move(name), std::move(spec));
  }
  void subscribe(const std::shared_ptr<Consumer>& consumer, std::vector<std::string> names) {
    Status done = consumer->subscribe(std::move(names));
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_TRUE(wait_on(runtime.loop(0), consumers->save_plan(consumer)));
  }
  void assign(const std::shared_ptr<Consumer>& consumer, std::vector<TopicPartition> which) {
    Status done = wait_on(runtime.loop(0), consumer->assign(std::move(which)));
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_TRUE(wait_on(runtime.loop(0), consumers->save_plan(consumer)));
  }
  std::unique_ptr<Consumer::Reading> read(const std::shared_ptr<Consumer>& consumer,
                                          Consumer::Bounds bounds = {.wait = long_enough}) {
    auto reading = wait_on(runtime.loop(0), consumer->read(bounds));
    EXPECT_TRUE(reading) << reading.error().text();
    return reading ? std::move(*reading) : nullptr;
  }
  static std::vector<std::string> values_of(const Consumer::Reading& reading) {
    std::vector<std::string> values;
    for (const auto& one : reading.records()) values.emplace_back(one.record->value.value_or(""));
    return values;
  }
  std::vector<std::string> take(const std::shared_ptr<Consumer>& consumer,
                                Consumer::Bounds bounds = {.wait = long_enough}) {
    auto reading = read(consumer, bounds);
    std::vector<std::string> values = values_of(*reading);
    reading->accept();
    return values;
  }
  std::vector<std::string> take_at_once(const std::shared_ptr<Consumer>& consumer) {
    return take(consumer, {.wait = Millis(0)});
  }
};

using Values = std::vector<std::string>;

TEST_F(ConsumersTest, the_first_read_after_a_subscription_waits_for_the_group_and_gives_records) {
  make_topic("t");
  post("t", {"a", "b"});
  auto consumer = make_from_start("one");
  subscribe(consumer, {"t"});
  EXPECT_EQ(take(consumer), (Values{"a", "b"}));
  EXPECT_EQ(take_at_once(consumer), Values{});
  post("t", {"c"});
  EXPECT_EQ(take(consumer), Values{"c"});
}

TEST_F(ConsumersTest, a_reading_that_is_dropped_is_given_again) {
  make_topic("t");
  post("t", {"a", "b"});
  auto consumer = make_from_start("one");
  subscribe(consumer, {"t"});
  EXPECT_EQ(values_of(*read(consumer)), (Values{"a", "b"}));
  auto again = read(consumer);
  EXPECT_EQ(values_of(*again), (Values{"a", "b"}));
  again->cut(1);
  again->accept();
  again.reset();
  EXPECT_EQ(take(consumer), Values{"b"});
}

TEST_F(ConsumersTest, one_reads_at_a_time_and_the_next_waits_its_turn) {
  make_topic("t");
  post("t", {"a"});
  auto consumer = make_from_start("one");
  subscribe(consumer, {"t"});
  auto first = read(consumer);
  EXPECT_EQ(take_at_once(consumer), Values{}) << "somebody else is reading";
  first.reset();
  EXPECT_EQ(take(consumer), Values{"a"});
}

TEST_F(ConsumersTest, consumers_come_back_after_a_restart_with_what_they_had_read) {
  make_topic("t");
  make_topic("by_hand");
  post("t", {"a", "b"});
  post("by_hand", {"x", "y"});
  subscribe(make_from_start("subscribed", false), {"t"});
  assign(make_from_start("assigned", false), {{"by_hand", 0}});
  EXPECT_EQ(take(*consumers->find(me, "students", "subscribed")), (Values{"a", "b"}));
  EXPECT_EQ(take(*consumers->find(me, "students", "assigned"), {.bytes_max = 2, .wait = {}}),
            Values{"x"});
  close();
  open();
  auto subscribed = consumers->find(me, "students", "subscribed");
  ASSERT_TRUE(subscribed) << subscribed.error().text();
  post("t", {"c"});
  EXPECT_EQ(take(*subscribed), Values{"c"});
  EXPECT_EQ(take(*consumers->find(me, "students", "assigned")), Values{"y"});
}

TEST_F(ConsumersTest, after_a_kill_nothing_is_missed) {
  make_topic("t");
  auto consumer = make("latest");  // by default only what comes from now on
  assign(consumer, {{"t", 0}});
  post("t", {"a"});
  close(false);
  open();
  auto again = consumers->find(me, "students", "latest");
  ASSERT_TRUE(again);
  EXPECT_EQ(take_at_once(*again), Values{"a"});
}

TEST_F(ConsumersTest, two_members_share_the_partitions_and_one_takes_over) {
  make_topic("t", 2);
  auto one = make_from_start("one");
  auto two = make_from_start("two");
  subscribe(one, {"t"});
  subscribe(two, {"t"});
  auto count = [&] { return one->assignment().size() + two->assignment().size(); };
  // Reading waits for changes of the assignment, so waiting for it is reading.
  while (one->assignment().size() != 1 || two->assignment().size() != 1) {
    (void)take(one, {.wait = Millis(50)});
    (void)take(two, {.wait = Millis(50)});
  }
  EXPECT_EQ(count(), 2U);
  post("t", {"p0"}, 0);
  post("t", {"p1"}, 1);
  Values both = take(one);
  for (std::string& value : take(two)) both.push_back(std::move(value));
  std::ranges::sort(both);
  EXPECT_EQ(both, (Values{"p0", "p1"}));
  EXPECT_TRUE(wait_on(runtime.loop(0), consumers->remove(two)));
  while (one->assignment().size() != 2) (void)take(one, {.wait = Millis(50)});
  post("t", {"q0"}, 0);
  post("t", {"q1"}, 1);
  Values all = take(one);
  if (all.size() < 2) {
    for (std::string& value : take(one)) all.push_back(std::move(value));
  }
  std::ranges::sort(all);
  EXPECT_EQ(all, (Values{"q0", "q1"})) << "what was read is committed when members change";
}

TEST_F(ConsumersTest, a_pattern_follows_topics_that_come_later) {
  auto consumer = make_from_start("one");
  ASSERT_TRUE(consumer->subscribe_to_pattern("0e9.*\\.pin"));
  EXPECT_TRUE(wait_on(runtime.loop(0), consumers->save_plan(consumer)));
  make_topic("0e9.pin");
  make_topic("other");
  post("0e9.pin", {"a"});
  post("other", {"b"});
  EXPECT_EQ(take(consumer), Values{"a"});
  EXPECT_EQ(consumer->subscription(), Values{"0e9.pin"});
  EXPECT_EQ(consumer->subscribe_to_pattern("(").error().code(), Code::invalid);
}

TEST_F(ConsumersTest, a_pattern_made_to_be_slow_is_matched_in_time) {
  make_topic(std::string(249, 'a'));
  auto consumer = make("one");
  ASSERT_TRUE(consumer->subscribe_to_pattern("(a+)+b"));
  EXPECT_EQ(consumer->subscription(), Values{});
}

TEST_F(ConsumersTest, subscribing_and_assigning_exclude_each_other) {
  make_topic("t");
  auto consumer = make("one");
  subscribe(consumer, {"t"});
  auto assigned = wait_on(runtime.loop(0), consumer->assign({{"t", 0}}));
  EXPECT_EQ(assigned.error().code(), Code::conflict);
  EXPECT_TRUE(wait_on(runtime.loop(0), consumer->unsubscribe()));
  assign(consumer, {{"t", 0}});
  EXPECT_EQ(consumer->subscribe({"t"}).error().code(), Code::conflict);
  auto unknown = wait_on(runtime.loop(0), consumer->assign({{"t", 7}}));
  EXPECT_EQ(unknown.error().code(), Code::not_found);
}

TEST_F(ConsumersTest, seeks_move_the_next_read_and_make_a_reading_before_them_void) {
  make_topic("t");
  post("t", {"a", "b", "c"});
  auto consumer = make_from_start("one");
  subscribe(consumer, {"t"});
  auto reading = read(consumer);
  EXPECT_TRUE(wait_on(runtime.loop(0), consumer->seek({{{"t", 0}, 1}})));
  reading->accept();
  reading.reset();
  EXPECT_EQ(take(consumer), (Values{"b", "c"}));
  std::vector<TopicPartition> t{{"t", 0}};
  EXPECT_TRUE(wait_on(runtime.loop(0), consumer->seek_to(Consumer::End::beginning, t)));
  EXPECT_EQ(take(consumer), (Values{"a", "b", "c"}));
  EXPECT_TRUE(wait_on(runtime.loop(0), consumer->seek_to(Consumer::End::beginning, t)));
  EXPECT_TRUE(wait_on(runtime.loop(0), consumer->seek_to(Consumer::End::end, t)));
  EXPECT_EQ(take_at_once(consumer), Values{});
  auto elsewhere = wait_on(runtime.loop(0), consumer->seek({{{"u", 0}, 1}}));
  EXPECT_EQ(elsewhere.error().code(), Code::conflict);
}

TEST_F(ConsumersTest, commits_are_the_groups_and_only_accepted_records_are_committed) {
  make_topic("t");
  post("t", {"a", "b", "c"});
  auto consumer = make_from_start("one", false);
  subscribe(consumer, {"t"});
  auto reading = read(consumer, {.bytes_max = 3, .wait = long_enough});
  EXPECT_EQ(values_of(*reading), (Values{"a", "b"}));
  EXPECT_TRUE(wait_on(runtime.loop(0), consumer->commit()));
  auto committed = wait_on(runtime.loop(0), consumer->committed({{"t", 0}}));
  EXPECT_EQ(committed->at({"t", 0}).offset, 0);
  reading->accept();
  reading.reset();
  EXPECT_TRUE(wait_on(runtime.loop(0), consumer->commit()));
  committed = wait_on(runtime.loop(0), consumer->committed({{"t", 0}}));
  EXPECT_EQ(committed->at({"t", 0}).offset, 2);
  auto unknown = wait_on(runtime.loop(0), consumer->committed({{"nothing", 0}}));
  EXPECT_EQ(unknown.error().code(), Code::not_found);
}

TEST_F(ConsumersTest, a_position_that_is_gone_begins_where_the_reset_rule_says) {
  make_topic("t");
  post("t", {"a"});
  auto consumer = make_from_start("one");
  assign(consumer, {{"t", 0}});
  EXPECT_TRUE(wait_on(runtime.loop(0), consumer->seek({{{"t", 0}, 99}})));
  EXPECT_EQ(take(consumer), Values{"a"});
  ConsumerSpec strict;
  strict.reset = OffsetReset::none;
  auto lost = make("strict", std::move(strict));
  assign(lost, {{"t", 0}});
  auto reading = wait_on(runtime.loop(0), lost->read({.wait = long_enough}));
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().text(), "Undefined offset with no reset policy for partitions: [t-0]");
}

TEST_F(ConsumersTest, names_are_taken_once_and_belong_to_their_maker) {
  auto consumer = make("one");
  ConsumerSpec same;
  same.group = "students";
  same.name = "one";
  auto twice = wait_on(runtime.loop(0), consumers->create(me, same));
  EXPECT_EQ(twice.error().code(), Code::conflict);
  auth::Principal other{"other", auth::PrincipalKind::service};
  EXPECT_EQ(consumers->find(other, "students", "one").error().code(), Code::not_found);
  auto wrong = consumers->find(me, "students", "ono");
  EXPECT_EQ(wrong.error().text(), "group students has the consumers one");
  EXPECT_TRUE(wait_on(runtime.loop(0), consumers->remove(consumer)));
  auto again = wait_on(runtime.loop(0), consumers->remove(consumer));
  EXPECT_EQ(again.error().code(), Code::not_found) << "a second delete finds nothing";
  make("one");
}

TEST_F(ConsumersTest, consumers_that_nobody_asks_for_end) {
  close();
  open(Millis(1));
  make_topic("quiet");
  make("one");
  while (consumers->find(me, "students", "one")) {
    auto nothing = topics->fetch("quiet", 0, 0, 1, io::after(Millis(30)));
    (void)wait_on(runtime.loop(0), std::move(nothing));
  }
  close();
  open();
  EXPECT_FALSE(consumers->find(me, "students", "one"));
}

TEST(ConsumerProtocol, what_is_encoded_is_decoded_and_short_bytes_are_refused) {
  std::vector<std::string> names{"b", "a"};
  std::string bytes = encode_subscription(names);
  EXPECT_EQ(decode_subscription(bytes), names);
  for (size_t size = 0; size + 4 < bytes.size(); ++size)
    EXPECT_FALSE(decode_subscription(std::string_view(bytes).substr(0, size))) << size;
  std::vector<TopicPartition> partitions{{"a", 0}, {"a", 2}, {"b", 1}};
  EXPECT_EQ(decode_assignment(encode_assignment(partitions)), partitions);
  EXPECT_EQ(decode_assignment("")->size(), 0U);
  EXPECT_FALSE(decode_assignment(std::string("\0\0\x7f\xff\xff\xff", 6)));
}

TEST(ConsumerProtocol, ranges_are_kafkas) {
  std::vector<GroupMember> members{{"m2", {}, encode_subscription({"t"})},
                                   {"m1", {}, encode_subscription({"t", "u"})},
                                   {"m3", {}, "?"}};
  auto assigned = assign_by_range(members, {{"t", 3}, {"u", 1}});
  EXPECT_EQ(decode_assignment(assigned["m1"]),
            (std::vector<TopicPartition>{{"t", 0}, {"t", 1}, {"u", 0}}));
  EXPECT_EQ(decode_assignment(assigned["m2"]), (std::vector<TopicPartition>{{"t", 2}}));
  EXPECT_EQ(decode_assignment(assigned["m3"])->size(), 0U);
}

}  // namespace
}  // namespace pinpipe::broker
