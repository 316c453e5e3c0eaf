#include "doors/api/door.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/metrics.h"

namespace pinpipe::api {
namespace {

using codec::Json;

void set_error(http::Response& response, const Error& error) {
  response.set_json(
      status_of(error.code()),
      codec::to_json(Json::object({{"error", Json::object({{"code", name_of(error.code())},
                                                           {"message", error.text()}})}})));
}

std::string path_of(const Call& call) {
  return call.noun.empty() ? "/api/v1/" + call.verb : "/api/v1/" + call.noun + "/" + call.verb;
}

// Who did not bring the token is not told it either: `env` has it among its rows.
void hide(std::string_view secret, std::string& text) {
  for (size_t at = text.find(secret); at != text.npos && !secret.empty();
       at = text.find(secret, at)) {
    text.erase(at, secret.size());
  }
}

}  // namespace

int status_of(Code code) {
  switch (code) {
    case Code::not_found:
      return 404;
    case Code::invalid:
      return 400;
    case Code::denied:
      return 403;
    case Code::conflict:
      return 409;
    case Code::busy:
      return 429;
    case Code::timeout:
      return 504;
    case Code::corrupt:
      return 500;
    case Code::unavailable:
      return 503;
    case Code::cancelled:
      return 503;
    case Code::internal:
      return 500;
  }
  return 500;
}

Door::Door(Options options) : options_(std::move(options)) {}

void Door::add_routes(http::Router& router) {
  for (const Call& one : options_.calls) {
    router.add("POST", path_of(one),
               [this, &one](http::Request& request, http::Response& response) {
                 return call(one, request, response);
               });
  }
  auto add_plain = [&](std::string_view path, auto answer) {
    router.add("GET", path,
               [answer](http::Request& request, http::Response& response) -> io::Task<> {
                 answer(request, response);
                 co_return;
               });
  };
  add_plain("/api/v1", [this](http::Request&, http::Response& r) { list_calls(r); });
  add_plain("/livez", [](http::Request&, http::Response& r) { r.set_text(200, "ok\n"); });
  router.add("GET", "/readyz", [this](http::Request& request, http::Response& response) {
    return tell_readiness(request, response);
  });
  add_plain("/metrics", [](http::Request&, http::Response& r) {
    r.set_body(200, "text/plain; version=0.0.4; charset=utf-8", metrics().exposition());
  });
}

bool Door::may_write(const http::Request& request) const {
  if (request.by_local_socket) return true;
  auto given = request.headers.find("authorization");
  return given && given->starts_with("Bearer ") &&
         equal_constant_time(given->substr(7), options_.token);
}

io::Task<> Door::call(const Call& which, http::Request& request, http::Response& response) const {
  if (which.writes && !may_write(request)) {
    set_error(response,
              Error(Code::denied,
                    "this call changes something: it needs the token (Authorization: Bearer …) "
                    "that `pinpipe env` prints, or the local socket"));
    co_return;
  }
  Json arguments = Json::object();
  if (!request.body.empty()) {
    auto parsed = codec::parse_json(request.body);
    if (!parsed || !parsed->is_object()) {
      set_error(response, Error(Code::invalid, "the body is one JSON object of arguments"));
      co_return;
    }
    arguments = std::move(*parsed);
  }
  // What only reads leaves nothing half done.
  if (!which.writes) request.end_with_peer();
  auto answer = co_await which.run(std::move(arguments));
  if (answer) {
    std::string text = codec::to_json(*answer);
    if (!may_write(request)) hide(options_.token, text);
    response.set_json(200, std::move(text));
  } else {
    set_error(response, answer.error());
  }
}

void Door::list_calls(http::Response& response) const {
  Json list = Json::array();
  for (const Call& one : options_.calls) {
    list.push(
        Json::object({{"call", path_of(one)}, {"summary", one.summary}, {"writes", one.writes}}));
  }
  response.set_json(200, codec::to_json(Json::object({{"calls", std::move(list)}})));
}

io::Task<> Door::tell_readiness(http::Request& request, http::Response& response) const {
  bool all = true;
  Json parts = Json::object();
  for (const auto& [name, part] : co_await options_.readiness()) {
    all = all && part.ready;
    parts.set(name, Json::object(
                        {{"status", part.ready ? "ready" : "waiting"}, {"reason", part.reason}}));
  }
  if (all && !request.query_param("verbose")) {
    response.set_text(200, "ready\n");
    co_return;
  }
  response.set_json(all ? 200 : 503, codec::to_json(parts));
}

}  // namespace pinpipe::api
