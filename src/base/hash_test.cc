#include "base/hash.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/id.h"

namespace pinpipe {
namespace {

TEST(Hash, crc32c_known_answers) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(Hash, crc32c_goes_on_from_a_seed) {
  EXPECT_EQ(crc32c("6789", crc32c("12345")), crc32c("123456789"));
}

TEST(Hash, crc32c_of_many_bytes_is_that_of_one_after_the_other) {
  std::string bytes;
  for (uint32_t i = 0; i < 7'000; ++i) bytes.push_back(static_cast<char>(i * i * 31 + (i >> 7)));
  uint32_t one_by_one = 0x5eed;
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_EQ(crc32c(std::string_view(bytes).substr(0, size), 0x5eed), one_by_one) << size;
    one_by_one = crc32c(std::string_view(bytes).substr(size, 1), one_by_one);
  }
}

TEST(Hash, digests_known_answers) {
  EXPECT_EQ(to_hex(md5("")), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(hmac_sha256("key", "The quick brown fox jumps over the lazy dog")),
            "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
}

TEST(Hash, constant_time_comparison_compares) {
  EXPECT_TRUE(equal_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_constant_time("abc", "abcd"));
}

TEST(Uuid, random_ids_differ_and_come_back_from_text) {
  Uuid a = Uuid::random();
  Uuid b = Uuid::random();
  EXPECT_NE(a, b);
  EXPECT_EQ(Uuid::from_text(a.text()), a);
  EXPECT_EQ(a.text()[14], '4');
  EXPECT_EQ(Uuid::from_text("not-a-uuid"), std::nullopt);
}

TEST(DigestTest, pieces_give_the_digest_of_the_whole) {
  Digest md5_of_pieces(Digest::Kind::md5);
  md5_of_pieces.add("he");
  md5_of_pieces.add("");
  md5_of_pieces.add("llo");
  EXPECT_EQ(md5_of_pieces.finish(), md5("hello"));
  EXPECT_EQ(Digest(Digest::Kind::sha256).finish(), sha256(""));
}

}  // namespace
}  // namespace pinpipe
