#include "doors/kafka/frames.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace pinpipe::kafka {
namespace {
constexpr size_t prefix_bytes = 4;
constexpr int32_t smallest_request_bytes = 8;  // api key, version, correlation id
}  // namespace

io::Task<Result<bool>> FrameReader::fill() {
  if (buffer_.empty()) buffer_.resize(buffer_bytes);
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  auto got = co_await stream_.read_some(std::span(buffer_).subspan(end_));
  if (!got) co_return got.error();
  end_ += *got;
  co_return *got > 0;
}

Result<bool> FrameReader::take(Frame& frame, size_t& have) {
  if (end_ - begin_ < prefix_bytes) return false;
  auto size = load_be<int32_t>(buffer_.data() + begin_);
  if (size < smallest_request_bytes || static_cast<uint32_t>(size) > frame_bytes_max_)
    return Error(Code::invalid, "a frame of " + std::to_string(size) + " bytes");
  frame.size = static_cast<size_t>(size);
  have = std::min(frame.size, end_ - begin_ - prefix_bytes);
  // Small frames wait in the buffer until they are complete; large ones are read into their place.
  if (have < frame.size && frame.size + prefix_bytes <= buffer_bytes) return false;
  // Not zeroed: pages that a lying size never fills are never touched.
  frame.bytes = std::make_shared_for_overwrite<char[]>(frame.size);
  std::memcpy(frame.bytes.get(), buffer_.data() + begin_ + prefix_bytes, have);
  begin_ += prefix_bytes + have;
  return true;
}

io::Task<Result<std::vector<Frame>>> FrameReader::next_burst(size_t burst_bytes_max) {
  std::vector<Frame> frames;
  size_t total = 0;
  while (total < burst_bytes_max) {
    Frame frame;
    size_t have = 0;
    auto taken = take(frame, have);
    if (!taken) co_return taken.error();
    if (!*taken && !frames.empty()) break;
    if (!*taken) {
      auto filled = co_await fill();
      if (!filled) co_return filled.error();
      if (!*filled) break;
      continue;
    }
    while (have < frame.size) {
      auto got = co_await stream_.read_some(std::span(frame.bytes.get() + have, frame.size - have));
      if (!got) co_return got.error();
      if (*got == 0) co_return frames;
      have += *got;
    }
    total += frame.size;
    frames.push_back(std::move(frame));
  }
  co_return frames;
}

}  // namespace pinpipe::kafka
