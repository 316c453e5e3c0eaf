#include "http/admission.h"

#include <algorithm>

#include "base/ascii.h"

namespace pinpipe::http {
namespace {

// "[::1]:80" -> "[::1]", "localhost:80" -> "localhost", "localhost." -> "localhost"
std::string_view name_of_host(std::string_view host) {
  size_t bracket = host.find(']');
  size_t colon = host.find(':', bracket == host.npos ? 0 : bracket);
  host = host.substr(0, colon);
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

bool ends_with_without_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() &&
         equal_without_case(text.substr(text.size() - end.size()), end);
}

bool is_loopback(std::string_view name) {
  if (name == "[::1]" || equal_without_case(name, "localhost")) return true;
  if (ends_with_without_case(name, ".localhost")) return true;
  return name.starts_with("127.") &&
         std::ranges::all_of(name, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

}  // namespace

bool is_allowed_host(std::string_view host, std::span<const std::string> allowed) {
  std::string_view name = name_of_host(host);
  if (is_loopback(name)) return true;
  return std::ranges::any_of(allowed, [&](std::string_view one) {
    if (one == "*") return true;
    if (one.starts_with("*.")) return ends_with_without_case(name, one.substr(1));
    return equal_without_case(name, name_of_host(one));
  });
}

std::string_view refusal_of_origin(const Request& head, std::span<const std::string> allowed,
                                   bool check_origin) {
  auto host = head.headers.find("Host");
  // HTTP/1.0 clients need not send one; browsers always do.
  if (host && !is_allowed_host(*host, allowed))
    return "This server does not answer to that Host. Add it to the listener's hosts.";
  if (!check_origin) return {};
  auto origin = head.headers.find("Origin");
  if (!origin) return {};
  size_t scheme_end = origin->find("://");
  bool own = scheme_end != origin->npos && host &&
             equal_without_case(origin->substr(scheme_end + 3), *host);
  return own ? std::string_view() : "Requests from another web page's origin are refused.";
}

}  // namespace pinpipe::http
