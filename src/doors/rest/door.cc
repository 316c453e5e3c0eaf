#include "doors/rest/door.h"

#include "doors/rest/errors.h"
#include "doors/rest/media.h"

namespace pinpipe::rest {
namespace {

Refusal unknown_sender(const Error& error, http::Response& response) {
  response.headers.set("WWW-Authenticate", "Basic realm=\"pinpipe\"");
  return {401, 40101, "Authentication failed.", error.text()};
}

bool has_body(const http::Request& request) {
  return !request.body.empty() || request.body_reader != nullptr;
}

Refusal only_embedded() {
  return generic_refusal(501, "This needs pinpipe's own broker; a remote cluster has its own.");
}

io::Task<> refuse(http::Response& response, Refusal why) {
  answer_refusal(response, why);
  co_return;
}

}  // namespace

Door::Door(Options options, TopicsOf topics_of, Inside inside)
    : options_(options), topics_of_(std::move(topics_of)), inside_(std::move(inside)) {
  if (inside_.consumers != nullptr) consumers_.emplace(*inside_.consumers);
  router_.set_lenient_slashes(true);
  add("GET", "/", &Door::say_nothing);
  add("POST", "/", &Door::say_nothing);
  add("GET", "/brokers", &Door::list_brokers);
  add("GET", "/topics", &Door::list_topics);
  add("GET", "/topics/{topic}", &Door::tell_topic);
  add("POST", "/topics/{topic}", &Door::produce);
  add("GET", "/topics/{topic}/partitions", &Door::list_partitions);
  add("GET", "/topics/{topic}/partitions/{partition}", &Door::tell_partition);
  add("POST", "/topics/{topic}/partitions/{partition}", &Door::produce);
  add("GET", "/topics/{topic}/partitions/{partition}/offsets", &Door::tell_offsets);
  for (const ConsumerCalls::Route& route : ConsumerCalls::routes()) add(route);
  for (const V3Calls::Route& route : V3Calls::routes()) add(route);
  router_.set_fallback([](http::Request& request, http::Response& response) -> io::Task<> {
    answer_refusal(response, generic_refusal(404, std::string(request.path()) +
                                                      " is not a path of this API; topics are at "
                                                      "/topics and /topics/{name}."));
    co_return;
  });
  router_.set_wrong_method([](http::Request& request, http::Response& response) -> io::Task<> {
    std::string allow(response.headers.find("Allow").value_or(""));
    answer_refusal(response, generic_refusal(405, request.method + " is not possible on " +
                                                      std::string(request.path()) +
                                                      "; possible are " + allow + "."));
    co_return;
  });
}

Door::~Door() = default;

http::Handler Door::handler() {
  return router_.handler();
}

// What the routes share: who asks, and what they can read.
void Door::add(std::string_view method, std::string_view pattern, TopicsHandler handler) {
  router_.add(method, pattern,
              [this, handler](http::Request& request, http::Response& response) -> io::Task<> {
                auto topics = topics_of_(request);
                if (!topics) return refuse(response, unknown_sender(topics.error(), response));
                auto type = answer_type(request.headers);
                if (!type) {
                  return refuse(response, generic_refusal(406,
                                                          "Accept application/vnd.kafka.v2+json, "
                                                          "application/json or */*."));
                }
                response.headers.set("Content-Type", *type);
                return (this->*handler)(**topics, request, response);
              });
}

void Door::add(const ConsumerCalls::Route& route) {
  router_.add(route.method, route.pattern,
              [this, call = route.call](http::Request& request, http::Response& response) {
                return call_consumers(call, request, response);
              });
}

void Door::add(const V3Calls::Route& route) {
  router_.add(route.method, route.pattern,
              [this, call = route.call](http::Request& request, http::Response& response) {
                return call_v3(call, request, response);
              });
}

io::Task<> Door::call_consumers(ConsumerCalls::Call call, http::Request& request,
                                http::Response& response) {
  if (!consumers_) return refuse(response, only_embedded());
  auto cluster = inside_.cluster_of(request);
  if (!cluster) return refuse(response, unknown_sender(cluster.error(), response));
  // A read chooses among the formats by itself.
  auto type = answer_type(request.headers);
  if (!type && !request.path().ends_with("/records")) {
    return refuse(response, generic_refusal(406, "Accept application/vnd.kafka.v2+json or */*."));
  }
  auto content_type = request.headers.find("Content-Type").value_or("");
  if (has_body(request) && !is_plain_body(content_type)) {
    return refuse(response, generic_refusal(415,
                                            "Send Content-Type: application/vnd.kafka.v2+json; the "
                                            "request has \"" +
                                                std::string(content_type) + "\"."));
  }
  response.headers.set("Content-Type", type.value_or(kafka_v2_type));
  return ((*consumers_).*call)((*cluster)->principal(), request, response);
}

io::Task<> Door::call_v3(V3Calls::Call call, http::Request& request, http::Response& response) {
  if (!inside_.cluster_of) return refuse(response, only_embedded());
  auto topics = topics_of_(request);
  auto cluster = inside_.cluster_of(request);
  if (!topics) return refuse(response, unknown_sender(topics.error(), response));
  if (!cluster) return refuse(response, unknown_sender(cluster.error(), response));
  auto type = answer_type(request.headers);
  if (!type) return refuse(response, generic_refusal(406, "Accept application/json or */*."));
  auto content_type = request.headers.find("Content-Type").value_or("");
  if (has_body(request) && !is_plain_body(content_type)) {
    return refuse(response,
                  generic_refusal(415, "Send Content-Type: application/json; the request has \"" +
                                           std::string(content_type) + "\"."));
  }
  response.headers.set("Content-Type", json_type);
  V3Calls::Asked asked{**topics, **cluster, request, response};
  return call(asked);
}

http::BodyPlan Door::plan_body(const http::Request& head) const {
  if (V3Calls::is_stream(head)) return {.bytes_max = options_.stream_bytes_max, .stream = true};
  return {.bytes_max = options_.body_bytes_max};
}

void Door::shape_refusal(const http::Request&, http::Response& refusal) {
  std::string why = std::move(refusal.body);
  while (!why.empty() && why.back() == '\n') why.pop_back();
  answer_refusal(refusal, generic_refusal(refusal.status, std::move(why)));
}

}  // namespace pinpipe::rest
