// GET /consumers/{group}/instances/{instance}/records.
#include <charconv>

#include "base/bytes.h"
#include "codec/json.h"
#include "codec/json_scan.h"
#include "doors/rest/consumers.h"
#include "doors/rest/errors.h"

namespace pinpipe::rest {
namespace {

using broker::Consumer;
using codec::JsonWriter;

// A read's answer until the connection has taken all of it.
struct Delivery {
  std::unique_ptr<Consumer::Reading> reading;
  std::string body;
};

// Absent, negative and zero are the instance's own.
int64_t number_of(const http::Request& request, std::string_view name) {
  auto text = request.query_param(name);
  int64_t number = -1;
  if (text) (void)std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

void write_binary(JsonWriter& writer, std::string_view name,
                  const std::optional<std::string_view>& bytes) {
  writer.key(name);
  if (bytes) {
    writer.value(to_base64(*bytes));
  } else {
    writer.null();
  }
}

// False when the bytes are no JSON.
bool write_json(JsonWriter& writer, std::string_view name,
                const std::optional<std::string_view>& bytes, std::string& scratch) {
  writer.key(name);
  if (!bytes) {
    writer.null();
    return true;
  }
  scratch.clear();
  if (!codec::compact_json(*bytes, scratch)) return false;
  writer.raw(scratch);
  return true;
}

// What the original does not tell, for those who ask.
void write_metadata(JsonWriter& writer, const broker::RecordOut& record) {
  writer.field("timestamp", record.timestamp_ms);
  writer.key("headers").begin_array();
  for (const auto& header : record.headers) {
    writer.begin_object();
    writer.field("key", header.key);
    write_binary(writer, "value", header.value);
    writer.end_object();
  }
  writer.end_array();
}

// How many records could be written; the first one that could not ends the answer before it.
size_t write_records(std::string& body, const std::vector<Consumer::Reading::Record>& records,
                     const RecordsType& type) {
  std::string scratch;
  body = "[";
  size_t written = 0;
  for (const auto& [topic, partition, record] : records) {
    size_t before = body.size();
    if (written > 0) body += ',';
    JsonWriter writer(body);
    writer.begin_object();
    writer.field("topic", *topic);
    if (type.format == Embedded::binary) {
      write_binary(writer, "key", record->key);
      write_binary(writer, "value", record->value);
    } else if (!write_json(writer, "key", record->key, scratch) ||
               !write_json(writer, "value", record->value, scratch)) {
      body.resize(before);
      break;
    }
    writer.field("partition", partition).field("offset", record->offset);
    if (type.with_metadata) write_metadata(writer, *record);
    writer.end_object();
    ++written;
  }
  body += ']';
  return written;
}

Refusal not_json(const Consumer::Reading::Record& record) {
  std::string offset = std::to_string(record.record->offset);
  return {408, 40801,
          "Error deserializing key/value for partition " + *record.topic + "-" +
              std::to_string(record.partition) + " at offset " + offset +
              ". If needed, please seek past the record to continue consumption.",
          "It is not JSON: POST …/positions {\"offsets\":[{\"topic\":\"" + *record.topic +
              "\",\"partition\":" + std::to_string(record.partition) +
              ",\"offset\":" + std::to_string(record.record->offset + 1) +
              "}]}, or read with an instance of format binary."};
}

io::Task<Status> deliver(std::shared_ptr<Delivery> delivery, http::BodyWriter& writer) {
  Status written = co_await writer.write(delivery->body);
  if (written) delivery->reading->accept();
  co_return written;
}

}  // namespace

io::Task<> ConsumerCalls::read(auth::Principal who, http::Request& request,
                               http::Response& response) {
  Instance instance = find(who, request, response);
  if (!instance) co_return;
  auto type = records_type(request.headers);
  if (!type) {
    co_return answer_refusal(
        response, generic_refusal(406, "Accept application/vnd.kafka." + instance->spec().format +
                                           ".v2+json."));
  }
  if (name_of(type->format) != instance->spec().format) {
    co_return answer_refusal(
        response, {406, 40601,
                   "The requested embedded data format does not match the deserializer for this "
                   "consumer instance",
                   "Send Accept: application/vnd.kafka." + instance->spec().format + ".v2+json."});
  }
  if (request.query_param("metadata") == "true") type->with_metadata = true;
  int64_t wait_ms = number_of(request, "timeout");
  if (wait_ms <= 0) wait_ms = instance->spec().wait_ms;
  int64_t bytes_max = number_of(request, "max_bytes");
  Consumer::Bounds bounds;
  bounds.wait = Millis(std::min(wait_ms, instance->spec().wait_ms));
  if (bytes_max > 0) bounds.bytes_max = static_cast<size_t>(bytes_max);
  auto reading = co_await instance->read(bounds);
  if (!reading) {
    const Error& error = reading.error();
    if (error.code() == Code::invalid)
      co_return answer_refusal(response, {500, 50002, "Kafka error: " + error.text(), ""});
    co_return answer_refusal(response, refusal_of(error));
  }
  auto delivery = std::make_shared<Delivery>();
  size_t written = write_records(delivery->body, (*reading)->records(), *type);
  if (written == 0 && !(*reading)->records().empty())
    co_return answer_refusal(response, not_json((*reading)->records().front()));
  (*reading)->cut(written);
  delivery->reading = std::move(*reading);
  response.headers.set("Content-Type", type->content_type);
  response.headers.set("Content-Length", std::to_string(delivery->body.size()));
  response.stream = [delivery](http::BodyWriter& writer) { return deliver(delivery, writer); };
}

}  // namespace pinpipe::rest
