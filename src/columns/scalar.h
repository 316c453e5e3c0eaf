// Text that stands for a value of another type: "42" in an integer column, "2022-05-27 11:30:59" in
// a timestamp column. Exact or nothing: no rounding, no partial read, no local time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pinpipe::columns {

// A whole number: "42", "-7", "+3", also "12.0" and "1e3" when nothing is lost. Blanks around it
// are allowed.
std::optional<int64_t> integer_of(std::string_view text);
// A decimal number, "NaN", "Infinity" or "-Infinity"; not one whose size a double cannot hold.
std::optional<double> number_of(std::string_view text);
// "true" or "false".
std::optional<bool> boolean_of(std::string_view text);
// "YYYY-MM-DD", "YYYY-MM-DD HH:MM:SS[.ffffff][Z|±HH:MM]" with a blank or T between; without a zone
// it is UTC. Microseconds since 1970.
std::optional<int64_t> timestamp_of(std::string_view text);

// Whether `text` is a number as JSON writes it, of any size.
bool is_json_number(std::string_view text);

}  // namespace pinpipe::columns
