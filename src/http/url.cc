#include "http/url.h"

#include <charconv>

namespace pinpipe::http {
namespace {

Error not_a_url(std::string_view text, std::string_view why) {
  return {Code::invalid, "\"" + std::string(text) + "\" is not a URL: " + std::string(why)};
}

// "host", "host:80", "[::1]:80"
Status take_authority(std::string_view text, std::string_view authority, Url& into) {
  if (size_t at = authority.find('@'); at != authority.npos)
    return not_a_url(text, "credentials belong into a header");
  size_t bracket = authority.find(']');
  size_t colon = authority.find(':', bracket == authority.npos ? 0 : bracket);
  std::string_view host = authority.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) return not_a_url(text, "the host is missing");
  into.host = host;
  if (colon == authority.npos) return {};
  std::string_view digits = authority.substr(colon + 1);
  auto end = std::from_chars(digits.data(), digits.data() + digits.size(), into.port);
  if (end.ec != std::errc() || end.ptr != digits.data() + digits.size() || into.port == 0)
    return not_a_url(text, "the port is not a number from 1 to 65535");
  return {};
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  Url url;
  std::string_view rest;
  if (text.starts_with("unix:")) {
    url.scheme = "unix";
    rest = text.substr(5);
    size_t colon = rest.find(':');
    url.socket_path = rest.substr(0, colon);
    if (url.socket_path.empty()) return not_a_url(text, "the socket's path is missing");
    url.host = "localhost";
    url.target = colon == rest.npos ? "/" : rest.substr(colon + 1);
    if (!url.target.starts_with('/')) return not_a_url(text, "the target does not begin with '/'");
    return url;
  }
  size_t colon = text.find("://");
  if (colon == text.npos) return not_a_url(text, "it does not begin with http://");
  url.scheme = text.substr(0, colon);
  if (url.scheme != "http" && url.scheme != "https")
    return not_a_url(text, "its scheme is neither http nor https");
  url.port = url.scheme == "https" ? 443 : 80;
  rest = text.substr(colon + 3);
  size_t end = rest.find_first_of("/?#");
  if (Status taken = take_authority(text, rest.substr(0, end), url); !taken) return taken.error();
  url.target = end == rest.npos ? "" : rest.substr(end, rest.find('#') - end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  for (char c : url.target) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f)
      return not_a_url(text, "blanks and control characters must be percent-encoded");
  }
  return url;
}

std::string Url::host_header() const {
  return scheme == "unix" ? "localhost" : authority();
}

std::string Url::authority() const {
  if (scheme == "unix") return socket_path;
  std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  bool is_default = port == (scheme == "https" ? 443 : 80);
  return is_default ? name : name + ":" + std::to_string(port);
}

}  // namespace pinpipe::http
