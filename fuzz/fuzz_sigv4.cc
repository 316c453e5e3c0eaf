// Verification takes any method, path, query and headers, and lets none of them pass without a
// secret.
#include <string_view>

#include "auth/sigv2.h"
#include "auth/sigv4.h"
#include "base/check.h"

using namespace pinpipe;

namespace {
std::string_view take_line(std::string_view& rest) {
  const size_t end = std::min(rest.find('\n'), rest.size());
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auth::Credentials keys = [] {
    auth::Credentials table;
    CHECK(table.add({"AK", "a secret nobody can guess", "", {}}), "the key is new");
    return table;
  }();
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  auth::RequestView request;
  request.method = take_line(rest);
  request.path = take_line(rest);
  request.query = take_line(rest);
  request.headers.emplace_back("authorization", take_line(rest));
  request.headers.emplace_back("x-amz-date", take_line(rest));
  if (request.headers[0].second.empty()) request.headers.erase(request.headers.begin());
  CHECK(!auth::verify_sigv4(request, keys, {}, 1'440'938'160'000), "no signature is guessed");
  CHECK(!auth::verify_sigv2(request, request.path, keys, 0), "no signature is guessed");
  return 0;
}
