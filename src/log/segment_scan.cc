#include "log/segment_scan.h"

#include <algorithm>

namespace pinpipe::log {
namespace {

// A window into the file that moves forward.
class Window {
 public:
  Window(io::File& file, uint64_t position, uint64_t until)
      : file_(file), position_(position), until_(until) {}

  // The next `count` bytes, fewer at the end.
  Result<std::string_view> peek(size_t count) {
    if (bytes_.size() - at_ < count && position_ + (bytes_.size() - at_) < until_) {
      bytes_.erase(0, at_);
      at_ = 0;
      size_t had = bytes_.size();
      uint64_t left = until_ - position_ - had;
      size_t want =
          static_cast<size_t>(std::min<uint64_t>(left, std::max(count, scan_chunk_bytes)));
      bytes_.resize(had + want);
      auto got = file_.read_at(std::span(bytes_.data() + had, want), position_ + had);
      if (!got) return got.error();
      bytes_.resize(had + *got);
      if (*got < want) until_ = position_ + bytes_.size();
    }
    return std::string_view(bytes_).substr(at_, count);
  }
  void skip(size_t count) {
    at_ += count;
    position_ += count;
  }
  uint64_t position() const { return position_; }

 private:
  io::File& file_;
  uint64_t position_;
  uint64_t until_;
  std::string bytes_;
  size_t at_ = 0;
};

Result<bool> only_zeros_follow(Window& window) {
  while (true) {
    auto bytes = window.peek(scan_chunk_bytes);
    if (!bytes) return bytes.error();
    if (bytes->empty()) return true;
    if (bytes->find_first_not_of('\0') != std::string_view::npos) return false;
    window.skip(bytes->size());
  }
}

std::string why_not_a_batch(const BatchHeader& header, Offset offset_least) {
  if (!header.has_sane_length() || header.size_bytes() > stored_batch_bytes_max)
    return "a length of " + std::to_string(header.length);
  if (header.magic != 2) return "magic " + std::to_string(header.magic);
  if (header.base_offset < offset_least)
    return "offset " + std::to_string(header.base_offset) + " where " +
           std::to_string(offset_least) + " was expected";
  if (header.last_offset_delta < 0) return "a last offset before the first";
  return {};
}

}  // namespace

Result<ScanEnd> scan(io::File& file, const ScanFrom& from, const EachBatch& each) {
  Window window(file, from.position, from.until);
  ScanEnd end{.position = from.position, .next_offset = from.offset_least, .bad = {}};
  while (true) {
    auto head = window.peek(header_bytes);
    if (!head) return head.error();
    if (head->empty()) return end;
    // Zeros for the length end a segment that was laid out ahead; shorter rests too.
    bool may_be_zeros =
        head->size() < length_prefix_bytes || load_be<int32_t>(head->data() + 8) == 0;
    if (may_be_zeros) {
      auto zeros = only_zeros_follow(window);
      if (!zeros) return zeros.error();
      end.zeros = *zeros;
      if (!*zeros) end.bad = "bytes without a batch";
      return end;
    }
    if (head->size() < header_bytes) {
      end.bad = "a torn header";
      return end;
    }
    BatchHeader header = read_header(*head);
    end.bad = why_not_a_batch(header, end.next_offset);
    if (!end.bad.empty()) return end;
    auto bytes = window.peek(header.size_bytes());
    if (!bytes) return bytes.error();
    if (bytes->size() < header.size_bytes()) {
      end.bad = "a torn batch";
    } else if (!crc_holds(*bytes)) {
      end.bad = "a CRC that does not hold";
    }
    if (!end.bad.empty()) return end;
    bool go_on = each(header, window.position(), *bytes);
    if (!go_on) {
      end.stopped = true;
      return end;
    }
    window.skip(header.size_bytes());
    end.position = window.position();
    end.next_offset = header.last_offset() + 1;
  }
}

}  // namespace pinpipe::log
