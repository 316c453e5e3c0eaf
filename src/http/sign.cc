#include "http/sign.h"

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/hash.h"

namespace pinpipe::http {

auth::HeaderList signature_of(const Request& request, const Url& to, const Signing& signing) {
  std::string_view target = request.target.empty() ? to.target : request.target;
  size_t mark = target.find('?');
  std::string host = to.host_header();
  auth::RequestView view{.method = request.method,
                         .path = target.substr(0, mark),
                         .query = mark == target.npos ? "" : target.substr(mark + 1),
                         .headers = {},
                         .payload_hash = {}};
  if (!request.headers.has("Host")) view.headers.emplace_back("host", host);
  for (const auto& [name, value] : request.headers.lines()) {
    if (!equal_without_case(name, "Content-Length")) view.headers.emplace_back(name, value);
  }
  // A hash that the caller names counts: UNSIGNED-PAYLOAD, or that of a body known before.
  if (auto named = request.headers.find("x-amz-content-sha256")) {
    view.payload_hash = *named;
  } else {
    view.payload_hash = to_hex(sha256(request.body));
  }
  return auth::sign_headers(view, signing.credential, signing.target, signing.clock->wall_ms());
}

}  // namespace pinpipe::http
