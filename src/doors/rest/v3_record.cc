#include "doors/rest/v3_record.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/bytes.h"
#include "base/clock.h"

namespace pinpipe::rest {
namespace {

using codec::JsonCursor;

Refusal bad(std::string text) {
  return {400, 400, "Bad Request: " + std::move(text), ""};
}

std::optional<std::string> string_of(JsonCursor value) {
  std::string buffer;
  auto text = value.string(buffer);
  if (!text) return std::nullopt;
  return std::string(*text);
}

// One half of a record: {"type":"BINARY"|"JSON"|"STRING","data":…}
std::optional<Refusal> read_half(JsonCursor half, std::string_view name, std::string& type,
                                 std::optional<std::string>& into) {
  constexpr std::array<std::string_view, 3> with_schema = {"AVRO", "JSONSCHEMA", "PROTOBUF"};
  if (half.is_null()) return std::nullopt;
  if (!half.is_object())
    return bad("\"" + std::string(name) + "\" is {\"type\":\"JSON\",\"data\":…}");
  auto told = half.find("type");
  type = told ? string_of(*told).value_or("?") : "BINARY";
  bool needs_schema = std::ranges::find(with_schema, type) != with_schema.end();
  for (std::string_view field : {"schema", "schema_id", "schema_version", "subject"})
    needs_schema |= half.find(field).has_value();
  if (needs_schema) {
    return Refusal{408, 40801, "Schema registration or lookup failed.",
                   "This server has no schema registry; send BINARY, JSON or STRING."};
  }
  auto data = half.find("data");
  if (!data || data->is_null()) return std::nullopt;
  if (type == "JSON") {
    data->append_compact(into.emplace());
    return std::nullopt;
  }
  auto text = string_of(*data);
  if (type == "STRING") {
    if (!text) return bad("data=" + std::string(data->raw().substr(0, 80)) + " is not a string.");
    into = std::move(*text);
    return std::nullopt;
  }
  if (type != "BINARY") return bad("the type " + type + " is none of BINARY, JSON and STRING.");
  if (text) into = from_base64(*text);
  if (!into) {
    return bad("data=" + std::string(data->raw().substr(0, 80)) + " is not a valid base64 string.");
  }
  return std::nullopt;
}

std::optional<Refusal> read_headers(JsonCursor list, V3Record& record) {
  if (list.is_null()) return std::nullopt;
  if (!list.is_array()) return bad("\"headers\" is a list.");
  for (JsonCursor one : list.elements()) {
    auto name = one.find("name");
    auto text = name ? string_of(*name) : std::nullopt;
    if (!text) return bad("a header is {\"name\":\"n\",\"value\":\"<base64>\"}.");
    auto& [key, bytes] = record.headers.emplace_back(std::move(*text), std::nullopt);
    auto value = one.find("value");
    if (!value || value->is_null()) continue;
    if (auto encoded = string_of(*value)) bytes = from_base64(*encoded);
    if (!bytes) return bad("the value of header " + key + " is not a valid base64 string.");
  }
  return std::nullopt;
}

std::optional<Refusal> read_fields(JsonCursor object, V3Record& record) {
  for (const auto& [key, value] : object.fields()) {
    std::optional<Refusal> refusal;
    if (key == "value") {
      refusal = read_half(value, "value", record.value_type, record.value);
    } else if (key == "key") {
      refusal = read_half(value, "key", record.key_type, record.key);
    } else if (key == "headers") {
      refusal = read_headers(value, record);
    } else if (key == "partition_id") {
      auto number = value.as_int();
      bool fits = number && *number >= 0 && *number <= std::numeric_limits<int32_t>::max();
      if (fits) record.partition = static_cast<broker::PartitionId>(*number);
      if (!fits && !value.is_null()) refusal = bad("partition_id is 0, 1, 2, …");
    } else if (key == "timestamp") {
      auto text = string_of(value);
      if (text) record.timestamp_ms = from_rfc3339(*text);
      if (!record.timestamp_ms && !value.is_null())
        refusal = bad("timestamp is RFC 3339 text: \"2026-01-02T10:15:00Z\".");
    } else if (key == "id") {
      record.id = string_of(value).value_or(std::string(value.raw()));
    } else {
      refusal = Refusal{422, 422, "Unrecognized field: " + std::string(key),
                        "The data goes into {\"value\":{\"type\":\"JSON\",\"data\":…}}."};
    }
    if (refusal) return refusal;
  }
  return std::nullopt;
}

void write_half(codec::JsonWriter& writer, std::string_view name, const std::string& type,
                const std::optional<std::string>& bytes) {
  if (type.empty()) return;
  writer.key(name).begin_object();
  writer.field("type", type).field("size", bytes ? bytes->size() : 0);
  writer.end_object();
}

}  // namespace

broker::RecordIn V3Record::for_broker() const {
  broker::RecordIn in;
  if (key) in.key = *key;
  if (value) in.value = *value;
  in.partition = partition;
  in.timestamp_ms = timestamp_ms;
  for (const auto& [name, bytes] : headers) {
    auto& header = in.headers.emplace_back();
    header.key = name;
    if (bytes) header.value = *bytes;
  }
  return in;
}

V3Record read_v3_record(JsonCursor object) {
  V3Record record;
  if (object.is_object()) {
    record.refusal = read_fields(object, record);
  } else {
    record.refusal = bad("a record is an object.");
  }
  return record;
}

void write_v3_placed(codec::JsonWriter& writer, const V3Record& record,
                     const broker::Placed& placed, std::string_view cluster,
                     std::string_view topic) {
  writer.field("cluster_id", cluster).field("topic_name", topic);
  writer.field("partition_id", placed.partition).field("offset", placed.offset);
  writer.field("timestamp", to_rfc3339(placed.timestamp_ms));
  write_half(writer, "key", record.key_type, record.key);
  write_half(writer, "value", record.value_type, record.value);
}

Refusal refusal_of_placed(const Error& error) {
  switch (error.code()) {
    case Code::not_found:
      return {404, 40403, "This server does not host this topic-partition.", error.text() + "."};
    case Code::denied:
      return {403, 40301, "Not authorized.", error.text() + "."};
    case Code::busy:
    case Code::timeout:
    case Code::unavailable:
    case Code::cancelled:
      return {500, 50003, "Retriable Kafka error: " + error.text(), ""};
    case Code::invalid:
    case Code::conflict:
    case Code::corrupt:
    case Code::internal:
      return {500, 50002, "Kafka error: " + error.text(), ""};
  }
  return generic_refusal(500);
}

}  // namespace pinpipe::rest
