// What a client carries for us between two calls: shard iterators and page tokens. Base64 of
//
//   0  version = 1  8 │ 8  HMAC-SHA256 of all the rest  32 │ 40  kind 1 · issued_ms 8 · stream 16
//   · shard 4 · position 8 · detail 1 · name length 2 · name · zeros up to 152 + 16·k bytes
//
// Promise: read() accepts exactly what seal() gave with the same key; with the key kept, across
// restarts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/id.h"

namespace pinpipe::broker {

struct Ticket {
  enum class Kind : uint8_t { iterator = 1, shard_page = 2, stream_page = 3, consumer_page = 4 };

  Kind kind = Kind::iterator;
  int64_t issued_ms = 0;
  Uuid stream_id;        // the incarnation
  int32_t shard = 0;     // of the iterator, or the last one listed
  int64_t position = 0;  // the next offset, or the listing's filter time
  uint8_t detail = 0;    // the listing's filter
  std::string name;      // of the stream, or the last one listed
};

std::string seal(const Ticket& ticket, std::string_view key);
std::optional<Ticket> read_ticket(std::string_view text, std::string_view key);

}  // namespace pinpipe::broker
