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

Result<std::optional<size_t>> FrameReader::takeable() const {
  std::optional<size_t> none;
  if (end_ - begin_ < prefix_bytes) return none;
  auto size = load_be<int32_t>(buffer_.data() + begin_);
  if (size < smallest_request_bytes || static_cast<uint32_t>(size) > frame_bytes_max_)
    return Error(Code::invalid, "a frame of " + std::to_string(size) + " bytes");
  auto bytes = static_cast<size_t>(size);
  // Small frames wait in the buffer until they are complete; large ones are read into their place.
  bool complete = end_ - begin_ >= prefix_bytes + bytes;
  bool large = prefix_bytes + bytes > buffer_bytes;
  return complete || large ? std::optional(bytes) : none;
}

size_t FrameReader::move_into(Frame& frame) {
  size_t have = std::min(frame.size, end_ - begin_ - prefix_bytes);
  std::memcpy(frame.bytes.get(), buffer_.data() + begin_ + prefix_bytes, have);
  begin_ += prefix_bytes + have;
  return have;
}

io::Task<Result<std::vector<Frame>>> FrameReader::next_burst(size_t burst_bytes_max,
                                                             io::Instant deadline) {
  std::vector<Frame> frames;
  size_t total = 0;
  while (total < burst_bytes_max) {
    auto size = takeable();
    if (!size) co_return size.error();
    if (!*size && !frames.empty()) break;
    if (!*size) {
      auto filled = co_await fill();
      if (!filled) co_return filled.error();
      if (!*filled) break;
      continue;
    }
    Frame frame{.bytes = memory_.try_take(**size), .size = **size};
    // Whoever holds memory never waits for more: the requests that are there are answered first.
    if (!frame.bytes && !frames.empty()) break;
    if (!frame.bytes) {
      auto granted = co_await memory_.take(frame.size, deadline);
      if (!granted) co_return granted.error();
      frame.bytes = std::move(*granted);
    }
    for (size_t have = move_into(frame); have < frame.size;) {
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
