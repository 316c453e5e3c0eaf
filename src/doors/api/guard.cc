#include "doors/api/guard.h"

#include "base/bytes.h"
#include "base/hash.h"

namespace pinpipe::api {
namespace {

// The token that a request brings, whichever way.
std::string token_of(const http::Request& request) {
  std::string_view given = request.headers.find("Authorization").value_or("");
  if (given.starts_with("Bearer ")) return std::string(given.substr(7));
  if (!given.starts_with("Basic ")) return {};
  std::string user = from_base64(given.substr(6)).value_or("");
  size_t colon = user.find(':');
  return colon == user.npos ? std::string() : user.substr(colon + 1);
}

bool is_open_to_all(std::string_view path) {
  return path == "/livez" || path == "/readyz" || path == "/auth/token";
}

}  // namespace

http::Handler guarded_by_token(http::Handler inner, std::string token) {
  return [inner = std::move(inner), token = std::move(token)](
             http::Request& request, http::Response& response) -> io::Task<> {
    if (is_open_to_all(request.path())) return inner(request, response);
    if (equal_constant_time(token_of(request), token)) {
      request.headers.set("Authorization", "Bearer " + token);
      return inner(request, response);
    }
    return [](http::Response& refusal) -> io::Task<> {
      refusal.set_text(401, "This needs the token that `pinpipe env` prints, as the password.\n");
      refusal.headers.set("WWW-Authenticate", "Basic realm=\"pinpipe\"");
      co_return;
    }(response);
  };
}

}  // namespace pinpipe::api
