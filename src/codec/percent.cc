#include "codec/percent.h"

#include <fmt/format.h>

namespace pinpipe::codec {
namespace {

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

std::string encode(std::string_view bytes, bool keep_slash) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(bytes.size());
  for (char c : bytes) {
    if (is_unreserved(c) || (keep_slash && c == '/')) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(digits[static_cast<unsigned char>(c) >> 4]);
      out.push_back(digits[c & 15]);
    }
  }
  return out;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = digit_of(text[i + 1]);
      const int low = digit_of(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(plus_is_blank && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

}  // namespace

std::string percent_encode(std::string_view bytes) {
  return encode(bytes, false);
}
std::string percent_encode_path(std::string_view bytes) {
  return encode(bytes, true);
}
std::optional<std::string> percent_decode(std::string_view text) {
  return decode(text, false);
}
std::optional<std::string> percent_decode_form(std::string_view text) {
  return decode(text, true);
}

Result<std::vector<QueryParameter>> parse_query(std::string_view query, bool plus_is_blank) {
  std::vector<QueryParameter> parameters;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    std::string_view piece = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (piece.empty()) continue;
    if (parameters.size() == query_parameters_max) {
      return Error(Code::invalid,
                   fmt::format("the query has more than {} parameters", query_parameters_max));
    }
    const size_t equals = piece.find('=');
    const bool has_value = equals != std::string_view::npos;
    auto name = decode(piece.substr(0, equals), plus_is_blank);
    auto value = decode(has_value ? piece.substr(equals + 1) : "", plus_is_blank);
    if (!name || !value) {
      return Error(Code::invalid, fmt::format("'{}' in the query is not percent-encoded", piece));
    }
    parameters.push_back({*std::move(name), *std::move(value), has_value});
  }
  return parameters;
}

std::optional<std::string_view> find_parameter(const std::vector<QueryParameter>& parameters,
                                               std::string_view name) {
  for (const QueryParameter& parameter : parameters) {
    if (parameter.name == name) return parameter.value;
  }
  return std::nullopt;
}

std::string to_query(const std::vector<QueryParameter>& parameters) {
  std::string out;
  for (const QueryParameter& parameter : parameters) {
    if (!out.empty()) out.push_back('&');
    out += percent_encode(parameter.name);
    if (parameter.has_value) out += "=" + percent_encode(parameter.value);
  }
  return out;
}

}  // namespace pinpipe::codec
