#include "doors/rest/door.h"

#include "doors/rest/errors.h"
#include "doors/rest/media.h"

namespace pinpipe::rest {

Door::Door(Options options, TopicsOf topics_of)
    : options_(options), topics_of_(std::move(topics_of)) {
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

// What all routes share: who asks, and what they can read.
void Door::add(std::string_view method, std::string_view pattern, TopicsHandler handler) {
  router_.add(method, pattern,
              [this, handler](http::Request& request, http::Response& response) -> io::Task<> {
                std::optional<Refusal> refusal;
                auto topics = topics_of_(request);
                auto type = answer_type(request.headers);
                if (!topics) {
                  refusal = Refusal{401, 40101, "Authentication failed.", topics.error().text()};
                  response.headers.set("WWW-Authenticate", "Basic realm=\"pinpipe\"");
                } else if (!type) {
                  refusal = generic_refusal(
                      406, "Accept application/vnd.kafka.v2+json, application/json or */*.");
                } else {
                  response.headers.set("Content-Type", *type);
                  return (this->*handler)(**topics, request, response);
                }
                return [](http::Response& answer, Refusal why) -> io::Task<> {
                  answer_refusal(answer, why);
                  co_return;
                }(response, std::move(*refusal));
              });
}

http::BodyPlan Door::plan_body(const http::Request&) const {
  return {.bytes_max = options_.body_bytes_max};
}

void Door::shape_refusal(const http::Request&, http::Response& refusal) {
  std::string why = std::move(refusal.body);
  while (!why.empty() && why.back() == '\n') why.pop_back();
  answer_refusal(refusal, generic_refusal(refusal.status, std::move(why)));
}

}  // namespace pinpipe::rest
