// POST /topics/{topic} and POST /topics/{topic}/partitions/{partition}.
#include "base/spare.h"
#include "codec/json.h"
#include "doors/rest/door.h"
#include "doors/rest/errors.h"
#include "doors/rest/media.h"
#include "doors/rest/paths.h"
#include "doors/rest/record_body.h"

namespace pinpipe::rest {
namespace {

using broker::Placed;
using broker::Topics;

Refusal wrong_type(const http::Request& request) {
  auto type = request.headers.find("Content-Type");
  std::string sent =
      type ? "the request has \"" + std::string(*type) + "\"" : "the request has none";
  return generic_refusal(
      415,
      "Send Content-Type: application/vnd.kafka.json.v2+json (or …binary.v2+json); " + sent + ".");
}

// Why records with schemas cannot be taken, in the original's order: schemas that are missing, one
// that is none, and then the registry that it would have asked.
Refusal refusal_of_schemas(std::string_view body, Embedded format) {
  auto json = codec::parse_json(body);
  if (!json) return {400, 400, "Bad Request: the body is not JSON: " + json.error().text(), ""};
  bool has_keys = false;
  bool has_values = false;
  for (const codec::Json& record : (*json)["records"].elements()) {
    has_keys |= !record["key"].is_null();
    has_values |= !record["value"].is_null();
  }
  auto is_missing = [&](std::string_view schema, std::string_view id) {
    return (*json)[schema].is_null() && (*json)[id].is_null();
  };
  if (has_keys && is_missing("key_schema", "key_schema_id"))
    return {422, 42201, "Request includes keys but does not include key schema", ""};
  if (has_values && is_missing("value_schema", "value_schema_id"))
    return {422, 42202, "Request includes values but does not include value schema", ""};
  for (std::string_view field : {"key_schema", "value_schema"}) {
    auto schema = (*json)[field].as_string();
    if (schema && format != Embedded::protobuf && !codec::parse_json(*schema))
      return {422, 42205, "Invalid schema: " + std::string(*schema), ""};
  }
  return {408, 40801, "Schema registration or lookup failed.",
          "Records in " + std::string(name_of(format)) +
              " need a schema registry, which this server does not have; use json or binary."};
}

void write_placed(codec::JsonWriter& writer, const Placed& placed) {
  writer.begin_object();
  if (placed.error) {
    writer.key("partition").null().key("offset").null();
    writer.field("error_code", record_code_of(placed.error->code()));
    writer.field("error", placed.error->text());
  } else {
    writer.field("partition", placed.partition).field("offset", placed.offset);
    writer.key("error_code").null().key("error").null();
  }
  writer.end_object();
}

void answer_placed(http::Response& response, const std::vector<Placed>& placed) {
  codec::JsonWriter writer(response.body);
  writer.begin_object().key("offsets").begin_array();
  for (const Placed& one : placed) write_placed(writer, one);
  writer.end_array();
  writer.key("key_schema_id").null().key("value_schema_id").null();
  writer.end_object();
}

// Why the path's partition cannot be written to.
io::Task<std::optional<Refusal>> refusal_of_partition(
    Topics& topics, const std::string& topic, std::optional<broker::PartitionId> partition) {
  auto facts = co_await topics.find_or_create(topic);
  if (!facts) co_return refusal_of(facts.error());
  if (!partition || *partition >= facts->partitions) co_return no_such_partition(*facts);
  co_return std::nullopt;
}

io::Task<Result<std::vector<Placed>>> create_and_produce(
    Topics& topics, const std::string& topic, std::span<const broker::RecordIn> records) {
  auto made = co_await topics.find_or_create(topic);
  if (!made) co_return made.error();
  co_return co_await topics.produce(topic, records, broker::Acks::committed);
}

bool is_on_partition_path(const http::Request& request) {
  return request.params.size() == 2;
}

}  // namespace

io::Task<> Door::produce(Topics& topics, http::Request& request, http::Response& response) {
  auto format = embedded_of(request.headers.find("Content-Type").value_or(""));
  if (!format) co_return answer_refusal(response, wrong_type(request));
  if (*format != Embedded::json && *format != Embedded::binary)
    co_return answer_refusal(response, refusal_of_schemas(request.body, *format));
  const std::string& topic = request.param("topic");
  std::optional<broker::PartitionId> partition;
  if (is_on_partition_path(request)) {
    partition = partition_of_path(request);
    if (auto refusal = co_await refusal_of_partition(topics, topic, partition))
      co_return answer_refusal(response, *refusal);
  }
  Spare<RecordBody, scratch_max> scratch;
  RecordBody& body = *scratch;
  if (auto refusal = body.read(request.body, *format, partition))
    co_return answer_refusal(response, *refusal);
  // The emulator's mark: it lets accounting tell the duplicate of a retry from a bug.
  if (auto mark = request.headers.find("pinpipe-post")) body.add_header("pinpipe-post", *mark);
  auto placed = co_await topics.produce(topic, body.records(), broker::Acks::committed);
  if (!placed && placed.error().code() == Code::not_found)
    placed = co_await create_and_produce(topics, topic, body.records());
  if (!placed) co_return answer_refusal(response, refusal_of(placed.error()));
  answer_placed(response, *placed);
}

}  // namespace pinpipe::rest
