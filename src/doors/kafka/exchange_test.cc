// The protocol without sockets: fetch sessions, malformed requests of every API and version, parts
// of files in answers, memory of requests.
#include <gtest/gtest.h>
#include <map>

#include "doors/kafka/exchange_fixture.h"

namespace pinpipe::kafka {
namespace {

constexpr int16_t fetch_key = 1;

class ExchangeTest : public ExchangeFixture {
 protected:
  // A fetch of version 11 for partitions of "orders", in a session or not.
  struct Asked {
    int32_t partition;
    int64_t offset;
  };
  std::string fetch(int32_t session, int32_t epoch, std::vector<Asked> asked,
                    std::vector<int32_t> forgotten = {}, int32_t bytes_max = 1 << 20) {
    Encoder body(false);
    body.number(int32_t{-1});  // replica
    body.number(int32_t{0});   // wait
    body.number(int32_t{1});
    body.number(int32_t{1 << 24});
    body.number(int8_t{0});
    body.number(session);
    body.number(epoch);
    body.count(asked.empty() ? 0 : 1);
    if (!asked.empty()) {
      body.text("orders");
      body.count(asked.size());
      for (const Asked& one : asked) {
        body.number(one.partition);
        body.number(int32_t{-1});
        body.number(one.offset);
        body.number(int64_t{-1});
        body.number(bytes_max);
      }
    }
    body.count(forgotten.empty() ? 0 : 1);
    if (!forgotten.empty()) {
      body.text("orders");
      body.numbers32(forgotten);
    }
    body.text("");
    return ask(head(fetch_key, 11) + bytes_of(body));
  }
  struct Told {
    int16_t error = 0;
    int32_t session = 0;
    std::map<int32_t, int64_t> high_watermarks;  // by partition
    std::vector<int32_t> order;
    std::map<int32_t, int16_t> errors;
    size_t record_bytes = 0;
  };
  static Told read(const std::string& answer) {
    Decoder in(answer, false);
    Told told;
    in.number<int32_t>();
    told.error = in.number<int16_t>();
    told.session = in.number<int32_t>();
    in.each([&] {
      EXPECT_EQ(in.text(), "orders");
      in.each([&] {
        auto partition = in.number<int32_t>();
        told.order.push_back(partition);
        if (auto error = in.number<int16_t>(); error != 0) told.errors[partition] = error;
        told.high_watermarks[partition] = in.number<int64_t>();
        in.number<int64_t>();
        in.number<int64_t>();
        in.maybe_count();
        in.number<int32_t>();
        told.record_bytes += in.maybe_bytes().value_or("").size();
      });
    });
    EXPECT_FALSE(in.failed());
    EXPECT_EQ(in.remaining(), 0u);
    return told;
  }
};

using Watermarks = std::map<int32_t, int64_t>;

TEST_F(ExchangeTest, a_session_tells_only_what_is_new) {
  create("orders", 3);
  produce("orders", 1, "a");
  Told first = read(fetch(0, 0, {{0, 0}, {1, 0}, {2, 0}}));
  ASSERT_GT(first.session, 0);
  EXPECT_EQ(first.high_watermarks, (Watermarks{{0, 0}, {1, 1}, {2, 0}}));
  EXPECT_GT(first.record_bytes, 0u);
  Told second = read(fetch(first.session, 1, {{1, 1}}));
  EXPECT_EQ(second.session, first.session);
  EXPECT_TRUE(second.high_watermarks.empty()) << "nothing has happened";
  produce("orders", 2, "b");
  EXPECT_EQ(read(fetch(first.session, 2, {})).high_watermarks, (Watermarks{{2, 1}}));
  EXPECT_EQ(read(fetch(first.session, 3, {})).high_watermarks, (Watermarks{{2, 1}}))
      << "its records were not read yet";
  EXPECT_TRUE(read(fetch(first.session, 4, {{2, 1}})).high_watermarks.empty());
  EXPECT_EQ(followed_.used(), 3u);
}

TEST_F(ExchangeTest, a_session_of_another_turn_or_nobody_is_refused) {
  create("orders", 1);
  Told first = read(fetch(0, 0, {{0, 0}}));
  EXPECT_EQ(read(fetch(first.session, 7, {})).error, 71) << "the epoch is 1";
  EXPECT_EQ(read(fetch(first.session + 1, 1, {})).error, 70);
  EXPECT_EQ(read(fetch(first.session, 1, {})).error, 0);
  EXPECT_EQ(read(fetch(first.session, 1, {})).error, 71) << "a turn comes once";
  Told again = read(fetch(first.session, 0, {{0, 0}}));
  EXPECT_NE(again.session, first.session);
  EXPECT_EQ(read(fetch(first.session, 2, {})).error, 70) << "the new one took its place";
  Told without = read(fetch(again.session, -1, {{0, 0}}));
  EXPECT_EQ(without.session, 0);
  EXPECT_EQ(without.high_watermarks.size(), 1u);
  EXPECT_EQ(read(fetch(again.session, 1, {})).error, 70) << "it was closed";
  EXPECT_EQ(followed_.used(), 0u);
}

TEST_F(ExchangeTest, partitions_come_and_go_in_a_session) {
  create("orders", 3);
  Told first = read(fetch(0, 0, {{0, 0}, {1, 0}}));
  Told second = read(fetch(first.session, 1, {{2, 0}}, {0}));
  EXPECT_EQ(second.high_watermarks, (Watermarks{{2, 0}})) << "a new one is told at once";
  produce("orders", 0, "a");
  produce("orders", 1, "b");
  EXPECT_EQ(read(fetch(first.session, 2, {})).high_watermarks, (Watermarks{{1, 1}}));
  // An error is told every time, and what was known before it is told again after it.
  EXPECT_EQ(read(fetch(first.session, 3, {{1, 99}})).errors, (std::map<int32_t, int16_t>{{1, 1}}));
  EXPECT_EQ(read(fetch(first.session, 4, {{1, 1}})).high_watermarks, (Watermarks{{1, 1}}));
}

TEST_F(ExchangeTest, who_was_served_comes_last_next_time) {
  create("orders", 3);
  for (int32_t i = 0; i < 3; ++i) produce("orders", i, std::string(1000, 'x'));
  Told first = read(fetch(0, 0, {{0, 0}, {1, 0}, {2, 0}}, {}, 100));
  EXPECT_EQ(first.order, (std::vector<int32_t>{0, 1, 2}));
  produce("orders", 1, "more");
  Told second = read(fetch(first.session, 1, {{0, 1}, {1, 1}, {2, 1}}));
  EXPECT_EQ(second.order, (std::vector<int32_t>{1}));
  for (int32_t i = 0; i < 3; ++i) produce("orders", i, "again");
  EXPECT_EQ(read(fetch(first.session, 2, {{1, 2}})).order, (std::vector<int32_t>{2, 0, 1}))
      << "first only 0 had room, then 1 was served";
}

TEST_F(ExchangeTest, sessions_are_bounded_and_the_oldest_goes) {
  create("orders", 60);
  Told oldest = read(fetch(0, 0, {{0, 0}}));
  for (size_t i = 0; i < FetchSessions::sessions_max; ++i) read(fetch(0, 0, {{0, 0}}));
  EXPECT_EQ(read(fetch(oldest.session, 1, {})).error, 70);
  EXPECT_EQ(followed_.used(), FetchSessions::sessions_max);
  std::vector<Asked> many;
  for (int32_t i = 0; i < 60; ++i) many.push_back({i, 0});
  Told last = read(fetch(0, 0, many));
  EXPECT_GT(last.session, 0);
  Told declined = read(fetch(0, 0, many));
  EXPECT_EQ(declined.session, 0) << "over all connections 100 partitions are followed at most";
  EXPECT_EQ(declined.high_watermarks.size(), 60u);
}

TEST_F(ExchangeTest, large_parts_of_segments_written_in_this_life_are_sent_from_the_file) {
  create("orders", 1);
  for (int i = 0; i < 20; ++i)
    produce("orders", 0, std::string(20'000, static_cast<char>('a' + i)));
  Told whole = read(fetch(0, -1, {{0, 0}}));
  size_t whole_pieces = collected_.file_pieces;
  EXPECT_GT(whole.record_bytes, 400'000u);
  Told part = read(fetch(0, -1, {{0, 3}}, {}, 100'000));
  size_t part_pieces = collected_.file_pieces;
  EXPECT_GT(part.record_bytes, 60'000u);
  EXPECT_LE(part.record_bytes, 100'000u);
  EXPECT_LT(read(fetch(0, -1, {{0, 19}})).record_bytes, 21'000u);
  EXPECT_EQ(collected_.file_pieces, 0u) << "small answers are copied";
  EXPECT_EQ(read(fetch(0, -1, {{0, 5}}, {}, 1)).record_bytes, 20'000u + 61 + 11)
      << "one batch is given, however small the bound";
  // Where the file system cannot tell what is in memory, everything is copied.
  std::unique_ptr<io::File> file =
      *io::posix_files().open(directory_.path() + "/probe", io::OpenMode::create);
  ASSERT_TRUE(file->write_at("x", 0));
  std::string probe(1, ' ');
  if (auto warm = file->read_warm(probe, 0); warm && *warm) {
    EXPECT_EQ(whole_pieces, 1u);
    EXPECT_EQ(part_pieces, 1u);
  }
}

TEST_F(ExchangeTest, every_api_and_version_answers_or_closes_whatever_the_body_is) {
  create("orders", 1);
  std::vector<std::string> bodies = {"",
                                     std::string(1, '\0'),
                                     std::string(64, '\0'),
                                     std::string(64, '\xff'),
                                     std::string(64, '\x7f'),
                                     std::string("\x7f\xff\xff\xff\x7f\xff\xff\xff", 8),
                                     std::string("\x80\x00\x00\x00", 4),
                                     std::string("\xff\xff\xff\xff\x0f", 5)};
  for (const Api& api : apis()) {
    for (int16_t version = api.lowest_served; version <= api.highest; ++version) {
      for (const std::string& body : bodies) {
        ask(head(api.key, version) + body);
        EXPECT_TRUE(closed_ || closed_.error().code() == Code::invalid)
            << api.name << " " << version << ": " << closed_.error().text();
      }
    }
    ask(head(api.key, static_cast<int16_t>(api.highest + 1)));
    EXPECT_EQ(static_cast<bool>(closed_), api.name == "ApiVersions");
  }
  EXPECT_EQ(memory_->used_bytes(), 0u) << "nothing of any request is kept";
}

TEST(RequestMemoryTest, requests_wait_their_turn_and_nobody_is_refused) {
  io::Runtime runtime{{.loops = 1, .disk_threads = 1, .work_threads = 1}};
  auto memory = std::make_shared<RequestMemory>(100);
  auto first = memory->try_take(80);
  ASSERT_TRUE(first);
  EXPECT_FALSE(memory->try_take(30));
  std::vector<int> order;
  io::Scope scope(runtime.loop(0));
  auto one = [&](size_t size, int number) -> io::Task<> {
    auto taken = co_await memory->take(size, io::never);
    if (taken) order.push_back(number);
  };
  auto all = [&]() -> io::Task<> {
    scope.spawn("large", one(90, 1));
    scope.spawn("small", one(10, 2));
    EXPECT_FALSE(memory->try_take(1)) << "others wait";
    first.reset();
    co_await scope.join();
  };
  io::run_on(runtime.loop(0), all());
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
  EXPECT_EQ(memory->used_bytes(), 0u);
  EXPECT_TRUE(memory->try_take(500)) << "a single one is taken when nothing else is";
  auto late = [&]() -> io::Task<Status> {
    auto held = memory->try_take(100);
    auto taken = co_await memory->take(10, io::after(Millis(1)));
    co_return taken ? Status{} : taken.error();
  };
  EXPECT_EQ(io::wait_on(runtime.loop(0), late()).error().code(), Code::timeout);
  EXPECT_EQ(memory->used_bytes(), 0u);
}

}  // namespace
}  // namespace pinpipe::kafka
