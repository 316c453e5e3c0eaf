#include "doors/rest/media.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"

namespace pinpipe::rest {
namespace {

constexpr std::array embedded_names = {
    std::pair{Embedded::binary, std::string_view("binary")},
    std::pair{Embedded::json, std::string_view("json")},
    std::pair{Embedded::avro, std::string_view("avro")},
    std::pair{Embedded::json_schema, std::string_view("jsonschema")},
    std::pair{Embedded::protobuf, std::string_view("protobuf")},
};

std::string_view content_type_of(Embedded format) {
  constexpr std::array<std::string_view, 5> types = {
      "application/vnd.kafka.binary.v2+json", "application/vnd.kafka.json.v2+json",
      "application/vnd.kafka.avro.v2+json", "application/vnd.kafka.jsonschema.v2+json",
      "application/vnd.kafka.protobuf.v2+json"};
  return types[static_cast<size_t>(format)];
}

// The piece up to `separator`, taken off the front of `rest`.
std::string_view next_piece(std::string_view& rest, char separator) {
  size_t end = rest.find(separator);
  std::string_view piece = trimmed(rest.substr(0, end));
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  return piece;
}

bool starts_without_case(std::string_view text, std::string_view start) {
  return text.size() >= start.size() && equal_without_case(text.substr(0, start.size()), start);
}

// The value of a media type's parameter, without quotes; empty when there is none.
std::string_view parameter_of(std::string_view parameters, std::string_view name) {
  while (!parameters.empty()) {
    std::string_view value = next_piece(parameters, ';');
    std::string_view key = next_piece(value, '=');
    if (!equal_without_case(key, name)) continue;
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"'))
      value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

double weight_of(std::string_view parameters) {
  std::string_view text = parameter_of(parameters, "q");
  double weight = text.empty() ? 1 : 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), weight);
  return weight;
}

std::optional<std::string_view> offered_for(std::string_view range) {
  if (range == "*/*" || range == "application/*" || equal_without_case(range, kafka_v2_type) ||
      equal_without_case(range, kafka_v1_type) ||
      equal_without_case(range, "application/vnd.kafka+json")) {
    return kafka_v2_type;
  }
  // Clients send the records' type with every call; the original answers in it.
  if (auto format = embedded_of(range)) return content_type_of(*format);
  if (equal_without_case(range, json_type)) return json_type;
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
  // The first version's bodies and answers are the same, and clients of it are still about.
  constexpr std::array<std::string_view, 2> ends = {".v2+json", ".v1+json"};
  constexpr size_t end_size = ends[0].size();
  std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
  if (equal_without_case(type, kafka_v1_type)) return Embedded::binary;  // its standard
  if (!starts_without_case(type, start) || type.size() < start.size() + end_size ||
      !std::ranges::any_of(ends, [&](std::string_view end) {
        return equal_without_case(type.substr(type.size() - end_size), end);
      })) {
    return std::nullopt;
  }
  std::string_view middle = type.substr(start.size(), type.size() - start.size() - end_size);
  for (const auto& [value, name] : embedded_names) {
    if (equal_without_case(middle, name)) return value;
  }
  return std::nullopt;
}

bool is_plain_body(std::string_view content_type) {
  std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
  return type.empty() || equal_without_case(type, kafka_v2_type) ||
         equal_without_case(type, json_type) || embedded_of(type).has_value();
}

std::optional<RecordsType> records_type(const http::Headers& headers) {
  std::string_view rest = headers.find("Accept").value_or("*/*");
  if (trimmed(rest).empty()) rest = "*/*";
  std::optional<RecordsType> best;
  double best_weight = 0;
  while (!rest.empty()) {
    std::string_view range = next_piece(rest, ',');
    std::string_view type = next_piece(range, ';');
    double weight = weight_of(range);
    if (weight <= best_weight) continue;
    RecordsType offered;
    if (auto format = embedded_of(type)) {
      offered = {*format, content_type_of(*format), false};
    } else if (equal_without_case(type, kafka_v2_type)) {
      offered.content_type = kafka_v2_type;
    } else if (type == "*/*" || type == "application/*") {
      offered.content_type = content_type_of(Embedded::binary);
    } else {
      continue;
    }
    offered.with_metadata = parameter_of(range, "metadata") == "true";
    best = offered;
    best_weight = weight;
  }
  return best;
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
