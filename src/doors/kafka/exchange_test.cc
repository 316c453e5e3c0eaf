// The protocol without sockets: fetch sessions, malformed requests of every API and version, parts
// of files in answers, memory of requests.
#include "doors/kafka/exchange.h"

#include <gtest/gtest.h>

#include "broker/broker.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/temporary_directory.h"

namespace pinpipe::kafka {
namespace {

constexpr int16_t produce_key = 0;
constexpr int16_t fetch_key = 1;

// Collects what is sent; parts of files are read.
struct Collected final : Replies {
  std::string bytes;
  size_t file_pieces = 0;

  io::Task<Status> send(std::span<const Piece> pieces) override {
    for (const Piece& piece : pieces) {
      bytes.append(piece.bytes);
      if (piece.file == nullptr) continue;
      ++file_pieces;
      std::string part(piece.file->count, '\0');
      auto got = piece.file->file->read_at(part, piece.file->offset);
      EXPECT_EQ(got.value_or(0), part.size());
      bytes.append(part);
    }
    co_return Status{};
  }
};

class ExchangeTest : public testing::Test {
 protected:
  ExchangeTest() {
    broker::Broker::Options options;
    options.log_directory = directory_.path() + "/log";
    options.state_path = directory_.path() + "/broker.db";
    auto opened = broker::Broker::open(options, io::posix_files(), runtime_.disk(), system_clock(),
                                       auth::Policy::open_for_local());
    CHECK(opened, "the broker opens");
    broker_ = std::move(*opened);
    cluster_ = broker_->cluster_as(auth::local_principal());
    session_.reset(new Session{.cluster = *cluster_,
                               .host = "127.0.0.1",
                               .port = 9092,
                               .peer = "test",
                               .fetches = FetchSessions(followed_)});
  }
  ~ExchangeTest() override {
    session_.reset();
    EXPECT_TRUE(io::wait_on(runtime_.loop(0), broker_->close()));
  }

  static std::string head(int16_t key, int16_t version) {
    std::string request;
    append_be(request, key);
    append_be(request, version);
    append_be(request, int32_t{77});
    append_be(request, int16_t{-1});
    const Api* api = find_api(key);
    if (api != nullptr && api->is_flexible(version)) request.push_back('\0');
    return request;
  }
  // What comes back, without size and correlation id; what went wrong is in closed_.
  std::string ask(const std::string& request) {
    std::vector<Frame> frames(1);
    frames[0].bytes = memory_->try_take(request.size());
    frames[0].size = request.size();
    std::ranges::copy(request, frames[0].bytes.get());
    collected_ = {};
    auto talk = [&]() -> io::Task<Status> {
      Exchange exchange(*session_, collected_, 1 << 20);
      co_return co_await exchange.answer(std::move(frames));
    };
    closed_ = io::wait_on(runtime_.loop(0), talk());
    if (collected_.bytes.size() < 8) return {};
    EXPECT_EQ(load_be<int32_t>(collected_.bytes.data()),
              static_cast<int32_t>(collected_.bytes.size()) - 4);
    return collected_.bytes.substr(8);
  }
  void produce(std::string_view topic, int32_t partition, std::string value) {
    log::BatchBuilder builder;
    builder.add({.key = {}, .value = value, .timestamp_ms = {}, .headers = {}}, 1000);
    Encoder body(false);
    body.maybe_text(std::nullopt);
    body.number(int16_t{-1});
    body.number(int32_t{1000});
    body.count(1);
    body.text(topic);
    body.count(1);
    body.number(partition);
    body.bytes(std::move(builder).finish());
    std::string answer = ask(head(produce_key, 7) + bytes_of(body));
    Reader reader(answer);
    reader.be<int32_t>();
    reader.take(reader.be<int16_t>());
    reader.be<int32_t>();
    reader.be<int32_t>();
    EXPECT_EQ(reader.be<int16_t>(), 0);
  }
  static std::string bytes_of(const Encoder& body) {
    std::vector<Piece> pieces;
    body.pieces(pieces);
    std::string bytes;
    for (const Piece& piece : pieces) bytes.append(piece.bytes);
    return bytes;
  }
  broker::TopicPointer create(std::string name, int32_t partitions) {
    broker::TopicSpec spec{.name = std::move(name), .partitions = partitions, .configs = {}};
    auto created = io::wait_on(runtime_.loop(0), cluster_->create(std::move(spec), false));
    CHECK(created, "a topic can be created");
    return *created;
  }

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

  kit::TemporaryDirectory directory_;
  io::Runtime runtime_{{.loops = 1, .disk_threads = 2, .work_threads = 1}};
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<broker::Cluster> cluster_;
  FollowedTotal followed_{100};
  std::shared_ptr<RequestMemory> memory_ = std::make_shared<RequestMemory>(200 << 20);
  std::unique_ptr<Session> session_;
  Collected collected_;
  Status closed_;
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
