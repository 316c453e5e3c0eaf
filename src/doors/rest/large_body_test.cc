// Bodies of 64 MiB, and clients that hang up in the middle of one: what they cost is gone after.
#include <gtest/gtest.h>
#include <malloc.h>

#include "doors/rest/inside_fixture.h"

namespace pinpipe::rest {
namespace {

constexpr size_t body_bytes = 64 << 20;
constexpr size_t lasting_bytes_max = 4 << 20;

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer) || \
    __has_feature(thread_sanitizer)
constexpr bool counts_memory = false;  // the sanitizers keep what is freed
#else
constexpr bool counts_memory = true;
#endif

size_t used_bytes() {
  auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

struct LargeBodyTest : InsideFixture {
  // A produce request of this size, in records of about a kilobyte.
  static std::string body_of(size_t bytes, size_t& records) {
    std::string body = "{\"records\":[";
    const std::string record = "{\"value\":{\"text\":\"" + std::string(1000, 'x') + "\"}}";
    records = 0;
    while (body.size() + record.size() + 3 <= bytes) {
      if (records++ > 0) body += ',';
      body += record;
    }
    body += "]";
    body.append(bytes - body.size() - 1, ' ');
    return body + "}";
  }
  int64_t stored() {
    ask("GET", "/topics/t/partitions/0/offsets");
    auto json = codec::parse_json(answer.body);
    return json ? (*json)["end_offset"].as_int().value_or(0) : -1;
  }
  void set_up_topic() {
    ask("POST", "/topics/t", json_records, R"({"records":[{"value":1}]})");
    ASSERT_EQ(answer.status, 200) << answer.body;
  }
};

TEST_F(LargeBodyTest, a_body_of_64_mib_is_stored_and_leaves_no_memory_taken) {
  set_up_topic();
  size_t records = 0;
  size_t before = 0;
  for (int round = 0; round < 2; ++round) {
    if (round == 1) before = used_bytes();  // the first one warms what is kept
    ask("POST", "/topics/t", json_records, body_of(body_bytes, records));
    ASSERT_EQ(answer.status, 200) << answer.body.substr(0, 200);
    answer = {};
  }
  EXPECT_EQ(stored(), static_cast<int64_t>(2 * records + 1));
  if (counts_memory) EXPECT_LE(used_bytes(), before + lasting_bytes_max);
}

TEST_F(LargeBodyTest, a_byte_more_is_refused_in_the_apis_shape) {
  set_up_topic();
  size_t records = 0;
  ask("POST", "/topics/t", json_records, body_of(body_bytes + 1, records));
  expect_refusal(413, 413, "HTTP 413");
  EXPECT_EQ(stored(), 1);
}

TEST_F(LargeBodyTest, a_client_that_hangs_up_in_its_body_leaves_nothing) {
  set_up_topic();
  size_t records = 0;
  std::string half =
      "POST /topics/t HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + std::string(json_records) +
      "\r\nContent-Length: " + std::to_string(body_bytes) + "\r\n\r\n" +
      body_of(body_bytes, records).substr(0, body_bytes / 2);
  hang_up_after(half);
  size_t before = used_bytes();
  for (int i = 0; i < 4; ++i) hang_up_after(half);
  EXPECT_EQ(stored(), 1);
  if (counts_memory) EXPECT_LE(used_bytes(), before + lasting_bytes_max);
}

TEST_F(LargeBodyTest, a_client_that_does_not_wait_for_its_answer_has_its_records_stored) {
  set_up_topic();
  std::string body = R"({"records":[{"value":2}]})";
  hang_up_after(
      "POST /topics/t HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + std::string(json_records) +
      "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  while (stored() < 2) {
  }
  EXPECT_EQ(stored(), 2);
}

}  // namespace
}  // namespace pinpipe::rest
