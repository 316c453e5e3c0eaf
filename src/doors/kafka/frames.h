// Requests as they come in: size prefix, then the request in memory of its own, so that record
// batches can go from there to the disk without another copy.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "doors/kafka/request_memory.h"
#include "io/stream.h"
#include "io/task.h"

namespace pinpipe::kafka {

struct Frame {
  std::shared_ptr<char[]> bytes;
  size_t size = 0;
};

class FrameReader {
 public:
  FrameReader(io::Stream& stream, RequestMemory& memory, uint32_t frame_bytes_max)
      : stream_(stream), memory_(memory), frame_bytes_max_(frame_bytes_max) {}

  // Waits for one frame and takes all others that have come with it, until about burst_bytes_max or
  // the end of the memory there is. Empty when the peer has finished. `invalid` for a size that
  // nobody may send.
  io::Task<Result<std::vector<Frame>>> next_burst(size_t burst_bytes_max, io::Instant deadline);

 private:
  static constexpr size_t buffer_bytes = 64 << 10;

  io::Task<Result<bool>> fill();  // false: the peer has finished
  // The size of a frame that can be taken: whole in the buffer, or too large to wait there.
  Result<std::optional<size_t>> takeable() const;
  // Moves what the buffer has of the frame into its place; gives how much.
  size_t move_into(Frame& frame);

  io::Stream& stream_;
  RequestMemory& memory_;
  uint32_t frame_bytes_max_;
  std::string buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace pinpipe::kafka
