// What clients rely on and other new brokers got wrong: one test for each, by the bytes.
#include <gtest/gtest.h>
#include <set>

#include "broker/consumer_protocol.h"
#include "doors/kafka/exchange_fixture.h"
#include "kit/memory_files.h"

namespace pinpipe::kafka {
namespace {

constexpr int16_t produce_key = 0;
constexpr int16_t fetch_key = 1;
constexpr int16_t list_offsets_key = 2;
constexpr int16_t metadata_key = 3;
constexpr int16_t offset_commit_key = 8;
constexpr int16_t offset_fetch_key = 9;
constexpr int16_t create_topics_key = 19;
constexpr int16_t init_producer_key = 22;
constexpr int16_t describe_configs_key = 32;
constexpr int16_t create_partitions_key = 37;
constexpr int16_t offset_for_leader_epoch_key = 23;
constexpr int16_t alter_configs_key = 44;
constexpr int16_t offset_delete_key = 47;

class QuirksTest : public ExchangeFixture {
 protected:
  using ExchangeFixture::ExchangeFixture;

  struct Sent {
    int16_t error = 0;
    int64_t base = -1;
    std::vector<int32_t> bad_records;
  };
  static std::string batch_of(std::vector<std::pair<std::optional<std::string>, int64_t>> records) {
    log::BatchBuilder builder;
    for (const auto& [key, time_ms] : records)
      builder.add({.key = key, .value = "value", .timestamp_ms = {}, .headers = {}}, time_ms);
    return std::move(builder).finish();
  }
  Sent send(std::string_view topic, const std::string& batch, int16_t acks = -1) {
    Encoder body(false);
    body.maybe_text(std::nullopt);
    body.number(acks);
    body.number(int32_t{1000});
    body.count(1);
    body.text(topic);
    body.count(1);
    body.number(int32_t{0});
    body.bytes(batch);
    std::string answer = ask(head(produce_key, 8) + bytes_of(body));
    Decoder in(answer, false);
    Sent sent;
    in.each([&] {
      in.text();
      in.each([&] {
        in.number<int32_t>();
        sent.error = in.number<int16_t>();
        sent.base = in.number<int64_t>();
        in.number<int64_t>();
        in.number<int64_t>();
        in.each([&] {
          sent.bad_records.push_back(in.number<int32_t>());
          EXPECT_TRUE(in.maybe_text());
        });
        in.maybe_text();
      });
    });
    return sent;
  }
  void create_with(std::string name, broker::ConfigMap configs) {
    broker::TopicSpec spec{.name = std::move(name), .partitions = 1, .configs = std::move(configs)};
    auto created = io::wait_on(runtime_.loop(0), cluster_->create(std::move(spec), false));
    ASSERT_TRUE(created) << created.error().text();
  }
  int16_t metadata_error(std::string_view topic, bool may_create) {
    Encoder body(false);
    body.count(1);
    body.text(topic);
    body.boolean(may_create);
    std::string answer = ask(head(metadata_key, 4) + bytes_of(body));
    Decoder in(answer, false);
    in.number<int32_t>();
    in.each([&] {
      EXPECT_GE(in.number<int32_t>(), 0);
      EXPECT_EQ(in.text(), "127.0.0.1");
      in.number<int32_t>();
      in.maybe_text();
    });
    in.maybe_text();
    EXPECT_EQ(in.number<int32_t>(), node_id) << "the controller is a listed broker";
    EXPECT_EQ(in.count(), 1u);
    return in.number<int16_t>();
  }
  log::TimedOffset offset_at(std::string_view topic, int64_t time_ms, int16_t version = 1) {
    Encoder body(false);
    body.number(int32_t{-1});
    if (version >= 2) body.number(int8_t{0});
    body.count(1);
    body.text(topic);
    body.count(1);
    body.number(int32_t{0});
    if (version >= 4) body.number(int32_t{-1});
    body.number(time_ms);
    std::string answer = ask(head(list_offsets_key, version) + bytes_of(body));
    Decoder in(answer, false);
    if (version >= 2) in.number<int32_t>();
    EXPECT_EQ(in.count(), 1u);
    in.text();
    EXPECT_EQ(in.count(), 1u);
    in.number<int32_t>();
    EXPECT_EQ(in.number<int16_t>(), 0);
    auto found_ms = in.number<int64_t>();
    return {.offset = in.number<int64_t>(), .timestamp_ms = found_ms};
  }
  std::map<std::string, std::string> configs_of(std::string_view topic) {
    Encoder body(false);
    body.count(1);
    body.number(int8_t{2});
    body.text(topic);
    body.null_array();
    body.boolean(false);
    std::string answer = ask(head(describe_configs_key, 1) + bytes_of(body));
    Decoder in(answer, false);
    std::map<std::string, std::string> configs;
    in.number<int32_t>();
    in.each([&] {
      EXPECT_EQ(in.number<int16_t>(), 0);
      in.maybe_text();
      in.number<int8_t>();
      in.text();
      in.each([&] {
        std::string name(in.text());
        configs[name] = in.maybe_text().value_or("");
        in.boolean();
        in.number<int8_t>();
        in.boolean();
        EXPECT_EQ(in.count(), 0u) << "synonyms were not asked for";
      });
    });
    return configs;
  }
  // An incremental alteration of one setting; gives the error.
  int16_t alter(std::string_view topic, std::string_view setting, int8_t operation,
                std::string_view value) {
    Encoder body(false);
    body.count(1);
    body.number(int8_t{2});
    body.text(topic);
    body.count(1);
    body.text(setting);
    body.number(operation);
    body.text(value);
    body.boolean(false);
    std::string answer = ask(head(alter_configs_key, 0) + bytes_of(body));
    Decoder in(answer, false);
    in.number<int32_t>();
    EXPECT_EQ(in.count(), 1u);
    return in.number<int16_t>();
  }
  // Error and records of a fetch of version 4.
  std::pair<int16_t, std::string> fetch(std::string_view topic, int64_t offset) {
    Encoder body(false);
    body.number(int32_t{-1});
    body.number(int32_t{0});
    body.number(int32_t{1});
    body.number(int32_t{1 << 20});
    body.number(int8_t{0});
    body.count(1);
    body.text(topic);
    body.count(1);
    body.number(int32_t{0});
    body.number(offset);
    body.number(int32_t{1 << 20});
    std::string answer = ask(head(fetch_key, 4) + bytes_of(body));
    Decoder in(answer, false);
    in.number<int32_t>();
    EXPECT_EQ(in.count(), 1u);
    in.text();
    EXPECT_EQ(in.count(), 1u);
    in.number<int32_t>();
    auto error = in.number<int16_t>();
    in.number<int64_t>();
    in.number<int64_t>();
    in.maybe_count();
    return {error, std::string(in.maybe_bytes().value_or(""))};
  }
};

TEST_F(QuirksTest, metadata_creates_a_topic_when_the_client_lets_it) {
  EXPECT_EQ(metadata_error("orders", false), 3);
  EXPECT_EQ(metadata_error("orders", true), 0);
  EXPECT_EQ(metadata_error("orders", false), 0);
  EXPECT_EQ(metadata_error("no/such name", true), 17);
}

TEST_F(QuirksTest, settings_that_are_lists_take_append_and_subtract) {
  constexpr int8_t set = 0;
  constexpr int8_t append = 2;
  constexpr int8_t subtract = 3;
  create("orders", 1);
  EXPECT_EQ(alter("orders", "cleanup.policy", append, "compact"), 0);
  EXPECT_EQ(configs_of("orders").at("cleanup.policy"), "compact,delete");
  EXPECT_EQ(alter("orders", "cleanup.policy", subtract, "delete"), 0);
  EXPECT_EQ(configs_of("orders").at("cleanup.policy"), "compact");
  EXPECT_EQ(alter("orders", "cleanup.policy", subtract, "compact"), 40) << "nothing would be left";
  EXPECT_EQ(alter("orders", "retention.ms", append, "5"), 40) << "a number is no list";
  EXPECT_EQ(alter("orders", "retention.ms", set, "soon"), 40);
  EXPECT_EQ(alter("orders", "retention.ms", set, "5000"), 0);
  EXPECT_EQ(configs_of("orders").at("retention.ms"), "5000");
}

TEST_F(QuirksTest, every_setting_is_described_with_its_standard) {
  create("orders", 1);
  auto configs = configs_of("orders");
  for (const broker::ConfigFact& fact : broker::topic_config_facts())
    EXPECT_EQ(configs.at(std::string(fact.name)), fact.standard);
  for (const char* name : {"cleanup.policy", "retention.ms", "min.insync.replicas",
                           "max.message.bytes", "compression.type"})
    EXPECT_TRUE(configs.contains(name)) << name;
}

TEST_F(QuirksTest, a_record_without_a_key_in_a_compacted_topic_is_named) {
  create_with("settings", {{"cleanup.policy", "compact"}});
  Sent refused =
      send("settings", batch_of({{"a", 1}, {std::nullopt, 2}, {"c", 3}, {std::nullopt, 4}}));
  EXPECT_EQ(refused.error, 87);
  EXPECT_EQ(refused.bad_records, (std::vector<int32_t>{1, 3}));
  EXPECT_EQ(send("settings", batch_of({{"a", 1}})).error, 0);
}

TEST_F(QuirksTest, a_time_leads_to_its_record_even_inside_a_batch) {
  create("orders", 1);
  ASSERT_EQ(send("orders", batch_of({{"a", 100}, {"b", 200}, {"c", 300}})).error, 0);
  ASSERT_EQ(send("orders", batch_of({{"d", 250}})).error, 0);
  EXPECT_EQ(offset_at("orders", 150).offset, 1);
  EXPECT_EQ(offset_at("orders", 150).timestamp_ms, 200);
  EXPECT_EQ(offset_at("orders", 300).offset, 2);
  EXPECT_EQ(offset_at("orders", 301).offset, -1) << "none is no error";
  EXPECT_EQ(offset_at("orders", -2).offset, 0);
  EXPECT_EQ(offset_at("orders", -1).offset, 4);
}

TEST_F(QuirksTest, a_fetch_inside_a_batch_gives_the_whole_batch) {
  create("orders", 1);
  ASSERT_EQ(send("orders", batch_of({{"a", 1}, {"b", 2}, {"c", 3}})).error, 0);
  auto [error, records] = fetch("orders", 2);
  EXPECT_EQ(error, 0);
  ASSERT_GE(records.size(), log::header_bytes);
  EXPECT_EQ(log::read_header(records).base_offset, 0);
  EXPECT_EQ(fetch("orders", 3).second, "");
  EXPECT_EQ(fetch("orders", 4).first, 1);
  EXPECT_EQ(fetch("orders", -1).first, 1);
}

TEST_F(QuirksTest, partitions_are_added_and_told) {
  create("orders", 1);
  auto grow = [&](int32_t total) {
    Encoder body(false);
    body.count(1);
    body.text("orders");
    body.number(total);
    body.null_array();
    body.number(int32_t{1000});
    body.boolean(false);
    std::string answer = ask(head(create_partitions_key, 0) + bytes_of(body));
    Decoder in(answer, false);
    in.number<int32_t>();
    EXPECT_EQ(in.count(), 1u);
    EXPECT_EQ(in.text(), "orders");
    return in.number<int16_t>();
  };
  EXPECT_EQ(grow(3), 0);
  EXPECT_EQ((*cluster_->find("orders"))->facts.partitions, 3);
  EXPECT_EQ(grow(2), 37);
  EXPECT_EQ(grow(1'000'000'000), 44) << "found by the fuzzer: it tried";
}

TEST_F(QuirksTest, the_metadata_of_a_position_comes_back_as_it_was) {
  create("orders", 1);
  Encoder commit(false);
  commit.text("group");
  commit.number(int32_t{-1});
  commit.text("");
  commit.number(int64_t{-1});
  commit.count(1);
  commit.text("orders");
  commit.count(1);
  commit.number(int32_t{0});
  commit.number(int64_t{7});
  commit.maybe_text("what I was doing");
  ask(head(offset_commit_key, 2) + bytes_of(commit));
  Encoder request(false);
  request.text("group");
  request.count(1);
  request.text("orders");
  request.numbers32({0});
  std::string answer = ask(head(offset_fetch_key, 1) + bytes_of(request));
  Decoder in(answer, false);
  EXPECT_EQ(in.count(), 1u);
  in.text();
  EXPECT_EQ(in.count(), 1u);
  in.number<int32_t>();
  EXPECT_EQ(in.number<int64_t>(), 7);
  EXPECT_EQ(in.maybe_text(), "what I was doing");
}

TEST_F(QuirksTest, topics_created_together_succeed_and_fail_one_by_one) {
  Encoder body(false);
  body.count(3);
  for (std::string name : {"good", "bad", "better"}) {
    body.text(name);
    body.number(int32_t{1});
    body.number(int16_t{1});
    body.count(0);
    body.count(1);
    body.text("retention.ms");
    body.maybe_text(name == "bad" ? "soon" : "1000");
  }
  body.number(int32_t{1000});
  body.boolean(false);
  std::string answer = ask(head(create_topics_key, 1) + bytes_of(body));
  Decoder in(answer, false);
  std::map<std::string, int16_t> errors;
  in.each([&] {
    std::string name(in.text());
    errors[name] = in.number<int16_t>();
    in.maybe_text();
  });
  EXPECT_EQ(errors, (std::map<std::string, int16_t>{{"good", 0}, {"bad", 40}, {"better", 0}}));
}

TEST_F(QuirksTest, batches_are_refused_in_the_protocols_words) {
  create_with("small", {{"max.message.bytes", "200"}});
  std::vector<std::pair<std::optional<std::string>, int64_t>> many(50, {"key", 1});
  EXPECT_EQ(send("small", batch_of(many)).error, 10);
  create("orders", 1);
  std::string damaged = batch_of({{"a", 1}});
  damaged.back() ^= 1;
  EXPECT_EQ(send("orders", damaged).error, 2);
  std::string old = batch_of({{"a", 1}});
  old[16] = 1;
  EXPECT_EQ(send("orders", old).error, 87);
  EXPECT_EQ(send("orders", "").error, 87);
  EXPECT_EQ(send("orders", batch_of({{"a", 1}}).substr(0, 65)).error, 87) << "cut short";
  std::string lying = batch_of({{"a", 1}});
  store_be<int32_t>(lying.data() + 57, 5);
  log::stamp_append_time(lying, 1);  // only to have the CRC made again
  EXPECT_EQ(send("orders", lying).error, 32) << "log append time is ours to set";
  EXPECT_EQ(send("nowhere", batch_of({{"a", 1}})).error, 3);
  EXPECT_EQ(send("orders", batch_of({{"a", 1}}), 7).error, 21) << "acks of 7";
}

TEST_F(QuirksTest, a_name_that_no_topic_can_have_is_not_just_unknown) {
  EXPECT_EQ(metadata_error("nowhere", false), 3);
  EXPECT_EQ(metadata_error("no/where", false), 17);
}

TEST_F(QuirksTest, of_an_epoch_still_to_come_nothing_is_known) {
  create("orders", 1);
  produce("orders", 0, "value");
  struct End {
    int16_t error;
    int32_t epoch;
    int64_t offset;
  };
  auto end_of = [&](int32_t known, int32_t epoch) {
    Encoder body(false);
    body.count(1);
    body.text("orders");
    body.count(1);
    body.number(int32_t{0});
    body.number(known);
    body.number(epoch);
    std::string answer = ask(head(offset_for_leader_epoch_key, 2) + bytes_of(body));
    Decoder in(answer, false);
    in.number<int32_t>();
    EXPECT_EQ(in.count(), 1u);
    in.text();
    EXPECT_EQ(in.count(), 1u);
    End end{.error = in.number<int16_t>(), .epoch = -2, .offset = -2};
    in.number<int32_t>();
    end.epoch = in.number<int32_t>();
    end.offset = in.number<int64_t>();
    return end;
  };
  EXPECT_EQ(end_of(-1, 0).offset, 1);
  EXPECT_EQ(end_of(0, 7).epoch, -1);
  EXPECT_EQ(end_of(0, 7).offset, -1);
  EXPECT_EQ(end_of(7, 0).error, 75) << "the client knows an epoch that we do not";
}

TEST_F(QuirksTest, positions_in_a_topic_that_members_read_are_not_deleted) {
  create("orders", 1);
  create("old", 1);
  broker::JoinRequest join;
  join.group = "readers";
  join.protocol_type = "consumer";
  join.protocols = {{"range", broker::encode_subscription({"orders"})}};
  join.session_timeout_ms = join.rebalance_timeout_ms = 60'000;
  broker::Groups& groups = **cluster_->groups("readers", auth::Action::read);
  auto joining = groups.join(join);
  while (groups.describe("readers")->state != "CompletingRebalance") groups.expire();
  auto errors_of = [&] {
    Encoder body(false);
    body.text("readers");
    body.count(2);
    for (std::string_view topic : {"orders", "old"}) {
      body.text(topic);
      body.numbers32({0});
    }
    std::string answer = ask(head(offset_delete_key, 0) + bytes_of(body));
    Decoder in(answer, false);
    std::vector<int16_t> errors{in.number<int16_t>()};
    in.number<int32_t>();
    in.each([&] {
      in.text();
      in.each([&] {
        in.number<int32_t>();
        errors.push_back(in.number<int16_t>());
      });
    });
    return errors;
  };
  EXPECT_EQ(errors_of(), (std::vector<int16_t>{0, 86, 0}));
}

TEST_F(QuirksTest, a_produce_without_acknowledgement_has_no_answer) {
  create("orders", 1);
  send("orders", batch_of({{"a", 1}}), 0);
  EXPECT_TRUE(closed_);
  EXPECT_TRUE(collected_.bytes.empty());
  send("nowhere", batch_of({{"a", 1}}), 0);
  EXPECT_FALSE(closed_) << "so that the client looks for the topic again";
}

TEST_F(QuirksTest, transactions_are_refused_before_they_begin) {
  Encoder body(false);
  body.maybe_text("transaction");
  body.number(int32_t{1000});
  std::string answer = ask(head(init_producer_key, 0) + bytes_of(body));
  Decoder in(answer, false);
  in.number<int32_t>();
  EXPECT_NE(in.number<int16_t>(), 0);
}

class FullDiskTest : public QuirksTest {
 protected:
  FullDiskTest() : QuirksTest(disk()) {}
  static kit::MemoryFiles& disk() {
    static kit::MemoryFiles files;
    return files;
  }
};

TEST_F(FullDiskTest, a_full_disk_is_a_storage_error_reads_go_on_and_it_passes) {
  create("orders", 1);
  ASSERT_EQ(send("orders", batch_of({{"a", 1}})).error, 0);
  disk().set_capacity(0);
  EXPECT_EQ(send("orders", batch_of({{"b", 2}})).error, 56);
  EXPECT_FALSE(fetch("orders", 0).second.empty());
  disk().set_capacity(std::nullopt);
  Sent sent = send("orders", batch_of({{"b", 2}}));
  EXPECT_EQ(sent.error, 0);
  EXPECT_EQ(sent.base, 1) << "nothing of the refused one has stayed";
}

}  // namespace
}  // namespace pinpipe::kafka
