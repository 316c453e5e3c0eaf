// The REST proxy's media types: what a request brings and what its sender wants back.
#pragma once

#include <optional>
#include <string_view>

#include "http/message.h"

namespace pinpipe::rest {

inline constexpr std::string_view kafka_v2_type = "application/vnd.kafka.v2+json";
inline constexpr std::string_view json_type = "application/json";

// How records are written inside the JSON of a body.
enum class Embedded { binary, json, avro, json_schema, protobuf };

std::string_view name_of(Embedded format);
// "application/vnd.kafka.json.v2+json; charset=utf-8" -> json; nothing for every other type.
std::optional<Embedded> embedded_of(std::string_view content_type);

// The type for an answer that carries no records, by Accept; nothing when none is acceptable (406).
std::optional<std::string_view> answer_type(const http::Headers& headers);

}  // namespace pinpipe::rest
