// pinpipe.yaml: the gateway's usage plan, who may use the AWS door, and what listens for others.
#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

#include "project/readers.h"

namespace pinpipe::project {
namespace {

void read_gateway(Fields& settings, GatewaySettings& gateway, Diagnostics& out) {
  const Node* node = settings.find("gateway");
  if (node == nullptr) return;
  Fields fields(*node, "gateway", out);
  gateway.strict = fields.choice("profile", "exact", {"exact", "strict"}) == "strict";
  gateway.stages = fields.texts("stages");
  gateway.api_keys = fields.texts("api_keys");
  gateway.requests_per_second = fields.number("requests_per_second", 0);
  gateway.burst = fields.number("burst", gateway.requests_per_second);
  if (gateway.requests_per_second < 0 || gateway.burst < 0) {
    out.add(problems::out_of_range, fields.place("requests_per_second"),
            "a rate is not negative; 0 is no limit");
  }
  fields.finish();
}

void read_access_keys(Fields& settings, AccessSettings& access, Diagnostics& out) {
  access.required = settings.choice("auth", "local", {"local", "required"}) == "required";
  settings.each("access_keys", [&](const Node::Entry& entry) {
    if (entry.value.kind != Node::Kind::scalar || entry.value.text.empty()) {
      out.add(
          problems::wrong_type, entry.value.at,
          fmt::format("the access key {} has a secret: {}: $(secret:name)", entry.key, entry.key));
      return;
    }
    access.secrets[entry.key] = entry.value.text;
  });
  if (access.required && access.secrets.empty()) {
    out.add(problems::missing_key, settings.place("auth"),
            "with `auth: required` nobody comes in: name a key, access_keys: {NAME: $(secret:x)}");
  }
}

constexpr std::array<std::string_view, 6> door_names = {"aws",     "connect", "console",
                                                        "gateway", "kafka",   "mysql"};

// "0.0.0.0:8443", "[::]:8443"
std::optional<Listener> listener_of(std::string_view text) {
  size_t colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return std::nullopt;
  std::string_view address = text.substr(0, colon), digits = text.substr(colon + 1);
  uint16_t port = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0)
    return std::nullopt;
  if (address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  return Listener{std::string(address), port};
}

// Why a door may not be reached from other machines as it is; empty: it may.
std::string refusal_of_listener(std::string_view door, const Project& project) {
  const ListenSettings& listen = project.listen;
  if (listen.is_unprotected(door)) return "";
  if (door == "kafka" || door == "connect") return fmt::format("{} does not ask who comes", door);
  if (door == "mysql") return "what mysql answers would cross the network in plain text";
  if (door == "gateway" && project.gateway.api_keys.empty())
    return "without `gateway: {api_keys: […]}` the gateway does not ask who comes";
  if (door == "aws" && !project.access.required)
    return "without `auth: required` aws does not ask who comes";
  if (listen.certificate_file.empty())
    return "without `tls: {certificate: …, key: …}` keys would cross the network in plain text";
  return "";
}

void read_tls(Fields& settings, ListenSettings& listen, Diagnostics& out) {
  const Node* node = settings.find("tls");
  if (node == nullptr) return;
  Fields fields(*node, "tls", out);
  listen.certificate_file = fields.required_text("certificate");
  listen.key_file = fields.required_text("key");
  fields.finish();
}

void read_listen(Fields& settings, Project& project, Diagnostics& out) {
  ListenSettings& listen = project.listen;
  read_tls(settings, listen, out);
  const Node* node = settings.find("listen");
  if (node == nullptr) return;
  Fields fields(*node, "listen", out);
  listen.hosts = fields.texts("hosts");
  listen.unprotected = fields.texts("unprotected");
  for (const std::string& door : listen.unprotected) {
    if (!std::ranges::count(door_names, door))
      out.add(problems::unknown_name, fields.place("unprotected"),
              fmt::format("there is no door \"{}\"; use aws, connect, console, gateway, kafka or "
                          "mysql",
                          door));
  }
  for (std::string_view door : door_names) {
    std::string text = fields.text(door);
    if (text.empty()) continue;
    auto listener = listener_of(text);
    if (!listener) {
      out.add(problems::wrong_type, fields.place(door),
              fmt::format("{} listens on an address and a port, such as 0.0.0.0:8443", door),
              {.length = text.size()});
      continue;
    }
    if (std::string why = refusal_of_listener(door, project); !why.empty()) {
      out.add(
          problems::unprotected_door, fields.place(door), why,
          {.help = fmt::format("on a network that you trust: listen: {{unprotected: [{}]}}", door),
           .length = text.size()});
      continue;
    }
    listen.doors[std::string(door)] = std::move(*listener);
  }
  fields.finish();
}

}  // namespace

bool ListenSettings::is_unprotected(std::string_view door) const {
  return std::ranges::find(unprotected, door) != unprotected.end();
}

void read_access(Fields& settings, Project& project, Diagnostics& out) {
  read_gateway(settings, project.gateway, out);
  read_access_keys(settings, project.access, out);
  read_listen(settings, project, out);
}

}  // namespace pinpipe::project
