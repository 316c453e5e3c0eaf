// POST /topics/{topic} and POST /topics/{topic}/partitions/{partition}.
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

// Record bodies of a loop that are not in use: their buffers are worth keeping.
class Scratch {
 public:
  Scratch() {
    if (spare().empty()) {
      body_ = std::make_unique<RecordBody>();
    } else {
      body_ = std::move(spare().back());
      spare().pop_back();
    }
  }
  ~Scratch() {
    body_->clear();
    if (spare().size() < Door::scratch_max) spare().push_back(std::move(body_));
  }
  Scratch(const Scratch&) = delete;
  RecordBody& body() { return *body_; }

 private:
  static std::vector<std::unique_ptr<RecordBody>>& spare() {
    thread_local std::vector<std::unique_ptr<RecordBody>> bodies;
    return bodies;
  }
  std::unique_ptr<RecordBody> body_;
};

Refusal wrong_type(const http::Request& request) {
  auto type = request.headers.find("Content-Type");
  std::string sent =
      type ? "the request has \"" + std::string(*type) + "\"" : "the request has none";
  return generic_refusal(
      415,
      "Send Content-Type: application/vnd.kafka.json.v2+json (or …binary.v2+json); " + sent + ".");
}

Refusal no_schemas(Embedded format) {
  return generic_refusal(415, "Records in " + std::string(name_of(format)) +
                                  " need a schema registry, which this server does not have; use "
                                  "json or binary.");
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

bool is_on_partition_path(const http::Request& request) {
  return request.params.size() == 2;
}

}  // namespace

io::Task<> Door::produce(Topics& topics, http::Request& request, http::Response& response) {
  auto format = embedded_of(request.headers.find("Content-Type").value_or(""));
  if (!format) co_return answer_refusal(response, wrong_type(request));
  if (*format != Embedded::json && *format != Embedded::binary)
    co_return answer_refusal(response, no_schemas(*format));
  const std::string& topic = request.param("topic");
  std::optional<broker::PartitionId> partition;
  if (is_on_partition_path(request)) {
    partition = partition_of_path(request);
    auto facts = co_await topics.find_or_create(topic);
    if (!facts) co_return answer_refusal(response, refusal_of(facts.error()));
    if (!partition || *partition >= facts->partitions)
      co_return answer_refusal(response, no_such_partition(*facts));
  }
  Scratch scratch;
  RecordBody& body = scratch.body();
  if (auto refusal = body.read(request.body, *format, partition))
    co_return answer_refusal(response, *refusal);
  // The emulator's mark: it lets accounting tell the duplicate of a retry from a bug.
  if (auto mark = request.headers.find("pinpipe-post")) body.add_header("pinpipe-post", *mark);
  auto placed = co_await topics.produce(topic, body.records(), broker::Acks::committed);
  if (!placed && placed.error().code() == Code::not_found) {
    auto made = co_await topics.find_or_create(topic);
    if (!made) co_return answer_refusal(response, refusal_of(made.error()));
    placed = co_await topics.produce(topic, body.records(), broker::Acks::committed);
  }
  if (!placed) co_return answer_refusal(response, refusal_of(placed.error()));
  answer_placed(response, *placed);
}

}  // namespace pinpipe::rest
