#include "doors/mysql/packets.h"

#include <fmt/format.h>

#include "doors/mysql/wire.h"

namespace pinpipe::mysql {
namespace {
constexpr size_t head_bytes = 4;
constexpr size_t whole_packet = 0xff'ffff;  // one so long is followed by another
}  // namespace

Result<std::optional<std::string>> PacketAssembler::take() {
  while (buffer_.size() - begin_ >= head_bytes) {
    Decoder head(std::string_view(buffer_).substr(begin_));
    size_t size = head.le<uint16_t>();
    size |= static_cast<size_t>(head.le<uint8_t>()) << 16;
    auto sequence = head.le<uint8_t>();
    if (sequence != sequence_)
      return Error(Code::invalid, fmt::format("packet {} where {} is due", sequence, sequence_));
    if (payload_.size() + size > payload_bytes_max_)
      return Error(Code::invalid, fmt::format("a packet of {} bytes", payload_.size() + size));
    if (head.remaining() < size) break;
    payload_.append(head.take(size));
    begin_ += head_bytes + size;
    ++sequence_;
    if (size == whole_packet) continue;
    if (begin_ == buffer_.size()) {
      buffer_.clear();
      begin_ = 0;
    }
    return std::optional(std::exchange(payload_, std::string()));
  }
  buffer_.erase(0, begin_);
  begin_ = 0;
  return std::optional<std::string>();
}

void PacketWriter::add(std::string_view payload) {
  while (true) {
    std::string_view piece = payload.substr(0, whole_packet);
    append_le(bytes_, static_cast<uint16_t>(piece.size()));
    bytes_.push_back(static_cast<char>(piece.size() >> 16));
    bytes_.push_back(static_cast<char>(sequence_++));
    bytes_.append(piece);
    payload.remove_prefix(piece.size());
    if (piece.size() < whole_packet) return;
  }
}

}  // namespace pinpipe::mysql
