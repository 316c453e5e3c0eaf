#include "source/emulator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <set>

#include "http/server.h"
#include "io/runtime.h"
#include "io/tls.h"
#include "kit/certificates.h"

namespace pinpipe::source {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Seen {
  std::string method, target, type, post, body;
};

// A gateway that remembers what it was sent and answers as the test says.
class EmulatorTest : public testing::Test {
 public:
  using Answer = std::function<int(const Seen&)>;

  EmulatorTest()
      : server_(runtime_, {.name = "gateway"},
                [this](http::Request& request, http::Response& response) {
                  return serve(request, response);
                }) {
    port_ = *server_.listen_tcp("127.0.0.1", 0);
    server_.start();
  }
  ~EmulatorTest() override { server_.stop(); }

  io::Task<> serve(http::Request& request, http::Response& response) {
    Seen seen{request.method, request.target,
              std::string(request.headers.find("Content-Type").value_or("")),
              std::string(request.headers.find("pinpipe-post").value_or("")), request.body};
    std::lock_guard lock(mutex_);
    seen_.push_back(seen);
    response.set_json(answer_(seen), reply_);
    co_return;
  }

  Emulator::Options options(Target target, Order order, uint64_t rounds) {
    Emulator::Options options;
    options.base_url = "http://127.0.0.1:" + std::to_string(port_) + "/test/";
    options.rounds.target = target;
    options.rounds.destinations = destinations_of(target, "0e90e0175553");
    options.rounds.order = order;
    options.rounds.seed = 100;
    options.rounds.rounds_max = rounds;
    options.run = "r1";
    options.retry_delay = Millis(1);
    options.retry_delay_max = Millis(2);
    return options;
  }

  Status run(const Emulator::Options& options, Tally& tally,
             std::function<void(Emulator&)> meanwhile = {}) {
    auto task = [](EmulatorTest& test, Emulator::Options how, Tally& into,
                   std::function<void(Emulator&)> also) -> io::Task<Status> {
      Emulator emulator(how, test.source_, test.runtime_.work());
      test.emulator_ = &emulator;
      if (also) also(emulator);
      Status ended = co_await emulator.run();
      into = emulator.tally();
      test.emulator_ = nullptr;
      co_return ended;
    };
    return io::wait_on(runtime_.loop(0), task(*this, options, tally, std::move(meanwhile)));
  }

