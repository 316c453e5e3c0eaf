// POST …/records, a stream of objects in and one of answers out, and POST …/records:batch.
#include <algorithm>
#include <memory>
#include <set>

#include "codec/json.h"
#include "doors/rest/errors.h"
#include "doors/rest/json_stream.h"
#include "doors/rest/media.h"
#include "doors/rest/v3.h"

namespace pinpipe::rest {
namespace {

using codec::JsonWriter;

constexpr size_t read_bytes = 64 << 10;

// One stream of records: what came of it, and where it goes.
struct RecordStream {
  broker::Topics& topics;
  std::string cluster;
  std::string topic;
  JsonStream objects{};
  codec::JsonScanner scanner{};
  bool is_broken = false;
};

void write_refused(JsonWriter& writer, const Refusal& refusal) {
  writer.field("error_code", refusal.code);
  writer.field("message", refusal.hint.empty() ? refusal.text : refusal.text + " " + refusal.hint);
}

V3Record broken_record(std::string why) {
  V3Record record;
  record.refusal =
      Refusal{400, 400, "Bad Request: Error processing message: " + std::move(why), ""};
  return record;
}

// The whole records at hand, at most stream_records_max.
std::vector<V3Record> take_records(RecordStream& stream) {
  std::vector<V3Record> records;
  while (!stream.is_broken && records.size() < V3Calls::stream_records_max) {
    auto object = stream.objects.next();
    if (!object) {
      stream.is_broken = true;
      records.push_back(broken_record(object.error().text()));
      break;
    }
    if (!*object) break;
    auto scanned = stream.scanner.scan(**object);
    if (scanned) {
      records.push_back(read_v3_record(*scanned));
    } else {
      // Where the next object would begin is anybody's guess.
      stream.is_broken = true;
      records.push_back(broken_record(scanned.error().text()));
    }
  }
  return records;
}

// Places what is at hand and appends the answers, until nothing is.
io::Task<> place_at_hand(RecordStream& stream, std::string& answers) {
  while (true) {
    std::vector<V3Record> records = take_records(stream);
    if (records.empty()) co_return;
    auto placed = co_await place_v3(stream.topics, stream.topic, records);
    for (size_t i = 0; i < records.size(); ++i) {
      JsonWriter writer(answers);
      writer.begin_object();
      if (records[i].refusal) {
        write_refused(writer, *records[i].refusal);
      } else {
        writer.field("error_code", 200);
        write_v3_placed(writer, records[i], placed[i], stream.cluster, stream.topic);
      }
      writer.end_object();
      answers += "\r\n";
    }
  }
}

void append_end(RecordStream& stream, std::string& answers) {
  if (stream.is_broken || stream.objects.is_between()) return;
  JsonWriter writer(answers);
  writer.begin_object();
  write_refused(writer, *broken_record("the last record is not complete").refusal);
  writer.end_object();
  answers += "\r\n";
}

// The next piece of the body; false at its end.
io::Task<Result<bool>> feed_next(RecordStream& stream, http::BodyReader& body) {
  std::unique_ptr<char[]> buffer = std::make_unique_for_overwrite<char[]>(read_bytes);
  auto got = co_await body.read_some({buffer.get(), read_bytes});
  if (!got) co_return got.error();
  stream.objects.feed({buffer.get(), *got});
  co_return *got > 0;
}

// Answers go out as soon as their records are committed, while more records come in.
io::Task<Status> answer_stream(std::shared_ptr<RecordStream> stream, http::BodyReader& body,
                               http::BodyWriter& writer) {
  std::string answers;
  for (bool more = true; more && !stream->is_broken;) {
    co_await place_at_hand(*stream, answers);
    if (Status written = co_await writer.write(answers); !written) co_return written;
    answers.clear();
    if (stream->is_broken) break;
    auto fed = co_await feed_next(*stream, body);
    if (!fed) co_return fed.error();
    more = *fed;
  }
  append_end(*stream, answers);
  co_return co_await writer.write(answers);
}

std::optional<Refusal> check_batch(const std::vector<V3Record>& entries) {
  auto refuse = [](std::string text) {
    return Refusal{422, 42208, "Produce batch exception: " + std::move(text), ""};
  };
  if (entries.empty()) return refuse("Empty batch");
  if (entries.size() > V3Calls::batch_entries_max) return refuse("Too many entries in batch");
  std::set<std::string_view> ids;
  for (const V3Record& entry : entries) {
    bool is_legal =
        !entry.id.empty() && entry.id.size() <= 80 && std::ranges::all_of(entry.id, [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '-' || c == '_';
        });
    if (!is_legal) return refuse("Batch entry IDs have 1 to 80 letters, digits, - and _");
    if (!ids.insert(entry.id).second) return refuse("Batch entry IDs are not distinct");
  }
  return std::nullopt;
}

Refusal not_json(const Error& error) {
  return {400, 400, "Bad Request: the body is not JSON: " + error.text() + ".", ""};
}

}  // namespace

io::Task<std::vector<broker::Placed>> place_v3(broker::Topics& topics, std::string topic,
                                               std::span<V3Record> records) {
  std::vector<broker::RecordIn> good;
  for (const V3Record& record : records) {
    if (!record.refusal) good.push_back(record.for_broker());
  }
  std::vector<broker::Placed> all(records.size());
  if (good.empty()) co_return all;
  auto placed = co_await topics.produce(topic, good, broker::Acks::committed);
  if (!placed && placed.error().code() == Code::not_found) {
    auto made = co_await topics.find_or_create(topic);
    if (made) placed = co_await topics.produce(topic, good, broker::Acks::committed);
  }
  size_t next = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    if (records[i].refusal) continue;
    if (placed) all[i] = std::move((*placed)[next++]);
    if (!placed) records[i].refusal = refusal_of_placed(placed.error());
    if (all[i].error) records[i].refusal = refusal_of_placed(*all[i].error);
  }
  co_return all;
}

