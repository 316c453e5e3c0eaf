#include "doors/gateway/mapping.h"

#include "base/bytes.h"
#include "codec/json.h"

namespace pinpipe::gateway {
namespace {

using codec::JsonCursor;

std::string compact(JsonCursor value) {
  std::string text;
  value.append_compact(text);
  return text;
}

// A string's content, of anything else its JSON.
std::string plain_text(JsonCursor value) {
  std::string buffer;
  if (auto text = value.string(buffer)) return std::string(*text);
  return compact(value);
}

// `"name":"value"`, the value inserted raw, as a template does, or as a JSON string.
void append_inserted(std::string& to, std::string_view name, std::string_view value,
                     Profile profile) {
  to += '"';
  to += name;
  to += "\":";
  if (profile == Profile::exact) {
    to += '"';
    to += value;
    to += '"';
  } else {
    codec::append_json_string(to, value);
  }
}

Error missing(std::string_view what, std::string_view shape) {
  return {Code::invalid,
          std::string(what) + " is missing. The body must be " + std::string(shape) + "."};
}

constexpr std::string_view record_shape = "{\"Data\":{…},\"PartitionKey\":\"…\"}";
constexpr std::string_view records_shape =
    "{\"records\":[{\"data\":\"…\",\"partition-key\":\"…\"}]}";

std::string data_of_element(std::optional<JsonCursor> data, Profile profile) {
  // A template leaves a reference to what is not there as it is written.
  if (!data) return "$util.base64Encode($elem.data)";
  return to_base64(profile == Profile::exact ? java_text(*data) : plain_text(*data));
}

}  // namespace

std::string java_text(JsonCursor value) {
  if (value.is_object()) {
    std::string text = "{";
    for (const auto& [key, one] : value.fields()) {
      if (text.size() > 1) text += ", ";
      text += key;
      text += '=';
      text += java_text(one);
    }
    return text + "}";
  }
  if (value.is_array()) {
    std::string text = "[";
    bool first = true;
    for (JsonCursor one : value.elements()) {
      if (!first) text += ", ";
      first = false;
      text += java_text(one);
    }
    return text + "]";
  }
  return plain_text(value);
}

std::string stream_name_body(std::string_view stream) {
  std::string body;
  codec::JsonWriter writer(body);
  writer.begin_object().field("StreamName", stream).end_object();
  return body;
}

std::string create_stream_body(std::string_view stream, std::optional<JsonCursor> body) {
  auto count = body ? body->find("ShardCount") : std::nullopt;
  std::string shards = count && !count->is_null() ? plain_text(*count) : "";
  if (shards.empty()) shards = "5";
  std::string made = stream_name_body(stream);
  made.pop_back();
  return made + ",\"ShardCount\":" + shards + "}";
}

Result<std::string> put_record_body(std::string_view stream, JsonCursor body, Profile profile) {
  auto data = body.find("Data");
  auto key = body.find("PartitionKey");
  if (profile == Profile::strict && !data) return missing("\"Data\"", record_shape);
  if (profile == Profile::strict && !key) return missing("\"PartitionKey\"", record_shape);
  std::string made = stream_name_body(stream);
  made.pop_back();
  made += ",\"Data\":\"";
  // $input.json of what is not there is an empty JSON string.
  made += to_base64(data ? compact(*data) : "\"\"");
  made += "\",";
  append_inserted(made, "PartitionKey", key ? plain_text(*key) : "", profile);
  made += '}';
  return made;
}

Result<std::string> put_records_body(std::string_view stream, JsonCursor body, bool is_encoded,
                                     Profile profile) {
  auto list = body.find("records");
  if (profile == Profile::strict && (!list || !list->is_array()))
    return missing("\"records\"", records_shape);
  std::string made = stream_name_body(stream);
  made.pop_back();
  made += ",\"Records\":[";
  bool first = true;
  if (list) {
    for (JsonCursor one : list->elements()) {
      auto data = one.find("data");
      auto key = one.find("partition-key");
      if (profile == Profile::strict && !data)
        return missing("\"data\" of a record", records_shape);
      if (profile == Profile::strict && !key)
        return missing("\"partition-key\" of a record", records_shape);
      if (!first) made += ',';
      first = false;
      made += '{';
      append_inserted(made, "Data",
                      is_encoded && data ? plain_text(*data) : data_of_element(data, profile),
                      profile);
      made += ',';
      append_inserted(made, "PartitionKey", key ? plain_text(*key) : "$elem.partition-key",
                      profile);
      made += '}';
    }
  }
  made += "]}";
  return made;
}

}  // namespace pinpipe::gateway