  io::Runtime runtime_{{.loops = 1}};
  GeneratedSource source_{{.rows = classic_rows, .seed = 1}};
  http::Server server_;
  uint16_t port_ = 0;
  std::mutex mutex_;
  std::vector<Seen> seen_;
  Answer answer_ = [](const Seen&) { return 200; };
  std::string reply_ = R"({"offsets":[{"partition":0,"offset":0,"error_code":null,"error":null}]})";
  Emulator* emulator_ = nullptr;
};

void expect_exact(const Tally& tally) {
  EXPECT_EQ(tally.sent, tally.acknowledged + tally.failed + tally.unknown);
}

std::string index_in(const Seen& seen) {
  for (std::string_view key : {"\"index\": ", "\"ind\": "}) {
    size_t at = seen.body.find(key);
    if (at == std::string::npos) continue;
    at += key.size();
    return seen.body.substr(at, seen.body.find(',', at) - at);
  }
  return "";
}

TEST_F(EmulatorTest, random_order_with_seed_100_posts_what_the_classic_script_posts) {
  Tally tally;
  ASSERT_TRUE(run(options(Target::batch, Order::random, 12), tally));
  EXPECT_EQ(tally.rounds, 12U);
  EXPECT_EQ(tally.acknowledged, 36U);
  expect_exact(tally);
  ASSERT_EQ(seen_.size(), 36U);
  const char* indexes[] = {"7528", "2863",  "5730", "8304", "8731", "1313",
                           "4315", "10794", "5494", "5069", "2923", "3089"};
  for (size_t i = 0; i < seen_.size(); ++i) {
    EXPECT_EQ(index_in(seen_[i]), indexes[i / 3]);
    EXPECT_EQ(seen_[i].post, "r1/" + std::to_string(i + 1));
    EXPECT_EQ(seen_[i].method, "POST");
    EXPECT_EQ(seen_[i].type, "application/vnd.kafka.json.v2+json");
  }
  EXPECT_EQ(seen_[0].target, "/test/topics/0e90e0175553.pin");
  EXPECT_EQ(seen_[1].target, "/test/topics/0e90e0175553.geo");
  EXPECT_EQ(seen_[2].target, "/test/topics/0e90e0175553.user");
  EXPECT_EQ(seen_[2].body,
            R"({"records": [{"value": {"ind": 7528, "first_name": "Abigail", )"
            R"("last_name": "Ali", "age": 20, "date_joined": "2015-10-24 11:23:51"}}]})");
}

TEST_F(EmulatorTest, streams_are_put_with_name_and_partition_key) {
  Tally tally;
  ASSERT_TRUE(run(options(Target::stream, Order::sequential, 2), tally));
  ASSERT_EQ(seen_.size(), 6U);
  EXPECT_EQ(seen_[0].method, "PUT");
  EXPECT_EQ(seen_[0].target, "/test/streams/streaming-0e90e0175553-pin/record");
  EXPECT_EQ(seen_[0].type, "application/json");
  EXPECT_THAT(seen_[3].body,
              StartsWith(R"({"StreamName": "streaming-0e90e0175553-pin", "Data": {"index": 1,)"));
  EXPECT_THAT(seen_[3].body, HasSubstr(R"(}, "PartitionKey": "partition-1"})"));
}

TEST_F(EmulatorTest, one_stream_for_all_tables_is_told_apart_by_keys) {
  auto how = options(Target::stream, Order::once, 1);
  how.rounds.destinations = shared_stream_destinations("Kinesis-Prod-Stream", "0e90e0175553");
  Tally tally;
  ASSERT_TRUE(run(how, tally));
  ASSERT_EQ(seen_.size(), 3U);
  EXPECT_EQ(seen_[2].target, "/test/streams/Kinesis-Prod-Stream/record");
  EXPECT_THAT(seen_[2].body, HasSubstr(R"("PartitionKey": "0e90e0175553.user"})"));
}

TEST_F(EmulatorTest, once_posts_every_index_once_and_each_round_in_order) {
  source_ = GeneratedSource({.rows = 700, .seed = 3});
  auto how = options(Target::batch, Order::once, UINT64_MAX);
  how.concurrency = 16;
  Tally tally;
  ASSERT_TRUE(run(how, tally));
  EXPECT_EQ(tally.rounds, 700U);
  EXPECT_EQ(tally.acknowledged, 2'100U);
  std::map<std::string, std::string> tables;
  std::set<std::string> posts;
  for (const Seen& seen : seen_) {
    tables[index_in(seen)] += seen.target.substr(seen.target.rfind('.'));
    posts.insert(seen.post);
  }
  EXPECT_EQ(tables.size(), 700U);
  for (const auto& [index, order] : tables) EXPECT_EQ(order, ".pin.geo.user") << index;
  EXPECT_EQ(posts.size(), 2'100U);
}

TEST_F(EmulatorTest, sequential_begins_again_after_the_last_index) {
  source_ = GeneratedSource({.rows = 5, .seed = 3});
  Tally tally;
  ASSERT_TRUE(run(options(Target::batch, Order::sequential, 7), tally));
  ASSERT_EQ(seen_.size(), 21U);
  EXPECT_EQ(index_in(seen_[18]), "1");
}

TEST_F(EmulatorTest, busy_answers_are_tried_again_under_the_same_post_number) {
  std::map<std::string, int> tries;
  answer_ = [&](const Seen& seen) {
    int before = tries[seen.post]++;
    return before == 0 ? 429 : before == 1 ? 503 : before == 2 ? 500 : 200;
  };
  Tally tally;
  ASSERT_TRUE(run(options(Target::batch, Order::once, 5), tally));
  EXPECT_EQ(tally.sent, 15U);
  EXPECT_EQ(tally.acknowledged, 15U);
  EXPECT_EQ(tally.retried, 45U);
  EXPECT_EQ(tries.size(), 15U);
  expect_exact(tally);
}

TEST_F(EmulatorTest, what_was_refused_failed_and_what_may_be_stored_is_unknown) {
  answer_ = [](const Seen& seen) {
    if (seen.target.ends_with("pin")) return 422;
    return seen.target.ends_with("geo") ? 500 : 429;
  };
  reply_ = R"({"error_code":422,"message":"Unrecognized field: ind"})";
  auto how = options(Target::batch, Order::once, 4);
  how.attempts_max = 3;
  Tally tally;
  ASSERT_TRUE(run(how, tally));
  EXPECT_EQ(tally.sent, 12U);
  EXPECT_EQ(tally.failed, 8U);
  EXPECT_EQ(tally.unknown, 4U);
  EXPECT_EQ(tally.retried, 16U);
  EXPECT_THAT(tally.last_trouble, HasSubstr("Unrecognized field: ind"));
  expect_exact(tally);
}

TEST_F(EmulatorTest, a_record_that_kafka_refused_is_not_acknowledged_by_status_200) {
  reply_ =
      R"({"offsets":[{"partition":null,"offset":null,"error_code":50002,"error":"too large"}]})";
  Tally tally;
  ASSERT_TRUE(run(options(Target::batch, Order::once, 1), tally));
  EXPECT_EQ(tally.failed, 3U);
  EXPECT_EQ(tally.acknowledged, 0U);
}

TEST_F(EmulatorTest, nobody_listening_fails_after_the_last_attempt) {
  auto how = options(Target::batch, Order::once, 1);
  server_.stop();
  how.attempts_max = 3;
  Tally tally;
  ASSERT_TRUE(run(how, tally));
  EXPECT_EQ(tally.failed, 3U);
  EXPECT_EQ(tally.retried, 6U);
  expect_exact(tally);
}

TEST_F(EmulatorTest, stop_brings_rounds_under_way_to_their_end) {
  answer_ = [this](const Seen& seen) {
    if (seen.post == "r1/100") emulator_->stop();  // one loop serves and posts
    return 200;
  };
  auto how = options(Target::batch, Order::random, UINT64_MAX);
  how.concurrency = 4;
  Tally tally;
  ASSERT_TRUE(run(how, tally));
  EXPECT_GE(tally.sent, 100U);
  EXPECT_LE(tally.sent, 120U);
  EXPECT_EQ(tally.sent, 3 * tally.rounds);
  EXPECT_EQ(tally.acknowledged, seen_.size());
  expect_exact(tally);
}

TEST_F(EmulatorTest, cancelling_counts_what_was_under_way_as_unknown) {
  io::Scope* owner = nullptr;
  Tally tally;
  Status ended;
  answer_ = [&](const Seen& seen) {
    if (seen.post == "r1/10") owner->cancel();
    return 200;
  };
  auto task = [](EmulatorTest& test, io::Scope*& scope_out, Tally& into,
                 Status& end) -> io::Task<> {
    io::Scope scope(io::Loop::current());
    scope_out = &scope;
    auto child = [](EmulatorTest& inner, Tally& tally_out, Status& end_out) -> io::Task<> {
      auto how = inner.options(Target::batch, Order::random, UINT64_MAX);
      Emulator emulator(how, inner.source_, inner.runtime_.work());
      end_out = co_await emulator.run();
      tally_out = emulator.tally();
    };
    scope.spawn("emulator", child(test, into, end));
    co_await scope.join();
  };
  io::run_on(runtime_.loop(0), task(*this, owner, tally, ended));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code(), Code::cancelled);
  EXPECT_EQ(tally.sent, 10U);
  EXPECT_EQ(tally.acknowledged, 9U);
  EXPECT_EQ(tally.unknown, 1U);
}

TEST_F(EmulatorTest, wrong_settings_and_sources_end_the_run_with_their_reason) {
  auto how = options(Target::batch, Order::once, 1);
  how.base_url = "gateway";
  Tally tally;
  EXPECT_EQ(run(how, tally).error().code(), Code::invalid);
  how = options(Target::batch, Order::once, 1);
  how.concurrency = 0;
  EXPECT_EQ(run(how, tally).error().code(), Code::invalid);
  how = options(Target::batch, Order::once, 1);
  how.posts_per_second = -1;
  EXPECT_EQ(run(how, tally).error().code(), Code::invalid);
  EXPECT_EQ(tally.sent, 0U);
}

TEST_F(EmulatorTest, https_is_posted_to_only_where_the_authority_is_known) {
  kit::Certificates certificates, other;
  auto tls = io::TlsContext::for_server({.certificate_file = certificates.certificate_file(),
                                         .key_file = certificates.key_file(),
                                         .protocols = http::protocols});
  ASSERT_TRUE(tls) << tls.error().text();
  http::Server secure(runtime_, {.name = "secure", .tls = *tls},
                      [this](http::Request& request, http::Response& response) {
                        return serve(request, response);
                      });
  uint16_t port = *secure.listen_tcp("127.0.0.1", 0);
  secure.start();
  Emulator::Options how = options(Target::batch, Order::once, 5);
  how.base_url = "https://localhost:" + std::to_string(port) + "/prod";
  how.ca_file = certificates.authority_file();
  Tally tally;
  Status ended = run(how, tally);
  EXPECT_TRUE(ended) << ended.error().text();
  EXPECT_EQ(tally.acknowledged, 15U) << tally.last_trouble;
  EXPECT_EQ(seen_.front().target, "/prod/topics/0e90e0175553.pin");

  how.ca_file = other.authority_file();
  EXPECT_FALSE(run(how, tally));
  EXPECT_EQ(tally.acknowledged, 0U);
  secure.stop();
}

TEST_F(EmulatorTest, a_rate_keeps_posts_apart) {
  auto how = options(Target::batch, Order::once, 10);
  how.posts_per_second = 1'000;
  how.concurrency = 8;
  auto begin = std::chrono::steady_clock::now();
  Tally tally;
  ASSERT_TRUE(run(how, tally));
  EXPECT_EQ(tally.acknowledged, 30U);
  // The last of 30 posts leaves 29 gaps after the first, however quick the answers are.
  EXPECT_GE(std::chrono::steady_clock::now() - begin, Millis(29));
}

}  // namespace
}  // namespace pinpipe::source
