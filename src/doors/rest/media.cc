#include "doors/rest/media.h"

#include <array>
#include <charconv>

namespace pinpipe::rest {
namespace {

constexpr std::array embedded_names = {
    std::pair{Embedded::binary, std::string_view("binary")},
    std::pair{Embedded::json, std::string_view("json")},
    std::pair{Embedded::avro, std::string_view("avro")},
    std::pair{Embedded::json_schema, std::string_view("jsonschema")},
    std::pair{Embedded::protobuf, std::string_view("protobuf")},
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The piece up to `separator`, taken off the front of `rest`.
std::string_view next_piece(std::string_view& rest, char separator) {
  size_t end = rest.find(separator);
  std::string_view piece = trimmed(rest.substr(0, end));
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  return piece;
}

bool starts_without_case(std::string_view text, std::string_view start) {
  return text.size() >= start.size() &&
         http::equal_without_case(text.substr(0, start.size()), start);
}

double weight_of(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view one = next_piece(parameters, ';');
    if (!one.starts_with("q=")) continue;
    double weight = 0;
    (void)std::from_chars(one.data() + 2, one.data() + one.size(), weight);
    return weight;
  }
  return 1;
}

std::optional<std::string_view> offered_for(std::string_view range) {
  if (range == "*/*" || range == "application/*" ||
      http::equal_without_case(range, kafka_v2_type) ||
      http::equal_without_case(range, "application/vnd.kafka+json")) {
    return kafka_v2_type;
  }
  if (http::equal_without_case(range, json_type)) return json_type;
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Embedded format) {
  for (const auto& [value, name] : embedded_names) {
    if (value == format) return name;
  }
  return "";
}

std::optional<Embedded> embedded_of(std::string_view content_type) {
  constexpr std::string_view start = "application/vnd.kafka.";
  constexpr std::string_view end = ".v2+json";
  std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
  if (!starts_without_case(type, start) || type.size() < start.size() + end.size() ||
      !http::equal_without_case(type.substr(type.size() - end.size()), end)) {
    return std::nullopt;
  }
  std::string_view middle = type.substr(start.size(), type.size() - start.size() - end.size());
  for (const auto& [value, name] : embedded_names) {
    if (http::equal_without_case(middle, name)) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> answer_type(const http::Headers& headers) {
  auto accept = headers.find("Accept");
  if (!accept || accept->empty() || *accept == "*/*") return kafka_v2_type;
  std::string_view rest = *accept;
  std::optional<std::string_view> best;
  double best_weight = 0;
  while (!rest.empty()) {
    std::string_view range = next_piece(rest, ',');
    std::string_view type = next_piece(range, ';');
    auto offered = offered_for(type);
    double weight = weight_of(range);
    if (!offered || weight <= best_weight) continue;
    best = offered;
    best_weight = weight;
  }
  return best;
}

}  // namespace pinpipe::rest
