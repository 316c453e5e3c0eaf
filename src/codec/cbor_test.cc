#include "codec/cbor.h"

#include <cmath>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/random.h"
#include "kit/seed.h"

namespace pinpipe::codec {
namespace {

Result<Cbor> of_hex(std::string_view hex) {
  return parse_cbor(*from_hex(hex));
}

TEST(Cbor, reads_the_examples_of_the_standard) {
  EXPECT_EQ(of_hex("00")->as_int(), 0);
  EXPECT_EQ(of_hex("1818")->as_int(), 24);
  EXPECT_EQ(of_hex("1b000000e8d4a51000")->as_int(), 1'000'000'000'000);
  EXPECT_EQ(*of_hex("1bffffffffffffffff"), Cbor(UINT64_MAX));
  EXPECT_EQ(of_hex("3903e7")->as_int(), -1000);
  EXPECT_EQ(of_hex("3b7fffffffffffffff")->as_int(), INT64_MIN);
  EXPECT_EQ(of_hex("f93c00")->as_double(), 1.0);
  EXPECT_EQ(of_hex("f90001")->as_double(), 5.960464477539063e-8);
  EXPECT_EQ(of_hex("f97bff")->as_double(), 65504.0);
  EXPECT_EQ(of_hex("f9fc00")->as_double(), -HUGE_VAL);
  EXPECT_EQ(of_hex("fa47c35000")->as_double(), 100000.0);
  EXPECT_EQ(of_hex("fb3ff199999999999a")->as_double(), 1.1);
  EXPECT_EQ(of_hex("f5")->as_bool(), true);
  EXPECT_TRUE(of_hex("f6")->is_null());
  EXPECT_EQ(of_hex("c11a514b67b0")->as_time(), CborTime{1363896240});
  EXPECT_EQ(of_hex("c1fb41d452d9ec200000")->as_time(), CborTime{1363896241});
  EXPECT_EQ(of_hex("4401020304")->as_bytes(), "\x01\x02\x03\x04");
  EXPECT_EQ(of_hex("62c3bc")->as_string(), "\u00fc");
}

TEST(Cbor, reads_open_ended_items_as_jackson_writes_them) {
  EXPECT_EQ(of_hex("5f42010243030405ff")->as_bytes(), "\x01\x02\x03\x04\x05");
  EXPECT_EQ(of_hex("7f657374726561646d696e67ff")->as_string(), "streaming");
  auto map = of_hex("bf61610161629f0203ffff");
  ASSERT_TRUE(map) << map.error().text();
  EXPECT_EQ(map->find("a")->as_int(), 1);
  EXPECT_EQ(map->find("b")->elements().size(), 2u);
  EXPECT_EQ(map->find("c"), nullptr);
}

TEST(Cbor, refuses_what_is_cut_off_foreign_or_too_much) {
  for (auto bad : {"",
                   "18",
                   "1900",
                   "1c",
                   "1f",
                   "ff",
                   "3bffffffffffffffff",
                   "41",
                   "5f41",
                   "5f6161ff",
                   "62ff00",
                   "7f5f41ffffff",
                   "81",
                   "9f01",
                   "a1",
                   "a10102",
                   "bf6161ff",
                   "bf6161",
                   "0000",
                   "f8ff",
                   "c1",
                   "c16161",
                   "c1f97e00",
                   "9bffffffffffffffff",
                   "5bffffffffffffffff",
                   "fc"}) {
    auto value = of_hex(bad);
    ASSERT_FALSE(value) << bad;
    EXPECT_EQ(value.error().code(), Code::invalid);
  }
  EXPECT_TRUE(parse_cbor(std::string(cbor_depth_max - 1, '\x81') + '\x01'));
  EXPECT_FALSE(parse_cbor(std::string(cbor_depth_max, '\x81') + '\x01'));
}

TEST(Cbor, writes_the_shortest_form) {
  Cbor value;
  value.add("a", 1).add("b", Cbor(CborBytes{"\xff"})).add("t", Cbor(CborTime{500}));
  value.add("n", Cbor()).add("l", Cbor::Array{true, -1, 1.5});
  EXPECT_EQ(to_hex(to_cbor(value)),
            "a56161016162"
            "41ff6174c11901f4616ef6616c83f520fb3ff8000000000000");
  EXPECT_EQ(*parse_cbor(to_cbor(value)), value);
}

Cbor random_value(Random& random, int depth) {
  switch (random.below(depth > 0 ? 9 : 7)) {
    case 0:
      return {};
    case 1:
      return random.below(2) == 0;
    case 2:
      return static_cast<int64_t>(random.next() >> random.below(64));
    case 3:
      return -static_cast<int64_t>(random.next() >> (1 + random.below(63)));
    case 4:
      return random.unit();
    case 5:
      return std::string(random.below(300), 'x');
    case 6:
      return CborBytes{std::string(random.below(30), '\xff')};
    case 7: {
      Cbor::Array elements;
      for (uint64_t n = random.below(5); n > 0; --n)
        elements.push_back(random_value(random, depth - 1));
      return elements;
    }
    default: {
      Cbor::Map members;
      for (uint64_t n = random.below(30); n > 0; --n) {
        members.push_back({std::to_string(n), random_value(random, depth - 1)});
      }
      return members;
    }
  }
}

TEST(Cbor, whatever_is_written_reads_back_equal) {
  Random random(kit::seed());
  for (int i = 0; i < 300; ++i) {
    Cbor value = random_value(random, 3);
    auto back = parse_cbor(to_cbor(value));
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_EQ(*back, value);
  }
}

TEST(Cbor, what_the_writer_writes_piece_by_piece_reads_back) {
  std::string out;
  CborWriter writer(out);
  writer.begin_map().text("list").begin_array().integer(-7).boolean(true).end();
  writer.text("data").bytes(std::string_view("\0\xff", 2)).text("when").time(1'700'000'000'123);
  writer.text("none").begin_map().end().end();
  auto back = parse_cbor(out);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(*back->find("list"), Cbor(Cbor::Array{-7, true}));
  EXPECT_EQ(back->find("data")->as_bytes(), std::string_view("\0\xff", 2));
  EXPECT_EQ(back->find("when")->as_time()->value, 1'700'000'000'123);
  EXPECT_TRUE(back->find("none")->members().empty());
}

}  // namespace
}  // namespace pinpipe::codec
