// Percent-encoding (RFC 3986) and query strings.
// Promise: only A–Z a–z 0–9 - _ . ~ stay as they are, hexadecimal is upper case; this is also what
// SigV4 asks for. Decoding refuses `%` without two hexadecimal digits.
// Bounds: query_parameters_max per query string.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pinpipe::codec {

inline constexpr size_t query_parameters_max = 1000;

// For one path segment or one query name or value.
std::string percent_encode(std::string_view bytes);
// Likewise, with `/` kept: for a whole path.
std::string percent_encode_path(std::string_view bytes);
// `+` stays a plus.
std::optional<std::string> percent_decode(std::string_view text);
// `+` is a blank: for HTML forms and the queries of browsers.
std::optional<std::string> percent_decode_form(std::string_view text);

struct QueryParameter {
  std::string name;
  std::string value;
  bool has_value = false;  // `a=` has one, `a` has none
  bool operator==(const QueryParameter&) const = default;
};

// Splits "a=1&b" (no leading `?`) in order and decodes with percent_decode_form, or percent_decode
// when plus_is_blank is false. Empty pieces ("a=1&&b") are skipped.
Result<std::vector<QueryParameter>> parse_query(std::string_view query, bool plus_is_blank = true);
// The value of the first parameter of that name.
std::optional<std::string_view> find_parameter(const std::vector<QueryParameter>& parameters,
                                               std::string_view name);
std::string to_query(const std::vector<QueryParameter>& parameters);

}  // namespace pinpipe::codec
