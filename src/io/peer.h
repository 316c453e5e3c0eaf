// Who is at the other end of a stream, by the name that Stream::peer() gives.
#pragma once

#include <string_view>

namespace pinpipe::io {

// Whether that is this machine.
inline bool is_loopback(std::string_view peer) {
  return peer.starts_with("127.") || peer.starts_with("[::1]") ||
         peer.starts_with("[::ffff:127.") || peer == "local";
}

}  // namespace pinpipe::io
