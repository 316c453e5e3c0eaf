#include "http/message.h"

#include "base/ascii.h"
#include "base/check.h"
#include "codec/percent.h"

namespace pinpipe::http {
std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Place& place : places_) {
    if (place.name_size != name.size()) continue;
    auto [key, value] = line(place);
    if (equal_without_case(key, name)) return value;
  }
  return std::nullopt;
}

std::string_view Headers::hold(std::string_view text) {
  size_t from = text_.size();
  text_ += text;
  return std::string_view(text_).substr(from);
}

void Headers::add_held(std::string_view name, std::string_view value) {
  places_.push_back(
      {static_cast<uint32_t>(name.data() - text_.data()), static_cast<uint32_t>(name.size()),
       static_cast<uint32_t>(value.data() - text_.data()), static_cast<uint32_t>(value.size())});
}

uint32_t Headers::put(std::string_view piece) {
  auto at = static_cast<uint32_t>(text_.size());
  text_ += piece;
  return at;
}

void Headers::add(std::string_view name, std::string_view value) {
  uint32_t name_at = put(name), value_at = put(value);
  places_.push_back(
      {name_at, static_cast<uint32_t>(name.size()), value_at, static_cast<uint32_t>(value.size())});
}

void Headers::set(std::string_view name, std::string_view value) {
  for (size_t i = 0; i < places_.size(); ++i) {
    if (!equal_without_case(this->name(places_[i]), name)) continue;
    places_[i].value_at = put(value);
    places_[i].value_size = static_cast<uint32_t>(value.size());
    drop_from(i + 1, name);  // the first keeps its place
    return;
  }
  add(name, value);
}

void Headers::remove(std::string_view name) {
  drop_from(0, name);
}

void Headers::drop_from(size_t first, std::string_view name) {
  auto gone = [&](const Place& place) { return equal_without_case(this->name(place), name); };
  auto from = places_.begin() + static_cast<std::ptrdiff_t>(first);
  places_.erase(std::remove_if(from, places_.end(), gone), places_.end());
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
