// Messages of AWS's event streams (application/vnd.amazon.eventstream): named headers and a
// payload, each message with its length and two CRC-32s.
//
//   total length u32 │ length of headers u32 │ CRC of these 8 bytes u32 │ headers │ payload │ CRC
//   of everything before u32          header: length u8, name, type 7, length u16, text
//
// Promise: what append_event writes, read_event reads back equal; it accepts nothing whose sums are
// wrong. Bounds: event_bytes_max a message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pinpipe::codec {

inline constexpr size_t event_bytes_max = size_t{24} << 20;

struct EventMessage {
  std::vector<std::pair<std::string, std::string>> headers;  // texts only
  std::string payload;
  bool operator==(const EventMessage&) const = default;
};

void append_event(std::string& out, const EventMessage& message);
// The first message and what is behind it; nothing while it is not all there. `invalid` for what is
// no message, also when it has headers of other types.
struct EventRead {
  std::optional<EventMessage> message;
  std::string_view rest;
};
Result<EventRead> read_event(std::string_view bytes);

}  // namespace pinpipe::codec
