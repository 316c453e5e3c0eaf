#include "doors/gateway/door.h"

#include <algorithm>

#include "base/hash.h"
#include "doors/gateway/answers.h"
#include "doors/gateway/openapi.h"
#include "io/scope.h"
#include "io/wake.h"

namespace pinpipe::gateway {
namespace {

constexpr std::array<std::string_view, 5> resources = {"topics", "consumers", "brokers", "streams",
                                                       "v3"};
constexpr std::array<std::string_view, 4> operational = {"livez", "readyz", "metrics",
                                                         "openapi.json"};

bool is_in(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// A path's first segment, whatever slashes are around it, and what follows it.
struct Cut {
  std::string_view first;
  std::string_view rest;  // the query included
};

Cut cut_first(std::string_view target) {
  target.remove_prefix(std::min(target.find_first_not_of('/'), target.size()));
  size_t end = std::min(target.find_first_of("/?"), target.size());
  return {target.substr(0, end), target.substr(end)};
}

bool is_stage(std::string_view first) {
  return !first.empty() && !is_in(resources, first) && !is_in(operational, first);
}

io::Task<> say(void (*answer)(http::Response&), http::Response& response) {
  answer(response);
  co_return;
}

io::Task<> run_and_tell(const http::Handler& handler, http::Request& request,
                        http::Response& response, io::OneShot<bool> ended) {
  co_await handler(request, response);
  ended.set(true);
}

// Calls that wait for something that may not come: consumers' reads. All others end by themselves.
bool may_wait(const http::Request& request) {
  return request.method == "GET" && request.path().ends_with("/records");
}

void answer_openapi(http::Response& response) {
  response.set_json(200, std::string(openapi_document()));
}

}  // namespace

Door::Door(Options options, Behind behind, const Clock& clock)
    : options_(std::move(options)),
      behind_(std::move(behind)),
      clock_(clock),
      rate_(options_.requests_per_second, options_.burst),
      streams_(behind_.kinesis, options_.profile) {}

http::Handler Door::handler() {
  return [this](http::Request& request, http::Response& response) {
    return handle(request, response);
  };
}

bool Door::is_listed(std::string_view stage) const {
  return options_.stages.empty() ||
         std::ranges::find(options_.stages, stage) != options_.stages.end();
}

io::Task<> Door::handle(http::Request& request, http::Response& response) {
  Cut cut = cut_first(request.target);
  bool staged = is_stage(cut.first);
  if (staged) {
    if (!is_listed(cut.first)) return say(answer_missing_token, response);
    // Whoever writes links needs the path as the client has it.
    Cut behind = cut_first(cut.rest);
    if (behind.first == "consumers" || behind.first == "v3") {
      std::string prefix(request.headers.find("X-Forwarded-Prefix").value_or(""));
      request.headers.set("X-Forwarded-Prefix", prefix + "/" + std::string(cut.first));
    }
    size_t dropped = request.target.size() - cut.rest.size();
    request.target.erase(0, dropped);
    cut = cut_first(request.target);
  }
  if (cut.first.empty()) return say(answer_missing_token, response);
  if (cut.first == "openapi.json") return say(answer_openapi, response);
  if (is_in(operational, cut.first) && behind_.operations)
    return behind_.operations(request, response);
  if (!is_admitted(request, response)) return say([](http::Response&) {}, response);
  if (cut.first == "streams") return streams_.handle(request, response);
  return pass_on(staged, request, response);
}

io::Task<> Door::pass_on(bool staged, http::Request& request, http::Response& response) {
  if (!staged) return behind_.rest(request, response);
  if (!request.body.empty() && !request.headers.has("Content-Type"))
    request.headers.add("Content-Type", "application/json");
  if (may_wait(request)) return pass_on_in_time(request, response);
  return behind_.rest(request, response);
}

io::Task<> Door::pass_on_in_time(http::Request& request, http::Response& response) {
  io::OneShot<bool> ended;
  io::Scope scope(io::Loop::current());
  scope.spawn("gateway", run_and_tell(behind_.rest, request, response, ended));
  auto in_time = co_await ended.wait(io::after(options_.answer_within));
  if (!in_time) scope.cancel();
  co_await scope.join();
  if (in_time || in_time.error().code() != Code::timeout) co_return;
  response.clear();
  answer_message(response, 504, "InternalServerErrorException", "Endpoint request timed out");
}

// The usage plan: key, then throttle.
bool Door::is_admitted(const http::Request& request, http::Response& response) {
  if (!options_.api_keys.empty()) {
    std::string_view key = request.headers.find("x-api-key").value_or("");
    bool known = std::ranges::any_of(
        options_.api_keys, [&](std::string_view one) { return equal_constant_time(one, key); });
    if (!known) {
      answer_message(response, 403, "ForbiddenException", "Forbidden");
      return false;
    }
  }
  if (rate_.admit(clock_.steady_ns())) return true;
  answer_message(response, 429, "TooManyRequestsException", "Too Many Requests");
  return false;
}

http::BodyPlan Door::plan_body(const http::Request& head) const {
  bool staged = is_stage(cut_first(head.target).first);
  if (!staged && behind_.plan_rest_body) return behind_.plan_rest_body(head);
  return {.bytes_max = staged ? options_.staged_body_bytes_max : options_.direct_body_bytes_max};
}

void Door::shape_refusal(const http::Request& head, http::Response& refusal) const {
  if (!is_stage(cut_first(head.target).first)) {
    if (behind_.shape_refusal) behind_.shape_refusal(head, refusal);
    return;
  }
  if (refusal.status == 413)
    return answer_message(refusal, 413, "RequestTooLargeException", "Request Too Long");
  std::string why = std::move(refusal.body);
  while (!why.empty() && why.back() == '\n') why.pop_back();
  answer_message(refusal, refusal.status, "BadRequestException", why);
}

}  // namespace pinpipe::gateway
