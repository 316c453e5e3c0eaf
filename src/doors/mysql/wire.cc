#include "doors/mysql/wire.h"

#include <utility>

namespace pinpipe::mysql {
namespace {
constexpr uint8_t two_bytes = 0xfc, three_bytes = 0xfd, eight_bytes = 0xfe;
}  // namespace

void append_length(std::string& to, uint64_t length) {
  if (length < 0xfb) {
    to.push_back(static_cast<char>(length));
  } else if (length <= 0xffff) {
    to.push_back(static_cast<char>(two_bytes));
    append_le(to, static_cast<uint16_t>(length));
  } else if (length <= 0xff'ffff) {
    to.push_back(static_cast<char>(three_bytes));
    append_le(to, static_cast<uint16_t>(length));
    to.push_back(static_cast<char>(length >> 16));
  } else {
    to.push_back(static_cast<char>(eight_bytes));
    append_le(to, length);
  }
}

void append_text(std::string& to, std::string_view text) {
  append_length(to, text.size());
  to.append(text);
}

uint64_t Decoder::length() {
  auto first = le<uint8_t>();
  if (first < 0xfb) return first;
  if (first == two_bytes) return le<uint16_t>();
  if (first == three_bytes) {
    uint64_t low = le<uint16_t>();
    return low | static_cast<uint64_t>(le<uint8_t>()) << 16;
  }
  if (first == eight_bytes) return le<uint64_t>();
  mark_failed();  // 0xfb is a null and 0xff an error: no lengths
  return 0;
}

std::string_view Decoder::take(uint64_t count) {
  if (count > rest_.size()) {
    mark_failed();
    return {};
  }
  std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

std::string_view Decoder::until_zero() {
  size_t end = rest_.find('\0');
  if (end == std::string_view::npos) {
    mark_failed();
    return {};
  }
  std::string_view taken = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  return taken;
}

std::string_view Decoder::rest() {
  return std::exchange(rest_, std::string_view());
}

}  // namespace pinpipe::mysql
