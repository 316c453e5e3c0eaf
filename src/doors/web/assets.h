// The console's files, compiled in.
#pragma once

#include <span>
#include <string_view>

namespace pinpipe::web {

struct Asset {
  std::string_view path;  // "/app.js"
  std::string_view content_type;
  std::string_view bytes;
};

std::span<const Asset> assets();

}  // namespace pinpipe::web
