#include "auth/sigv4_canonical.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "codec/percent.h"

namespace pinpipe::auth {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// A client that encoded differently, or not at all, meant the same bytes.
std::string encoded_once(std::string_view text, bool is_path) {
  auto bytes = codec::percent_decode(text);
  std::string_view plain = bytes ? std::string_view(*bytes) : text;
  return is_path ? codec::percent_encode_path(plain) : codec::percent_encode(plain);
}

// RFC 3986 5.2.4, and empty segments dropped; a slash at the end stays.
std::string without_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  bool ends_in_slash = path.ends_with('/');
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    std::string_view segment = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
    if (path.empty() && (segment == "." || segment == "..")) ends_in_slash = true;
  }
  std::string out;
  for (std::string_view segment : kept) out.append("/").append(segment);
  if (ends_in_slash || out.empty()) out.push_back('/');
  return out;
}

std::optional<int> number_in(std::string_view text, size_t at, size_t digits) {
  if (text.size() < at + digits) return std::nullopt;
  int value = 0;
  for (char c : text.substr(at, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<int64_t> moment(std::optional<int> year, std::optional<int> month,
                              std::optional<int> day, std::string_view time_of_day) {
  // time_of_day: "hh:mm:ss"
  auto hour = number_in(time_of_day, 0, 2);
  auto minute = number_in(time_of_day, 3, 2);
  auto second = number_in(time_of_day, 6, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  return from_rfc3339(fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", *year, *month, *day,
                                  *hour, *minute, *second));
}

}  // namespace

std::optional<std::string_view> find_header(const RequestView& request,
                                            std::string_view lower_name) {
  for (const auto& [name, value] : request.headers) {
    if (equal_without_case(name, lower_name)) return trimmed(value);
  }
  return std::nullopt;
}

std::string canonical_path(std::string_view path, bool is_s3) {
  if (path.empty()) return "/";
  if (is_s3) return encoded_once(path, true);
  return codec::percent_encode_path(without_dot_segments(path));
}

std::string canonical_query(std::string_view query, std::string_view left_out) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    std::string_view piece = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (piece.empty()) continue;
    const size_t equals = std::min(piece.find('='), piece.size());
    std::string_view value = piece.substr(std::min(equals + 1, piece.size()));
    std::string name = encoded_once(piece.substr(0, equals), false);
    if (left_out.empty() || name != left_out) {
      pairs.emplace_back(std::move(name), encoded_once(value, false));
    }
  }
  std::ranges::sort(pairs);
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out.push_back('&');
    out.append(name).append("=").append(value);
  }
  return out;
}

std::string canonical_header(const RequestView& request, std::string_view lower_name) {
  std::string out;
  bool is_first = true;
  for (const auto& [name, value] : request.headers) {
    if (!equal_without_case(name, lower_name)) continue;
    if (!std::exchange(is_first, false)) out.push_back(',');
    bool was_blank = false;
    for (char c : trimmed(value)) {
      if (!is_blank(c) || !was_blank) out.push_back(is_blank(c) ? ' ' : c);
      was_blank = is_blank(c);
    }
  }
  return out;
}

std::string canonical_request(const RequestView& request,
                              const std::vector<std::string>& signed_headers,
                              std::string_view left_out, std::string_view payload_hash,
                              bool is_s3) {
  std::string out(request.method);
  out.append("\n").append(canonical_path(request.path, is_s3));
  out.append("\n").append(canonical_query(request.query, left_out)).append("\n");
  for (const std::string& name : signed_headers) {
    out.append(name).append(":").append(canonical_header(request, name)).append("\n");
  }
  out.append("\n").append(fmt::format("{}", fmt::join(signed_headers, ";")));
  out.append("\n").append(payload_hash);
  return out;
}

std::string string_to_sign(std::string_view amz_date, std::string_view scope,
                           std::string_view canonical) {
  return fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", amz_date, scope, to_hex(sha256(canonical)));
}

std::string to_amz_date(int64_t wall_ms) {
  CivilTime t = civil_of(wall_ms);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", t.year, t.month, t.day, t.hour, t.minute,
                     t.second);
}

std::optional<int64_t> from_amz_date(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  std::string time =
      fmt::format("{}:{}:{}", text.substr(9, 2), text.substr(11, 2), text.substr(13, 2));
  return moment(number_in(text, 0, 4), number_in(text, 4, 2), number_in(text, 6, 2), time);
}

std::optional<int64_t> from_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  // "Fri, 24 May 2013 00:00:00 GMT"
  if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT"))
    return std::nullopt;
  auto month = std::ranges::find(months, text.substr(8, 3));
  if (month == months.end()) return std::nullopt;
  return moment(number_in(text, 12, 4), static_cast<int>(month - months.begin()) + 1,
                number_in(text, 5, 2), text.substr(17, 8));
}

}  // namespace pinpipe::auth
