#include "codec/compression.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/random.h"
#include "kit/seed.h"

namespace pinpipe::codec {
namespace {

constexpr Codec all[] = {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd};

std::string sample(size_t bytes, Random& random) {
  std::string text;
  while (text.size() < bytes) {
    text +=
        random.below(3) == 0 ? std::string(random.below(90), 'x') : std::to_string(random.next());
  }
  text.resize(bytes);
  return text;
}

TEST(Compression, every_codec_gives_back_what_it_took) {
  Random random(kit::seed());
  for (Codec codec : all) {
    for (size_t size : {0, 1, 17, 1000, 32 * 1024, 32 * 1024 + 1, 300'000}) {
      std::string text = sample(size, random);
      auto packed = compress(codec, text);
      ASSERT_TRUE(packed) << name_of(codec);
      auto back = decompress(codec, *packed, size);
      ASSERT_TRUE(back) << name_of(codec) << ' ' << size << ' ' << back.error().text();
      EXPECT_EQ(*back, text) << name_of(codec);
    }
  }
}

TEST(Compression, one_byte_over_the_limit_is_invalid) {
  Random random(kit::seed());
  for (Codec codec : all) {
    for (size_t size : {1, 1000, 300'000}) {
      auto packed = compress(codec, sample(size, random));
      auto back = decompress(codec, *packed, size - 1);
      ASSERT_FALSE(back) << name_of(codec) << size;
      EXPECT_EQ(back.error().code(), Code::invalid) << name_of(codec);
    }
  }
}

TEST(Compression, a_bomb_is_refused) {
  std::string zeros(50'000'000, '\0');
  for (Codec codec : all) {
    auto back = decompress(codec, *compress(codec, zeros), 1'000'000);
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().code(), Code::invalid) << name_of(codec);
  }
}

TEST(Compression, cut_off_input_is_corrupt_wherever_the_cut_is) {
  Random random(kit::seed());
  for (Codec codec : {Codec::gzip, Codec::lz4, Codec::zstd}) {
    std::string packed = *compress(codec, sample(500, random));
    for (size_t keep = 0; keep < packed.size(); ++keep) {
      auto back = decompress(codec, std::string_view(packed).substr(0, keep), 1000);
      ASSERT_FALSE(back) << name_of(codec) << " cut at " << keep;
      EXPECT_EQ(back.error().code(), Code::corrupt);
    }
  }
  std::string packed = *compress(Codec::snappy, sample(500, random));
  for (size_t keep = 0; keep < packed.size(); ++keep) {
    if (keep == 16) continue;  // a xerial header alone is an empty stream
    EXPECT_FALSE(decompress(Codec::snappy, std::string_view(packed).substr(0, keep), 1000)) << keep;
  }
}

TEST(Compression, random_bytes_never_exceed_the_limit) {
  Random random(kit::seed());
  for (int round = 0; round < 2000; ++round) {
    for (Codec codec : all) {
      std::string packed = *compress(codec, sample(random.below(300), random));
      for (int flips = 0; flips < 3 && !packed.empty(); ++flips) {
        packed[random.below(packed.size())] = static_cast<char>(random.next());
      }
      auto back = decompress(codec, packed, 256);
      if (back) EXPECT_LE(back->size(), 256u);
    }
  }
}

TEST(Compression, raw_snappy_is_read_too) {
  // length 5, literal of 5 bytes: the format's smallest useful block
  EXPECT_EQ(*decompress(Codec::snappy, "\x05\x10hello", 5), "hello");
}

TEST(Compression, a_small_snappy_block_that_claims_a_gigabyte_is_refused_before_allocating) {
  auto back = decompress(Codec::snappy, "\x80\x80\x80\x80\x04\x10hello", size_t{1} << 30);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code(), Code::corrupt);
}

TEST(Compression, members_and_frames_in_a_row_are_one_text) {
  for (Codec codec : {Codec::gzip, Codec::lz4, Codec::zstd}) {
    auto back = decompress(codec, *compress(codec, "one ") + *compress(codec, "two"), 100);
    ASSERT_TRUE(back) << name_of(codec);
    EXPECT_EQ(*back, "one two") << name_of(codec);
  }
}

TEST(Compression, a_gzip_made_elsewhere_is_read) {
  // printf hello | gzip -n
  auto packed = from_hex("1f8b0800000000000003cb48cdc9c9070086a6103605000000");
  ASSERT_TRUE(packed);
  EXPECT_EQ(*decompress(Codec::gzip, *packed, 100), "hello");
}

TEST(Compression, zlib_format_for_http_deflate) {
  auto packed = deflate_zlib("hello hello hello");
  EXPECT_EQ(*inflate_zlib(*packed, 100), "hello hello hello");
  EXPECT_EQ(inflate_zlib(*packed, 16).error().code(), Code::invalid);
  EXPECT_EQ(inflate_zlib(*packed + "x", 100).error().code(), Code::corrupt);
}

TEST(Compression, codecs_have_the_names_of_kafkas_settings) {
  for (Codec codec : all) EXPECT_EQ(codec_of(name_of(codec)), codec);
  EXPECT_EQ(codec_of("brotli"), std::nullopt);
  EXPECT_FALSE(compress(static_cast<Codec>(7), "x"));
}

}  // namespace
}  // namespace pinpipe::codec
