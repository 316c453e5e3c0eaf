// The REST proxy's media types: what a request brings and what its sender wants back.
#pragma once

#include <optional>
#include <string_view>

#include "http/message.h"

namespace pinpipe::rest {

inline constexpr std::string_view kafka_v2_type = "application/vnd.kafka.v2+json";
inline constexpr std::string_view kafka_v1_type = "application/vnd.kafka.v1+json";
inline constexpr std::string_view json_type = "application/json";

// How records are written inside the JSON of a body.
enum class Embedded { binary, json, avro, json_schema, protobuf };

std::string_view name_of(Embedded format);
// "application/vnd.kafka.json.v2+json; charset=utf-8" -> json; nothing for every other type.
std::optional<Embedded> embedded_of(std::string_view content_type);

// Whether a body without records may have this type: the API's own, one with a format, plain JSON,
// or none at all.
bool is_plain_body(std::string_view content_type);

// How a read's records are to be written, by Accept: binary unless a format is named. Nothing when
// no type of the API is acceptable (406). `;metadata=true` behind the type asks for timestamps and
// headers too, which the original does not give.
struct RecordsType {
  Embedded format = Embedded::binary;
  std::string_view content_type;
  bool with_metadata = false;
};
std::optional<RecordsType> records_type(const http::Headers& headers);

// The type for an answer that carries no records, by Accept; nothing when none is acceptable (406).
std::optional<std::string_view> answer_type(const http::Headers& headers);

}  // namespace pinpipe::rest
