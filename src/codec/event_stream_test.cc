#include "codec/event_stream.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace pinpipe::codec {
namespace {

// AWS's own test vectors "payload_no_headers" and "empty_message".
TEST(EventStream, a_message_is_as_aws_writes_it) {
  std::string out;
  append_event(out, {.headers = {}, .payload = "{'foo':'bar'}"});
  EXPECT_EQ(to_hex(out), "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936");
}

TEST(EventStream, an_empty_message_is_sixteen_bytes) {
  std::string out;
  append_event(out, {});
  EXPECT_EQ(to_hex(out), "000000100000000005c248eb7d98c8ff");
}

TEST(EventStream, what_is_written_reads_back_and_the_next_message_follows) {
  EventMessage first{.headers = {{":message-type", "event"}, {":event-type", ""}}, .payload = "{}"};
  EventMessage second{.headers = {}, .payload = std::string(70'000, 'x')};
  std::string out;
  append_event(out, first);
  append_event(out, second);
  auto one = read_event(out);
  ASSERT_TRUE(one && one->message);
  EXPECT_EQ(*one->message, first);
  auto two = read_event(one->rest);
  ASSERT_TRUE(two && two->message);
  EXPECT_EQ(*two->message, second);
  EXPECT_TRUE(two->rest.empty());
}

TEST(EventStream, a_message_that_is_not_all_there_is_waited_for) {
  std::string out;
  append_event(out, {.headers = {{"a", "b"}}, .payload = "payload"});
  for (size_t size = 0; size < out.size(); ++size) {
    auto read = read_event(std::string_view(out).substr(0, size));
    ASSERT_TRUE(read);
    EXPECT_FALSE(read->message);
  }
}

TEST(EventStream, a_changed_byte_is_noticed_wherever_it_is) {
  std::string out;
  append_event(out, {.headers = {{"a", "b"}}, .payload = "payload"});
  for (char& byte : out) {
    byte = static_cast<char>(byte ^ 1);
    auto read = read_event(out);
    EXPECT_TRUE(!read || !read->message);
    byte = static_cast<char>(byte ^ 1);
  }
}

}  // namespace
}  // namespace pinpipe::codec
