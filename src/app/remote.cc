#include "app/remote.h"

#include <fmt/format.h>

#include "http/client.h"

namespace pinpipe::app {
namespace {

using codec::Json;

Code code_named(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Code::internal); ++i) {
    if (name_of(static_cast<Code>(i)) == name) return static_cast<Code>(i);
  }
  return Code::internal;
}

io::Task<Result<Answer>> call(std::string socket, std::string path, std::string body) {
  http::Client client;
  http::Request request;
  request.method = "POST";
  request.headers.set("Content-Type", "application/json");
  request.body = std::move(body);
  http::Url url{.scheme = "unix", .host = "localhost", .target = path, .socket_path = socket};
  request.target = path;
  // A job may run for long; the user ends the wait, not the client.
  auto response = co_await client.fetch(url, request, io::after(Millis(24 * 3600 * 1000)));
  if (!response)
    co_return Error(Code::unavailable, response.error().text()).with("the server does not answer");
  auto json = codec::parse_json(response->body);
  if (!json) co_return json.error().with("the server's answer");
  if (response->status != 200) {
    const Json& error = (*json)["error"];
    co_return Error(
        code_named(error["code"].as_string().value_or("internal")),
        std::string(error["message"].as_string().value_or("the server gave no reason")));
  }
  co_return answer_from_json(*json);
}

}  // namespace

io::Task<Result<Answer>> call_server(const Endpoints& endpoints, const Operation& operation,
                                     const Json& arguments) {
  std::string path = operation.noun.empty()
                         ? fmt::format("/api/v1/{}", operation.verb)
                         : fmt::format("/api/v1/{}/{}", operation.noun, operation.verb);
  return call(endpoints.socket, std::move(path), codec::to_json(arguments));
}

}  // namespace pinpipe::app
