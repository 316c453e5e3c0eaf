#include "doors/rest/record_body.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/clock.h"

namespace pinpipe::rest {
namespace {

using codec::JsonCursor;

Refusal unrecognized(std::string_view field, std::string hint) {
  return {422, 422, "Unrecognized field: " + std::string(field), std::move(hint)};
}

Refusal bad_request(std::string text, std::string hint = {}) {
  return {400, 400, "Bad Request: " + std::move(text), std::move(hint)};
}

constexpr std::string_view shape = "The body must be {\"records\":[{\"value\":…}]}.";

std::string excerpt(std::string_view text) {
  constexpr size_t excerpt_max = 80;
  return std::string(text.substr(0, excerpt_max)) + (text.size() > excerpt_max ? "…" : "");
}

}  // namespace

std::optional<Refusal> RecordBody::read(std::string_view body, Embedded format,
                                        std::optional<broker::PartitionId> partition) {
  format_ = format;
  partition_ = partition;
  count_ = 0;
  spelled_.clear();
  if (body.find_first_not_of(" \t\r\n") == body.npos) {
    return Refusal{422, 42206, "Payload error. Null input provided. Data is required.",
                   std::string(shape)};
  }
  auto scanned = scanner_.scan(body);
  if (!scanned) return bad_request("the body is not JSON: " + scanned.error().text() + ".");
  if (scanned->is_null()) {
    return Refusal{422, 42206, "Payload error. Null input provided. Data is required.",
                   std::string(shape)};
  }
  if (scanned->is_array()) {
    return bad_request("Cannot deserialize a list as a produce request.",
                       "Put the list into an object: {\"records\":[{\"value\":…}, …]}.");
  }
  if (!scanned->is_object())
    return bad_request("Cannot deserialize this as a produce request.", std::string(shape));
  // No rewritten text is longer than its source, so nothing below makes the buffer move.
  spelled_.reserve(body.size());
  std::optional<JsonCursor> list;
  for (const auto& [key, value] : scanned->fields()) {
    if (key == "records") {
      list = value;
    } else if (key != "key_schema" && key != "key_schema_id" && key != "value_schema" &&
               key != "value_schema_id") {
      return unrecognized(
          key, "Wrap the record: {\"records\":[{\"value\":{\"" + std::string(key) + "\":…}}]}.");
    }
  }
  if (!list || list->is_null())
    return Refusal{422, 422, "records must not be null", std::string(shape)};
  if (!list->is_array()) {
    return bad_request("\"records\" is not a list.",
                       "It is a list even for one record: {\"records\":[{\"value\":…}]}.");
  }
  auto refusal = read_records(*list);
  CHECK(spelled_.size() <= body.size(), "rewritten JSON is not longer than its source");
  return refusal;
}

std::optional<Refusal> RecordBody::read_records(JsonCursor list) {
  for (JsonCursor one : list.elements()) {
    if (count_ == records_max) {
      return Refusal{422, 42208, "Too many records in one request.",
                     "At most " + std::to_string(records_max) + " are taken."};
    }
    if (auto refusal = read_record(one)) return refusal;
  }
  if (count_ == 0) return Refusal{422, 422, "records must not be empty", std::string(shape)};
  return std::nullopt;
}

broker::RecordIn& RecordBody::append() {
  if (count_ == records_.size()) records_.emplace_back();
  broker::RecordIn& record = records_[count_++];
  record.key.reset();
  record.value.reset();
  record.partition = partition_;
  record.timestamp_ms.reset();
  record.headers.clear();
  return record;
}

std::optional<Refusal> RecordBody::read_record(JsonCursor one) {
  if (!one.is_object()) {
    return bad_request("Cannot deserialize " + excerpt(one.raw()) + " as a record.",
                       "A record is an object: {\"value\":" + excerpt(one.raw()) + "}.");
  }
  broker::RecordIn& record = append();
  for (const auto& [key, value] : one.fields()) {
    std::optional<Refusal> refusal;
    if (key == "value") {
      refusal = read_embedded(value, record.value);
    } else if (key == "key") {
      refusal = read_embedded(value, record.key);
    } else if (key == "partition" && !partition_) {
      refusal = read_partition(value, record);
    } else if (key == "headers") {
      refusal = read_headers(value, record);
    } else if (key == "timestamp") {
      refusal = read_timestamp(value, record);
    } else {
      refusal = unrecognized(
          key,
          "A record has \"value\" and, if you like, \"key\" and \"partition\"; the data goes "
          "into \"value\".");
    }
    if (refusal) return refusal;
  }
  return std::nullopt;
}

std::optional<Refusal> RecordBody::read_embedded(JsonCursor value,
                                                 std::optional<std::string_view>& into) {
  if (value.is_null()) {
    into.reset();
    return std::nullopt;
  }
  if (format_ == Embedded::binary) return read_base64(value, into);
  if (scanner_.is_compact()) {
    into = value.raw();
    return std::nullopt;
  }
  size_t from = spelled_.size();
  value.append_compact(spelled_);
  into = std::string_view(spelled_).substr(from);
  return std::nullopt;
}

std::optional<Refusal> RecordBody::read_base64(JsonCursor value,
                                               std::optional<std::string_view>& into) {
  auto text = value.string(scratch_);
  size_t from = spelled_.size();
  if (!text || !append_from_base64(spelled_, *text)) {
    return bad_request("data=" + excerpt(value.raw()) + " is not a valid base64 string.",
                       "For JSON values send Content-Type: application/vnd.kafka.json.v2+json.");
  }
  into = std::string_view(spelled_).substr(from);
  return std::nullopt;
}

std::optional<Refusal> RecordBody::read_partition(JsonCursor value, broker::RecordIn& into) {
  if (value.is_null()) return std::nullopt;
  auto number = value.as_int();
  if (!number || *number < 0 || *number > INT32_MAX)
    return bad_request(excerpt(value.raw()) + " is not a partition.", "Partitions are 0, 1, 2, …");
  into.partition = static_cast<broker::PartitionId>(*number);
  return std::nullopt;
}

std::optional<Refusal> RecordBody::read_timestamp(JsonCursor value, broker::RecordIn& into) {
  if (value.is_null()) return std::nullopt;
  into.timestamp_ms = value.as_int();
  if (!into.timestamp_ms && value.is_string()) {
    auto text = value.string(scratch_);
    if (text) into.timestamp_ms = from_rfc3339(*text);
  }
  if (into.timestamp_ms && *into.timestamp_ms >= 0) return std::nullopt;
  return bad_request(excerpt(value.raw()) + " is not a timestamp.",
                     "Give milliseconds since 1970 or RFC 3339 text.");
}

std::optional<Refusal> RecordBody::read_headers(JsonCursor list, broker::RecordIn& into) {
  if (list.is_null()) return std::nullopt;
  for (JsonCursor one : list.elements()) {
    auto name = one.find("key");
    if (!name) name = one.find("name");
    auto text = name ? name->string(scratch_)
                     : Result<std::string_view>(Error(Code::invalid, "a header has no key"));
    if (!text) {
      return bad_request(excerpt(one.raw()) + " is not a record header.",
                         "Headers are [{\"key\":\"name\",\"value\":\"<base64>\"}].");
    }
    size_t from = spelled_.size();
    spelled_ += *text;
    broker::RecordHeader header{std::string_view(spelled_).substr(from), std::nullopt};
    auto value = one.find("value");
    if (value && !value->is_null()) {
      if (auto refusal = read_base64(*value, header.value)) return refusal;
    }
    into.headers.push_back(header);
  }
  if (list.is_array()) return std::nullopt;
  return bad_request("\"headers\" is not a list.",
                     "Headers are [{\"key\":\"name\",\"value\":\"<base64>\"}].");
}

void RecordBody::add_header(std::string_view key, std::string_view value) {
  for (size_t i = 0; i < count_; ++i) records_[i].headers.push_back({key, value});
}

void RecordBody::clear() {
  count_ = 0;
  if (spelled_.capacity() > kept_bytes_max) std::string().swap(spelled_);
  if (records_.size() > kept_records_max) std::vector<broker::RecordIn>().swap(records_);
}

}  // namespace pinpipe::rest
