#include "broker/streams_sequence.h"

#include <gtest/gtest.h>
#include <regex>

#include "base/random.h"
#include "broker/streams_hash.h"
#include "broker/streams_ticket.h"
#include "kit/seed.h"

namespace pinpipe::broker {
namespace {

// Decimal to hex by long division, as a second opinion.
std::string hex_of(std::string decimal) {
  std::string hex;
  while (!decimal.empty()) {
    int rest = 0;
    std::string next;
    for (char c : decimal) {
      int part = rest * 10 + (c - '0');
      if (!next.empty() || part / 16 > 0) next.push_back(static_cast<char>('0' + part / 16));
      rest = part % 16;
    }
    hex.insert(hex.begin(), "0123456789abcdef"[rest]);
    decimal = next;
  }
  return hex;
}

TEST(SequenceTest, has_56_digits_and_the_recorded_pattern_in_hex) {
  std::string text = Sequence{1'767'348'900, 11, 8, 1'767'348'905}.text();
  EXPECT_EQ(text.size(), 56u);
  EXPECT_EQ(hex_of(text),
            "20"
            "69579aa4"
            "b"
            "0000000000000008"
            "000"
            "69579aa9"
            "0000000b2");
  EXPECT_TRUE(std::regex_match(hex_of(text),
                               std::regex("^20[0-9a-f]{8}b[0-9a-f]{16}000[0-9a-f]{8}0000000b2$")));
}

TEST(SequenceTest, is_read_back_and_rises_with_the_index_whatever_the_times) {
  Random random(kit::seed());
  Sequence before{1'700'000'000, 3, 0, 1'700'000'000};
  std::string before_text = before.text();
  for (int i = 0; i < 1000; ++i) {
    Sequence next{before.created_s, 3, before.index + 1 + random.below(1ULL << 40),
                  static_cast<int64_t>(random.below(1ULL << 36))};
    std::string text = next.text();
    EXPECT_EQ(Sequence::from_text(text), next);
    EXPECT_EQ(next.offset(), static_cast<int64_t>(next.index) - 1);
    ASSERT_EQ(text.size(), before_text.size());
    EXPECT_GT(text, before_text);
    before = next;
    before_text = text;
  }
  Sequence end{before.created_s, 3, Sequence::index_max, 0};
  EXPECT_GT(end.text(), before_text);
  EXPECT_EQ(Sequence::from_text(end.text()), end);
}

TEST(SequenceTest, refuses_what_it_never_wrote) {
  std::string good = Sequence{1'767'348'900, 1, 1, 1'767'348'900}.text();
  EXPECT_TRUE(Sequence::from_text(good));
  for (std::string_view bad : {"", "0", "1", "-1", "12345", "x"}) {
    EXPECT_FALSE(Sequence::from_text(bad)) << bad;
  }
  EXPECT_FALSE(Sequence::from_text("0" + good));
  EXPECT_FALSE(Sequence::from_text(good + "0"));
  EXPECT_FALSE(Sequence::from_text(std::string(57, '9')));
  std::string other = good;
  other.back() = other.back() == '8' ? '9' : '8';
  EXPECT_FALSE(Sequence::from_text(other));
}

TEST(HashKeyTest, ranges_are_those_recorded_on_aws) {
  auto three = even_ranges(3);
  EXPECT_EQ(to_decimal(three[0].first), "0");
  EXPECT_EQ(to_decimal(three[0].last), "113427455640312821154458202477256070484");
  EXPECT_EQ(to_decimal(three[1].first), "113427455640312821154458202477256070485");
  EXPECT_EQ(to_decimal(three[2].first), "226854911280625642308916404954512140970");
  EXPECT_EQ(to_decimal(three[2].last), "340282366920938463463374607431768211455");
  for (int count : {1, 2, 3, 4, 5, 7, 64, 1000}) {
    auto ranges = even_ranges(count);
    ASSERT_EQ(ranges.size(), static_cast<size_t>(count));
    EXPECT_TRUE(ranges.front().first == 0 && ranges.back().last == hash_key_max);
    for (size_t i = 1; i < ranges.size(); ++i)
      EXPECT_TRUE(ranges[i].first == ranges[i - 1].last + 1);
  }
  EXPECT_TRUE(even_ranges(2)[1].first == HashKey{1} << 127);
}

TEST(HashKeyTest, a_key_hashes_to_its_md5_and_decimals_are_bounded) {
  EXPECT_EQ(to_decimal(hash_of_key("a")), "16955237001963240173058271559858726497");
  EXPECT_TRUE(*hash_key_of("340282366920938463463374607431768211455") == hash_key_max);
  EXPECT_FALSE(hash_key_of("340282366920938463463374607431768211456"));
  EXPECT_FALSE(hash_key_of(""));
  EXPECT_FALSE(hash_key_of("1x"));
}

TEST(TicketTest, only_what_was_sealed_with_the_key_is_read) {
  Ticket ticket{.kind = Ticket::Kind::iterator,
                .issued_ms = 1'767'348'900'123,
                .stream_id = Uuid::random(),
                .shard = 7,
                .position = 1LL << 40,
                .detail = 3,
                .name = std::string(128, 'n')};
  std::string text = seal(ticket, "key");
  EXPECT_LE(text.size(), 512u);
  EXPECT_EQ(text.substr(0, 10), "AAAAAAAAAA");
  auto read = read_ticket(text, "key");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->issued_ms, ticket.issued_ms);
  EXPECT_EQ(read->stream_id, ticket.stream_id);
  EXPECT_EQ(read->shard, ticket.shard);
  EXPECT_EQ(read->position, ticket.position);
  EXPECT_EQ(read->detail, ticket.detail);
  EXPECT_EQ(read->name, ticket.name);
  EXPECT_FALSE(read_ticket(text, "other"));
  for (size_t i = 0; i < text.size(); ++i) {
    std::string bent = text;
    bent[i] = bent[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(read_ticket(bent, "key")) << i;
  }
  EXPECT_FALSE(read_ticket(text.substr(4), "key"));
  EXPECT_FALSE(read_ticket("", "key"));
}

}  // namespace
}  // namespace pinpipe::broker
