// Date and time of day as the source has it (no zone), as seconds since 1970-01-01, and its texts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pinpipe::source {

// The four texts that the public scripts send.
enum class DatetimeStyle : uint8_t {
  blank,     // a: 2020-08-28 03:52:47
  iso,       // b: 2020-08-28T03:52:47
  colons,    // c: 2020:08:28 03:52:47
  american,  // d: 08/28/2020, 03:52:47
};

// By letter, "a" to "d".
std::optional<DatetimeStyle> datetime_style_named(std::string_view letter);

// Years 0 to 9999.
void append_datetime(std::string& to, int64_t seconds, DatetimeStyle style);
// "YYYY-MM-DD HH:MM:SS", with a T for the blank too, and nothing else.
std::optional<int64_t> parse_datetime(std::string_view text);

}  // namespace pinpipe::source
