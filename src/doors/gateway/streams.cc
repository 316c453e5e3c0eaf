#include "doors/gateway/streams.h"

#include "base/ascii.h"
#include "base/log_line.h"
#include "codec/json.h"
#include "doors/gateway/answers.h"

namespace pinpipe::gateway {
namespace {

constexpr std::string_view amz_json = "application/x-amz-json-1.1";

std::string_view media_type_of(const http::Request& request) {
  std::string_view type = request.headers.find("Content-Type").value_or("application/json");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return type;
}

bool refuse_type(const http::Request& request, http::Response& response) {
  std::string_view type = media_type_of(request);
  if (equal_without_case(type, "application/json") || equal_without_case(type, amz_json))
    return false;
  answer_message(response, 415, "BadRequestException", "Unsupported Media Type");
  return true;
}

// `$input.params`: the path first, then the query, then the headers.
std::string param_of(const http::Request& request, std::string_view name) {
  for (const auto& [key, value] : request.params) {
    if (key == name) return value;
  }
  if (auto value = request.query_param(name)) return *value;
  return std::string(request.headers.find(name).value_or(""));
}

Result<codec::JsonCursor> read_body(codec::JsonScanner& scanner, const http::Request& request,
                                    http::Response& response) {
  auto body = scanner.scan(request.body);
  if (!body) {
    answer_message(response, 400, "BadRequestException",
                   "Could not parse request body into json: " + body.error().text());
  }
  return body;
}

void refuse_body(const Error& error, http::Response& response) {
  answer_message(response, 400, "BadRequestException", error.text());
}

}  // namespace

Streams::Streams(KinesisCall kinesis, Profile profile)
    : kinesis_(std::move(kinesis)), profile_(profile) {
  router_.set_lenient_slashes(true);
  auto no_such_resource = [](http::Request&, http::Response& response) -> io::Task<> {
    response.headers.remove("Allow");
    answer_missing_token(response);
    co_return;
  };
  router_.set_fallback(no_such_resource);
  router_.set_wrong_method(no_such_resource);
  if (!kinesis_) return;
  add("GET", "/streams", &Streams::list);
  add("GET", "/streams/{stream-name}", &Streams::describe);
  add("POST", "/streams/{stream-name}", &Streams::create);
  add("DELETE", "/streams/{stream-name}", &Streams::remove);
  // POST is not in the tutorial's API, but scripts use it.
  for (std::string_view method : {"PUT", "POST"}) {
    add(method, "/streams/{stream-name}/record", &Streams::put_record);
    add(method, "/streams/{stream-name}/records", &Streams::put_records);
  }
  // `?stream-name=` instead of a path segment.
  add("PUT", "/streams/record", &Streams::put_record);
  add("PUT", "/streams/records", &Streams::put_records);
  add("GET", "/streams/{stream-name}/records", &Streams::get_records);
  add("GET", "/streams/{stream-name}/sharditerator", &Streams::get_iterator);
}

void Streams::add(std::string_view method, std::string_view pattern, Method handler) {
  router_.add(method, pattern, [this, handler](http::Request& request, http::Response& response) {
    return (this->*handler)(request, response);
  });
}

io::Task<> Streams::list(http::Request&, http::Response& response) {
  return call("ListStreams", "{}", response);
}

io::Task<> Streams::describe(http::Request& request, http::Response& response) {
  return call("DescribeStream", stream_name_body(param_of(request, "stream-name")), response);
}

io::Task<> Streams::remove(http::Request& request, http::Response& response) {
  return call("DeleteStream", stream_name_body(param_of(request, "stream-name")), response);
}

io::Task<> Streams::create(http::Request& request, http::Response& response) {
  codec::JsonScanner scanner;
  std::string stream = param_of(request, "stream-name");
  if (request.body.empty())
    co_return co_await call("CreateStream", create_stream_body(stream, std::nullopt), response);
  auto body = read_body(scanner, request, response);
  if (!body) co_return;
  co_await call("CreateStream", create_stream_body(stream, *body), response);
}

io::Task<> Streams::put_record(http::Request& request, http::Response& response) {
  if (refuse_type(request, response)) co_return;
  codec::JsonScanner scanner;
  auto body = read_body(scanner, request, response);
  if (!body) co_return;
  auto made = put_record_body(param_of(request, "stream-name"), *body, profile_);
  if (!made) co_return refuse_body(made.error(), response);
  co_await call("PutRecord", std::move(*made), response);
}

io::Task<> Streams::put_records(http::Request& request, http::Response& response) {
  if (refuse_type(request, response)) co_return;
  codec::JsonScanner scanner;
  auto body = read_body(scanner, request, response);
  if (!body) co_return;
  bool is_encoded = equal_without_case(media_type_of(request), amz_json);
  auto made = put_records_body(param_of(request, "stream-name"), *body, is_encoded, profile_);
  if (!made) co_return refuse_body(made.error(), response);
  co_await call("PutRecords", std::move(*made), response);
}

io::Task<> Streams::get_records(http::Request& request, http::Response& response) {
  std::string body;
  codec::JsonWriter writer(body);
  writer.begin_object().field("ShardIterator", param_of(request, "Shard-Iterator")).end_object();
  return call("GetRecords", std::move(body), response);
}

io::Task<> Streams::get_iterator(http::Request& request, http::Response& response) {
  std::string body;
  codec::JsonWriter writer(body);
  writer.begin_object().field("StreamName", param_of(request, "stream-name"));
  writer.field("ShardId", param_of(request, "shard-id"));
  writer.field("ShardIteratorType", "TRIM_HORIZON").end_object();
  return call("GetShardIterator", std::move(body), response);
}

io::Task<> Streams::call(std::string action, std::string body, http::Response& response) const {
  KinesisAnswer said = co_await kinesis_(action, std::move(body));
  answer(action, std::move(said), response);
}

// The tutorial's API has one integration response, 200 for everything; only DELETE maps errors.
void Streams::answer(const std::string& action, KinesisAnswer said,
                     http::Response& response) const {
  bool is_delete = action == "DeleteStream";
  int status = said.status;
  if (status >= 400) {
    if (profile_ == Profile::exact) status = !is_delete ? 200 : status < 500 ? 400 : 500;
    log_warn("gateway", "a Kinesis call through the gateway failed",
             {{"action", action},
              {"status", std::to_string(said.status)},
              {"answer", said.body},
              {"answered", std::to_string(status)}});
  }
  response.set_body(status, is_delete ? amz_json : "application/json", std::move(said.body));
  set_gateway_headers(response);
}

}  // namespace pinpipe::gateway
