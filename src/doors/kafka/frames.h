// Requests as they come in: size prefix, then the request in memory of its own, so that record
// batches can go from there to the disk without another copy.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/stream.h"
#include "io/task.h"

namespace pinpipe::kafka {

struct Frame {
  std::shared_ptr<char[]> bytes;
  size_t size = 0;
};

class FrameReader {
 public:
  FrameReader(io::Stream& stream, uint32_t frame_bytes_max)
      : stream_(stream), frame_bytes_max_(frame_bytes_max) {}

  // Waits for one frame and takes all others that have come with it, until about burst_bytes_max.
  // Empty when the peer has finished. `invalid` for a size that nobody may send.
  io::Task<Result<std::vector<Frame>>> next_burst(size_t burst_bytes_max);

 private:
  static constexpr size_t buffer_bytes = 64 << 10;

  io::Task<Result<bool>> fill();  // false: the peer has finished
  // A complete frame from the buffer, or one begun there whose rest is still to come.
  Result<bool> take(Frame& frame, size_t& have);

  io::Stream& stream_;
  uint32_t frame_bytes_max_;
  std::string buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace pinpipe::kafka
