// Every test program's main: prints the seed of this run, so that a failure can be repeated with
// PINPIPE_SEED=<seed>.
#include <cstdio>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kit/seed.h"

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  std::printf("seed %llu\n", static_cast<unsigned long long>(pinpipe::kit::seed()));
  return RUN_ALL_TESTS();
}
