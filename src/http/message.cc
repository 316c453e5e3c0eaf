#include "http/message.h"

#include "base/check.h"
#include "codec/percent.h"

namespace pinpipe::http {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool equal_without_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const auto& [key, value] : lines()) {
    if (equal_without_case(key, name)) return value;
  }
  return std::nullopt;
}

Headers::Line& Headers::append() {
  if (count_ == lines_.size()) lines_.emplace_back();
  Line& line = lines_[count_++];
  line.first.clear();
  line.second.clear();
  return line;
}

void Headers::add(std::string_view name, std::string_view value) {
  Line& line = append();
  line.first = name;
  line.second = value;
}

void Headers::set(std::string_view name, std::string_view value) {
  for (size_t i = 0; i < count_; ++i) {
    if (!equal_without_case(lines_[i].first, name)) continue;
    lines_[i].second = value;
    drop_from(i + 1, name);  // the first keeps its place
    return;
  }
  add(name, value);
}

void Headers::remove(std::string_view name) {
  drop_from(0, name);
}

// Swaps rather than moves, so that dropped lines keep their buffers for reuse.
void Headers::drop_from(size_t first, std::string_view name) {
  size_t kept = first;
  for (size_t i = first; i < count_; ++i) {
    if (equal_without_case(lines_[i].first, name)) continue;
    if (i != kept) std::swap(lines_[i], lines_[kept]);
    ++kept;
  }
  count_ = kept;
}

bool Headers::lists(std::string_view name, std::string_view token) const {
  for (const auto& [key, value] : lines()) {
    if (!equal_without_case(key, name)) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      size_t comma = rest.find(',');
      if (equal_without_case(trimmed(rest.substr(0, comma)), token)) return true;
      rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
    }
  }
  return false;
}

std::string_view Request::path() const {
  return std::string_view(target).substr(0, target.find('?'));
}

std::string_view Request::query() const {
  size_t mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

const std::string& Request::param(std::string_view name) const {
  for (const auto& [key, value] : params) {
    if (key == name) return value;
  }
  CHECK(false, "a handler asks only for parameters that its route has");
}

std::optional<std::string> Request::query_param(std::string_view name) const {
  std::string_view rest = query();
  while (!rest.empty()) {
    size_t end = rest.find('&');
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    size_t equals = pair.find('=');
    auto key = codec::percent_decode_form(pair.substr(0, equals));
    if (!key || *key != name) continue;
    if (equals == pair.npos) return std::string();
    return codec::percent_decode_form(pair.substr(equals + 1));
  }
  return std::nullopt;
}

void Request::clear() {
  method.clear();
  target.clear();
  headers.clear();
  body.clear();
  body_reader = nullptr;
  operation = {};
  // Emptied in place: the next request's parameters reuse the buffers.
  for (auto& [key, value] : params) {
    key.clear();
    value.clear();
  }
}

void Response::clear() {
  status = 200;
  headers.clear();
  body.clear();
  file.reset();
  stream = nullptr;
}

void Response::set_body(int code, std::string_view content_type, std::string content) {
  status = code;
  headers.set("Content-Type", content_type);
  body = std::move(content);
  file.reset();
  stream = nullptr;
}

void Response::set_text(int code, std::string_view text) {
  set_body(code, "text/plain; charset=utf-8", std::string(text));
}

void Response::set_json(int code, std::string json) {
  set_body(code, "application/json", std::move(json));
}

// tidy: long because it is the table of status texts.
std::string_view reason_of(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 207:
      return "Multi-Status";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Payload Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Entity";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

}  // namespace pinpipe::http
