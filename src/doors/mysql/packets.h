// MySQL's packets: three bytes of length, one that counts up within an exchange, the payload.
// Payloads of 16 MiB - 1 and more go in several. Bounds: payload_bytes_max of one payload, checked
// before memory is taken for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/stream.h"
#include "io/task.h"

namespace pinpipe::mysql {

// Puts together payloads from bytes as they come.
class PacketAssembler {
 public:
  explicit PacketAssembler(size_t payload_bytes_max) : payload_bytes_max_(payload_bytes_max) {}

  void add(std::string_view bytes) { buffer_.append(bytes); }
  // The next payload, or nothing yet. `invalid` for one that is too large, or out of its sequence.
  Result<std::optional<std::string>> take();
  // What the answer's first packet is numbered.
  uint8_t next_sequence() const { return sequence_; }
  // A new exchange begins: the next packet is numbered 0.
  void begin_exchange() { sequence_ = 0; }
  // An answer of so many packets went out.
  void set_sequence(uint8_t sequence) { sequence_ = sequence; }

 private:
  size_t payload_bytes_max_;
  std::string buffer_;
  size_t begin_ = 0;
  std::string payload_;  // of a payload in several packets
  uint8_t sequence_ = 0;
};

// Collects the packets of an answer.
class PacketWriter {
 public:
  explicit PacketWriter(uint8_t sequence = 0) : sequence_(sequence) {}

  void add(std::string_view payload);
  std::string& bytes() { return bytes_; }
  uint8_t next_sequence() const { return sequence_; }

 private:
  std::string bytes_;
  uint8_t sequence_;
};

}  // namespace pinpipe::mysql
