// Bodies that are compressed for the way, whatever protocol carries them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "http/message.h"

namespace pinpipe::http {

// Why a request is refused.
struct Refusal {
  int status = 0;
  std::string_view why;
};

// Undoes the Content-Encoding of a collected body; nothing when all is well.
std::optional<Refusal> undo_encoding(Request& request, size_t bytes_max);

// Compresses an answer's body where the client takes that and it is worth the time, which it is not
// on the way to this machine: most clients take gzip, and none of them would have asked for it.
void compress_body(const Request& request, Response& response);

}  // namespace pinpipe::http
