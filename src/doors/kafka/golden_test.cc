// Requests as real clients sent them (tests/golden/kafka/*.hex, written by tests/clients/kafka/
// capture.py): every one is read to its last byte and answered.
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>

#include "doors/kafka/exchange_fixture.h"

namespace pinpipe::kafka {
namespace {

struct Captured {
  std::string client;
  std::string api;
  int16_t version = 0;
  std::string bytes;
};

// "API version" on a line of its own, its bytes in indented lines below.
std::vector<Captured> captured(const std::string& client) {
  std::ifstream file(std::string(PINPIPE_SOURCE_DIR) + "/tests/golden/kafka/" + client + ".hex");
  EXPECT_TRUE(file) << client;
  std::vector<Captured> all;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    if (line.front() != ' ') {
      Captured& one = all.emplace_back();
      one.client = client;
      std::istringstream(line) >> one.api >> one.version;
      continue;
    }
    std::erase(line, ' ');
    auto bytes = from_hex(line);
    EXPECT_TRUE(bytes) << line;
    all.back().bytes += bytes.value_or("");
  }
  return all;
}

const std::vector<std::string> clients = {"librdkafka_2_0_2", "librdkafka_2_16",
                                          "kafka_python_3_0_12", "aiokafka_0_14", "java_4_1"};

class GoldenTest : public ExchangeFixture {
 protected:
  // How many bytes of the request were not read, or why it was refused.
  Result<size_t> unread(const Captured& one) {
    auto frame = std::make_shared_for_overwrite<char[]>(one.bytes.size());
    std::ranges::copy(one.bytes, frame.get());
    std::string_view bytes(frame.get(), one.bytes.size());
    Decoder head(bytes, false);
    const Api* api = find_api(head.number<int16_t>());
    auto version = head.number<int16_t>();
    if (api == nullptr || api->name != one.api || version != one.version)
      return Error(Code::invalid, "the line above the bytes says something else");
    head.number<int32_t>();
    head.maybe_text();
    bool flexible = api->is_flexible(version);
    Decoder in(bytes.substr(bytes.size() - head.remaining()), flexible);
    in.tags();
    Call call{.key = api->key,
              .version = version,
              .client_id = one.client,
              .frame = frame,
              .session = *session_,
              .in = in,
              .out = Encoder(flexible)};
    // Waits, such as a join's, are cut short: the request was read by then.
    Status done;
    auto ask = [&]() -> io::Task<> { done = co_await api->handle(call); };
    auto talk = [&]() -> io::Task<> {
      io::Scope scope(io::Loop::current());
      scope.spawn("request", ask());
      scope.cancel();
      co_await scope.join();
    };
    io::run_on(runtime_.loop(0), talk());
    if (!done && done.error().code() != Code::cancelled) return done.error();
    return call.in.remaining();
  }
};

TEST_F(GoldenTest, every_request_of_real_clients_is_read_to_its_end) {
  std::set<std::pair<std::string, int16_t>> seen;
  for (const std::string& client : clients) {
    for (const Captured& one : captured(client)) {
      auto left = unread(one);
      ASSERT_TRUE(left) << client << " " << one.api << " " << one.version << ": "
                        << left.error().text();
      EXPECT_EQ(*left, 0u) << client << " " << one.api << " " << one.version;
      seen.insert({one.api, one.version});
    }
  }
  EXPECT_GT(seen.size(), 50u);
}

// A question and what Apache Kafka answered, where that depends on nothing but the questions
// before.
struct Answered {
  std::string title;
  std::string question;
  std::string answer;  // without correlation id; empty: not known
};

std::vector<Answered> answered_by_kafka() {
  std::ifstream file(std::string(PINPIPE_SOURCE_DIR) + "/tests/golden/kafka/answers.hex");
  EXPECT_TRUE(file);
  std::vector<Answered> all;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    if (line.front() != ' ') {
      all.emplace_back().title = line;
      continue;
    }
    auto bytes = from_hex(std::string_view(line).substr(4));
    EXPECT_TRUE(bytes) << line;
    (line[2] == '>' ? all.back().question : all.back().answer) += bytes.value_or("");
  }
  return all;
}

TEST_F(GoldenTest, kafka_itself_gave_the_same_answers_to_the_byte) {
  size_t compared = 0;
  for (const Answered& one : answered_by_kafka()) {
    std::string answer = ask(one.question);
    if (one.answer.empty()) continue;
    EXPECT_EQ(to_hex(answer), to_hex(one.answer)) << one.title;
    ++compared;
  }
  EXPECT_GT(compared, 300u);
}

TEST_F(GoldenTest, a_request_cut_short_anywhere_is_malformed_and_nothing_worse) {
  for (const std::string& client : clients) {
    for (Captured one : captured(client)) {
      const std::string whole = one.bytes;
      // The header is the exchange's; tags at the very end may be missing without harm.
      for (size_t size = std::min<size_t>(whole.size(), 40); size < whole.size(); ++size) {
        one.bytes = whole.substr(0, size);
        auto left = unread(one);
        EXPECT_TRUE(left || left.error().code() == Code::invalid)
            << client << " " << one.api << " " << one.version << ": " << left.error().text();
      }
    }
  }
}

}  // namespace
}  // namespace pinpipe::kafka
