#include "app/record_text.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "codec/json_text.h"

namespace pinpipe::app {
namespace {

using codec::Json;

constexpr std::string_view verbs = "skhtpoTSKR%";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if ((c | 32) >= 'a' && (c | 32) <= 'f') return (c | 32) - 'a' + 10;
  return -1;
}

// The character behind the backslash at `at`, which moves on to the escape's last letter.
Result<char> take_escape(std::string_view text, size_t& at) {
  if (++at == text.size()) return Error(Code::invalid, "a backslash ends the text");
  switch (text[at]) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case '0':
      return '\0';
    case '\\':
      return '\\';
    case 'x': {
      int high = at + 1 < text.size() ? hex_digit(text[at + 1]) : -1;
      int low = at + 2 < text.size() ? hex_digit(text[at + 2]) : -1;
      if (high < 0 || low < 0) return Error(Code::invalid, "\\x wants two hex digits");
      at += 2;
      return static_cast<char>(high * 16 + low);
    }
    default:
      return Error(Code::invalid, fmt::format("there is no \\{}; a backslash is \\\\", text[at]));
  }
}

void append_headers(std::string& out, const TextRecord& record, std::string_view nothing) {
  bool first = true;
  for (const auto& [name, value] : record.headers) {
    if (!first) out += ',';
    first = false;
    out.append(name).append("=").append(value ? std::string_view(*value) : nothing);
  }
}

int64_t length_of(const RecordBytes& bytes) {
  return bytes ? static_cast<int64_t>(bytes->size()) : -1;
}

void append_big_endian(std::string& out, uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
}

}  // namespace

Json cell_of(std::optional<std::string_view> bytes, bool always_base64) {
  if (!bytes) return {};
  if (!always_base64 && codec::is_utf8(*bytes)) return {*bytes};
  return Json::object({{"base64", to_base64(*bytes)}});
}

Result<RecordBytes> bytes_of(const Json& cell) {
  if (cell.is_null()) return RecordBytes();
  if (auto text = cell.as_string()) return RecordBytes(std::string(*text));
  const Json* encoded = cell.find("base64");
  if (encoded == nullptr || cell.size() != 1) return RecordBytes(codec::to_json(cell));
  auto bytes = from_base64(encoded->as_string().value_or("?"));
  if (!bytes) return Error(Code::invalid, "what stands under \"base64\" is none");
  return RecordBytes(std::move(*bytes));
}

Json headers_cell(const std::vector<std::pair<std::string, RecordBytes>>& headers,
                  bool always_base64) {
  Json cells = Json::array();
  for (const auto& [name, value] : headers)
    cells.push(Json::object({{"key", name}, {"value", cell_of(value, always_base64)}}));
  return cells;
}

Result<std::vector<std::pair<std::string, RecordBytes>>> headers_of(const Json& cell) {
  std::vector<std::pair<std::string, RecordBytes>> headers;
  auto add = [&](std::string_view name, const Json& value) -> Status {
    auto bytes = bytes_of(value);
    if (!bytes) return bytes.error();
    headers.emplace_back(name, std::move(*bytes));
    return {};
  };
  for (const codec::JsonMember& member : cell.members()) {
    if (Status added = add(member.key, member.value); !added) return added.error();
  }
  for (const Json& header : cell.elements()) {
    auto name = header["key"].as_string();
    if (!name) return Error(Code::invalid, "a header is {\"key\":…,\"value\":…}");
    if (Status added = add(*name, header["value"]); !added) return added.error();
  }
  return headers;
}

Result<TextRecord> record_of(const Json& json) {
  if (!json.is_object())
    return Error(Code::invalid, "a record is an object {\"key\":…,\"value\":…}");
  TextRecord record;
  auto key = bytes_of(json["key"]);
  if (!key) return key.error().with("key");
  auto value = bytes_of(json["value"]);
  if (!value) return value.error().with("value");
  auto headers = headers_of(json["headers"]);
  if (!headers) return headers.error();
  record.key = std::move(*key);
  record.value = std::move(*value);
  record.headers = std::move(*headers);
  record.partition = static_cast<int32_t>(json["partition"].as_int().value_or(-1));
  record.timestamp_ms = json["timestamp"].as_int().value_or(-1);
  if (auto time = json["time"].as_string(); time && record.timestamp_ms < 0) {
    auto ms = from_rfc3339(*time);
    if (!ms) return Error(Code::invalid, fmt::format("\"{}\" is no time", *time));
    record.timestamp_ms = *ms;
  }
  return record;
}

Result<std::string> unescape(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      out += text[at];
      continue;
    }
    auto c = take_escape(text, at);
    if (!c) return c.error();
    out += *c;
  }
  return out;
}

Result<RecordFormat> RecordFormat::parse(std::string_view text) {
  RecordFormat format;
  format.pieces_.emplace_back();
  for (size_t at = 0; at < text.size(); ++at) {
    std::string& plain = format.pieces_.back().text;
    if (text[at] == '\\') {
      auto c = take_escape(text, at);
      if (!c) return c.error().with("the format");
      plain += *c;
    } else if (text[at] != '%') {
      plain += text[at];
    } else if (++at == text.size() || !verbs.contains(text[at])) {
      return Error(Code::invalid,
                   "a format has %s %k %h %t %p %o %T %S %K %R, and %% for a percent sign");
    } else if (text[at] == '%') {
      plain += '%';
    } else {
      format.pieces_.push_back({.verb = text[at], .text = {}});
      format.pieces_.emplace_back();
    }
  }
  return format;
}

void RecordFormat::append(std::string& out, const TextRecord& record,
                          std::string_view nothing) const {
  auto bytes = [&](const RecordBytes& some) { out += some ? std::string_view(*some) : nothing; };
  for (const Piece& piece : pieces_) {
    out += piece.text;
    switch (piece.verb) {
      case 's':
        bytes(record.value);
        break;
      case 'k':
        bytes(record.key);
        break;
      case 'h':
        append_headers(out, record, nothing);
        break;
      case 't':
        out += record.topic;
        break;
      case 'p':
        out += std::to_string(record.partition);
        break;
      case 'o':
        out += std::to_string(record.offset);
        break;
      case 'T':
        out += std::to_string(record.timestamp_ms);
        break;
      case 'S':
        out += std::to_string(length_of(record.value));
        break;
      case 'K':
        out += std::to_string(length_of(record.key));
        break;
      case 'R':
        append_big_endian(out, static_cast<uint32_t>(record.value ? record.value->size() : 0));
        break;
      default:
        break;
    }
  }
}

}  // namespace pinpipe::app
