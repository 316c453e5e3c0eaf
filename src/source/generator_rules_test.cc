// What holds at every size and seed: the rules between rows, the promise of the same bytes, and the
// draws beneath.
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>

#include "base/bytes.h"
#include "base/hash.h"
#include "source/generator.h"
#include "source/pin_text.h"

namespace pinpipe::source {
namespace {

TEST(Generator, other_sizes_keep_the_rules) {
  for (uint64_t rows : {1ULL, 2ULL, 57ULL, 100ULL, 1'000ULL, 7'529ULL, 40'000ULL}) {
    Generator generator({.rows = rows, .seed = 7});
    std::map<std::string, std::string> users;
    std::string category;
    Row pin, geo, user;
    for (uint64_t i = 0; i < rows; ++i) {
      generator.pin(i, pin);
      generator.geo(i, geo);
      generator.user(i, user);
      std::string who(geo.text(2));
      who.append(geo.text(4)).append(user.text(1)).append(user.text(2));
      who += std::to_string(user.integer(3)) + " " + std::to_string(user.integer(4));
      auto known = users.try_emplace(std::string(pin.text(4)), who).first;
      ASSERT_EQ(known->second, who) << rows << " rows, " << known->first;
      ASSERT_LE(category, pin.text(11));
      category = pin.text(11);
      if (i == dirty_index) ASSERT_EQ(pin.text(4), no_user);
    }
  }
}

TEST(Generator, ten_million_rows_are_read_anywhere) {
  Generator generator({.rows = 10'000'000, .seed = 3});
  Row row;
  double errors = 0;
  for (uint64_t i = 0; i < 10'000'000; i += 997) {
    generator.pin(i, row);
    ASSERT_EQ(row.integer(0), static_cast<int64_t>(i));
    errors += row.text(4) == no_user;
  }
  EXPECT_NEAR(errors, 10'030 * 97.0 / classic_rows, 40);
  generator.pin(9'999'999, row);
  EXPECT_EQ(row.text(11), "vehicles");
  generator.user(9'999'999, row);
  EXPECT_GE(row.integer(3), 20);
}

TEST(Generator, the_same_seed_gives_the_same_bytes_and_another_seed_others) {
  auto digest = [](Generator::Options options) {
    Generator generator(options);
    std::string all;
    Row row;
    for (uint64_t i = 0; i < generator.rows(); ++i) {
      for (Table table : all_tables) {
        generator.read(table, i, row);
        for (size_t c = 0; c < row.size(); ++c) {
          bool number = row.kind(c) == Kind::integer || row.kind(c) == Kind::datetime;
          all.append(number ? std::to_string(row.integer(c)) : std::string(row.text(c)))
              .push_back('\x1f');
        }
      }
    }
    return to_hex(sha256(all)).substr(0, 16);
  };
  // The digest of a fixed seed: a change here changes everybody's data, so it is made on purpose.
  EXPECT_EQ(digest({.rows = 2'000, .seed = 42}), "168de1c2905e8b7a");
  EXPECT_NE(digest({.rows = 100, .seed = 1}), digest({.rows = 100, .seed = 2}));
}

TEST(Draw, the_least_of_many_is_distributed_like_the_least_of_many) {
  for (uint64_t count : {1ULL, 2ULL, 3ULL, 7ULL, 20ULL, 97ULL}) {
    double sum = 0;
    for (uint64_t i = 0; i < 20'000; ++i) {
      sum += static_cast<double>(Draw(count, i).least_of(count).bits) * 0x1.0p-53;
    }
    double expected = 1.0 / static_cast<double>(count + 1);
    EXPECT_NEAR(sum / 20'000, expected, expected * 0.04) << count;
  }
}

TEST(Permutation, is_a_bijection_of_any_size) {
  for (uint64_t size : {1ULL, 2ULL, 3ULL, 5ULL, 64ULL, 65ULL, 894ULL, 3'347ULL}) {
    Permutation permutation(size * 31, size);
    std::set<uint64_t> seen;
    for (uint64_t i = 0; i < size; ++i) {
      ASSERT_LT(permutation(i), size);
      seen.insert(permutation(i));
    }
    EXPECT_EQ(seen.size(), size);
  }
}

}  // namespace
}  // namespace pinpipe::source
