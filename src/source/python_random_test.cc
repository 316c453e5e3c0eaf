// The expected values are CPython's own.
#include "source/python_random.h"

#include <gtest/gtest.h>
#include <vector>

namespace pinpipe::source {
namespace {

TEST(PythonRandom, seed_100_gives_the_classic_scripts_indexes) {
  PythonRandom random(100);
  std::vector<int64_t> indexes;
  for (int i = 0; i < 12; ++i) {
    random.randrange(0, 2);  // the script's sleep
    indexes.push_back(random.randint(0, 11'000));
  }
  EXPECT_EQ(indexes, (std::vector<int64_t>{7528, 2863, 5730, 8304, 8731, 1313, 4315, 10794, 5494,
                                           5069, 2923, 3089}));
}

TEST(PythonRandom, every_draw_of_every_kind_of_seed_is_pythons) {
  struct Expected {
    int64_t seed;
    double random;
    int64_t randint;
    uint64_t bits50;
    int64_t randrange;
    double uniform;
    uint64_t bits64;
  };
  const Expected expected[] = {{0, 0.8444218515250481, 3, 291512489160500, 562492388602,
                                0.9718553931256253, 14458531974522955699U},
                               {1, 0.13436424411240122, -8, 132762829599804, 835351532923,
                                0.8989821295774763, 7002664860023442459U},
                               {-5, 0.6229016948897019, 1, 777375316037175, 927465761770,
                                1.4797971494798614, 9777509567454608800U},
                               {1099511627793, 0.6614192930187859, -3, 777988046572403,
                                123497700802, 0.8897360387219979, 9145693569355123336U},
                               {INT64_MAX, 0.3166448820870279, 10, 904718250911584, 500324766174,
                                0.21848496015061114, 13188677789932409206U}};
  for (const Expected& e : expected) {
    PythonRandom random(e.seed);
    EXPECT_EQ(random.random(), e.random) << e.seed;
    EXPECT_EQ(random.randint(-10, 10), e.randint);
    EXPECT_EQ(random.getrandbits(50), e.bits50);
    EXPECT_EQ(random.randrange(0, 1'000'000'000'000), e.randrange);
    EXPECT_EQ(random.uniform(0, 2), e.uniform);
    EXPECT_EQ(random.getrandbits(64), e.bits64);
  }
}

}  // namespace
}  // namespace pinpipe::source
