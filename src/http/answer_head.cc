#include "http/answer_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include "base/ascii.h"
#include "base/clock.h"

namespace pinpipe::http {
namespace {

void append_number(std::string& to, uint64_t number) {
  std::array<char, 20> digits;
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  to.append(digits.data(), static_cast<size_t>(end - digits.data()));
}

// "Date: …\r\n", made once a second and thread. time() is the clock that costs least.
std::string_view date_line() {
  thread_local std::time_t second = -1;
  thread_local std::string line;
  std::time_t now = std::time(nullptr);
  if (now != second) {
    second = now;
    line = "Date: " + http_date(int64_t{now} * 1000) + "\r\n";
  }
  return line;
}

bool is_servers_own(std::string_view name) {
  switch (name.size()) {
    case 4:
      return equal_without_case(name, "Date");
    case 10:
      return equal_without_case(name, "Connection");
    case 14:
      return equal_without_case(name, "Content-Length");
    case 17:
      return equal_without_case(name, "Transfer-Encoding");
    default:
      return false;
  }
}

}  // namespace

bool may_have_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

std::optional<uint64_t> announced_length(const Response& response) {
  auto text = response.headers.find("Content-Length");
  uint64_t length = 0;
  if (!text || text->empty()) return std::nullopt;
  auto end = std::from_chars(text->data(), text->data() + text->size(), length);
  if (end.ec != std::errc() || end.ptr != text->data() + text->size()) return std::nullopt;
  return length;
}

void append_clean(std::string& to, std::string_view text) {
  size_t from = to.size();
  to += text;
  std::replace_if(
      to.begin() + static_cast<std::ptrdiff_t>(from), to.end(),
      [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
}

std::string http_date(int64_t wall_ms) {
  constexpr std::array days = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  CivilTime time = civil_of(wall_ms);
  int64_t day = wall_ms / 86'400'000;
  auto two = [](unsigned number) {
    return std::string{static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
  };
  return std::string(days[static_cast<size_t>(day % 7)]) + ", " + two(time.day) + " " +
         months[time.month - 1] + " " + std::to_string(time.year) + " " + two(time.hour) + ":" +
         two(time.minute) + ":" + two(time.second) + " GMT";
}

void append_answer_head(std::string& to, const Response& response, const AnswerFraming& framing) {
  if (response.status == 200) {
    to += "HTTP/1.1 200 OK\r\n";
  } else {
    to += "HTTP/1.1 ";
    append_number(to, static_cast<uint64_t>(response.status));
    to += ' ';
    to += reason_of(response.status);
    to += "\r\n";
  }
  to += date_line();
  for (const auto& [name, value] : response.headers.lines()) {
    if (is_servers_own(name)) continue;
    append_clean(to, name);
    to += ": ";
    append_clean(to, value);
    to += "\r\n";
  }
  if (framing.length) {
    to += "Content-Length: ";
    append_number(to, *framing.length);
    to += "\r\n";
  }
  if (framing.chunked) to += "Transfer-Encoding: chunked\r\n";
  if (!framing.keeps_alive) {
    to += "Connection: close\r\n";
  } else if (framing.is_http_1_0) {
    to += "Connection: keep-alive\r\n";
  }
  to += "\r\n";
}

}  // namespace pinpipe::http
