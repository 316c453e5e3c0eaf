#include "base/bytes.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <limits>

#include "base/random.h"

namespace pinpipe {
namespace {

TEST(Bytes, fixed_numbers_are_big_endian) {
  std::string bytes;
  append_be<int32_t>(bytes, 0x01020304);
  EXPECT_EQ(bytes, std::string("\x01\x02\x03\x04", 4));
  EXPECT_EQ(Reader(bytes).be<int32_t>(), 0x01020304);
}

TEST(Bytes, varints_come_back_at_every_width) {
  for (int64_t value : {0LL, 1LL, -1LL, 63LL, -64LL, 64LL, 300LL, -70000LL,
                        static_cast<long long>(std::numeric_limits<int64_t>::max()),
                        static_cast<long long>(std::numeric_limits<int64_t>::min())}) {
    std::string bytes;
    append_varint(bytes, value);
    EXPECT_EQ(bytes.size(), varint_size(value));
    Reader reader(bytes);
    EXPECT_EQ(reader.varint(), value);
    EXPECT_EQ(reader.remaining(), 0U);
    EXPECT_FALSE(reader.failed());
  }
}

TEST(Bytes, a_reader_that_ran_short_gives_zeros_and_says_so) {
  Reader reader(std::string_view("\x01\x02", 2));
  EXPECT_EQ(reader.be<int32_t>(), 0);
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.remaining(), 0U);
}

TEST(Bytes, a_negative_or_huge_count_fails) {
  Reader negative("abc");
  EXPECT_EQ(negative.take(-1), "");
  EXPECT_TRUE(negative.failed());
  Reader huge("abc");
  EXPECT_EQ(huge.take(std::numeric_limits<int64_t>::max()), "");
  EXPECT_TRUE(huge.failed());
}

TEST(Bytes, an_endless_varint_fails) {
  std::string bytes(11, '\xff');
  Reader reader(bytes);
  reader.uvarint();
  EXPECT_TRUE(reader.failed());
}

TEST(Bytes, base64_round_trip_and_refusals) {
  for (std::string_view text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    EXPECT_EQ(from_base64(to_base64(text)), text);
  }
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(from_base64("Zm9"), std::nullopt);
  EXPECT_EQ(from_base64("Zm9*"), std::nullopt);
  EXPECT_EQ(from_base64("Z==="), std::nullopt);
  std::string to = "x";
  EXPECT_TRUE(append_from_base64(to, "Zm9v"));
  EXPECT_EQ(to, "xfoo");
}

TEST(Bytes, base64_of_every_length_and_with_every_wrong_symbol) {
  Random random(7);
  std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t length = 0; length < 200; ++length) {
    std::string bytes(length, '\0');
    for (char& c : bytes) c = static_cast<char>(random.below(256));
    std::string text = to_base64(bytes);
    // The definition: six bits after the other.
    std::string slow;
    for (size_t bit = 0; bit < length * 8; bit += 6) {
      size_t six = 0;
      for (size_t i = bit; i < bit + 6; ++i) {
        bool is_set =
            i < length * 8 && (static_cast<uint8_t>(bytes[i / 8]) >> (7 - i % 8) & 1) != 0;
        six = six << 1 | (is_set ? 1 : 0);
      }
      slow += alphabet[six];
    }
    slow.resize((length + 2) / 3 * 4, '=');
    EXPECT_EQ(text, slow);
    EXPECT_EQ(from_base64(text), bytes);
  }
  std::string text = to_base64(std::string(96, 'x'));
  for (size_t at : {size_t{0}, size_t{31}, size_t{32}, size_t{77}, size_t{127}}) {
    for (int c = 0; c < 256; ++c) {
      std::string changed = text;
      changed[at] = static_cast<char>(c);
      bool is_symbol = c != 0 && alphabet.find(static_cast<char>(c)) != std::string::npos;
      bool is_padding = c == '=' && at == 127;
      EXPECT_EQ(from_base64(changed).has_value(), is_symbol || is_padding) << at << ' ' << c;
    }
  }
}

TEST(Bytes, hex_round_trip_and_refusals) {
  EXPECT_EQ(to_hex(std::string_view("\x00\xff", 2)), "00ff");
  EXPECT_EQ(from_hex("00fF"), std::string("\x00\xff", 2));
  EXPECT_EQ(from_hex("0"), std::nullopt);
  EXPECT_EQ(from_hex("zz"), std::nullopt);
}

}  // namespace
}  // namespace pinpipe
