// Two streams in memory that are each other's peer, on one loop: what is written to one is read
// from the other, cut where the seed says, so that no reader can rely on what was written together.
// Bounds: bytes_max are under way in each direction; a write waits for room.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "io/stream.h"

namespace pinpipe::kit {

struct LoopbackOptions {
  uint64_t seed = 1;
  size_t bytes_max = 64 * 1024;
  bool splits_reads = true;  // half of all reads get 1 to 16 bytes
};

std::pair<std::unique_ptr<io::Stream>, std::unique_ptr<io::Stream>> make_loopback(
    LoopbackOptions options);

}  // namespace pinpipe::kit
