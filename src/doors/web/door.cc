#include "doors/web/door.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "doors/web/assets.h"
#include "io/timer.h"

namespace pinpipe::web {
namespace {

constexpr std::string_view policy =
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

void set_common(http::Response& response) {
  response.headers.set("Content-Security-Policy", policy);
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Referrer-Policy", "no-referrer");
}

io::Task<> serve_asset(const Asset& asset, const std::string& etag, http::Request& request,
                       http::Response& response) {
  set_common(response);
  response.headers.set("ETag", etag);
  response.headers.set("Cache-Control", "no-cache");
  if (request.headers.find("if-none-match") == etag) {
    response.status = 304;
    co_return;
  }
  response.set_body(200, asset.content_type, std::string(asset.bytes));
}

}  // namespace

Door::Door(Options options) : options_(std::move(options)) {}

void Door::add_routes(http::Router& router) {
  for (const Asset& asset : assets()) {
    std::string etag = "\"" + to_hex(sha256(asset.bytes)).substr(0, 16) + "\"";
    router.add("GET", asset.path, [&asset, etag](http::Request& request, http::Response& response) {
      return serve_asset(asset, etag, request, response);
    });
  }
  router.add("GET", "/events", [this](http::Request&, http::Response& response) -> io::Task<> {
    set_common(response);
    response.headers.set("Content-Type", "text/event-stream");
    response.headers.set("Cache-Control", "no-store");
    response.stream = [this](http::BodyWriter& writer) { return send_events(writer); };
    co_return;
  });
}

io::Task<Status> Door::send_events(http::BodyWriter& writer) const {
  std::string last;
  while (true) {
    std::string now = codec::to_json(co_await options_.snapshot());
    // An unchanged state is a comment line: it keeps the connection and finds out that it is gone.
    std::string event = now == last ? ":\n\n" : "data: " + now + "\n\n";
    if (Status sent = co_await writer.write(event); !sent) co_return sent;
    last = std::move(now);
    if (Status slept = co_await io::sleep_for(options_.period); !slept) co_return Status{};
  }
}

}  // namespace pinpipe::web