bool V3Calls::is_stream(const http::Request& head) {
  return head.method == "POST" && head.path().starts_with("/v3/") &&
         head.path().ends_with("/records") && head.headers.has("Transfer-Encoding");
}

io::Task<> V3Calls::produce(Asked asked) {
  auto stream = std::make_shared<RecordStream>(RecordStream{.topics = asked.topics,
                                                            .cluster = asked.cluster.cluster_id(),
                                                            .topic = asked.request.param("topic")});
  if (http::BodyReader* body = asked.request.body_reader; body != nullptr) {
    // The first piece comes before the answer's head: a client may wait to be told to go on.
    auto fed = co_await feed_next(*stream, *body);
    if (!fed) co_return answer_refusal(asked.response, generic_refusal(400, fed.error().text()));
    asked.response.stream = [stream, body](http::BodyWriter& writer) {
      return answer_stream(stream, *body, writer);
    };
    co_return;
  }
  if (asked.request.body.find_first_not_of(" \t\r\n") == std::string::npos) {
    co_return answer_refusal(asked.response,
                             {422, 42206, "Payload error. Null input provided. Data is required.",
                              "Send {\"value\":{\"type\":\"JSON\",\"data\":…}}."});
  }
  stream->objects.feed(asked.request.body);
  co_await place_at_hand(*stream, asked.response.body);
  append_end(*stream, asked.response.body);
}

io::Task<> V3Calls::produce_batch(Asked asked) {
  codec::JsonScanner scanner;
  auto body = scanner.scan(asked.request.body);
  if (!body) co_return answer_refusal(asked.response, not_json(body.error()));
  std::vector<V3Record> entries;
  if (auto list = body->find("entries")) {
    for (codec::JsonCursor entry : list->elements()) entries.push_back(read_v3_record(entry));
  }
  if (auto refusal = check_batch(entries)) co_return answer_refusal(asked.response, *refusal);
  std::string topic = asked.request.param("topic");
  auto placed = co_await place_v3(asked.topics, topic, entries);
  asked.response.status = 207;
  JsonWriter writer(asked.response.body);
  writer.begin_object().key("successes").begin_array();
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].refusal) continue;
    writer.begin_object().field("id", entries[i].id);
    write_v3_placed(writer, entries[i], placed[i], asked.cluster.cluster_id(), topic);
    writer.end_object();
  }
  writer.end_array().key("failures").begin_array();
  for (const V3Record& entry : entries) {
    if (!entry.refusal) continue;
    writer.begin_object().field("id", entry.id);
    write_refused(writer, *entry.refusal);
    writer.end_object();
  }
  writer.end_array().end_object();
}

}  // namespace pinpipe::rest
