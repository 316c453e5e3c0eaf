// ApiVersions (18), versions 0 to 4. Its response header never has tags; the body does from 3 on.
#include <algorithm>

#include "doors/kafka/call.h"

namespace pinpipe::kafka {
namespace {

bool is_software_word(std::string_view text) {
  auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty() || !alphanumeric(text.front()) || !alphanumeric(text.back())) return false;
  return std::ranges::all_of(text, [&](char c) { return alphanumeric(c) || c == '-' || c == '.'; });
}

void write(Encoder& out, int16_t version, ErrorCode error) {
  out.number(static_cast<int16_t>(error));
  // Who is unsupported learns what is not; who makes no sense learns nothing.
  bool tells = error != ErrorCode::invalid_request;
  out.count(tells ? apis().size() : 0);
  for (const Api& api : apis()) {
    if (!tells) break;
    out.number(api.key);
    out.number(api.lowest);
    out.number(api.highest);
    out.tags();
  }
  if (version >= 1) out.number(int32_t{0});
  out.tags();
}

}  // namespace

void write_unsupported_api_versions(Encoder& out) {
  write(out, 0, ErrorCode::unsupported_version);
}

io::Task<Status> handle_api_versions(Call& call) {
  ErrorCode error = ErrorCode::none;
  if (call.version >= 3) {
    std::string_view name = call.in.text();
    std::string_view version = call.in.text();
    call.in.tags();
    if (call.in.failed()) co_return malformed("ApiVersions");
    if (!is_software_word(name) || !is_software_word(version)) error = ErrorCode::invalid_request;
  }
  write(call.out, call.version, error);
  co_return Status{};
}

}  // namespace pinpipe::kafka
