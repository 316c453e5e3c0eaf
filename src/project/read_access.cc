// pinpipe.yaml: the gateway's usage plan, and who may use the AWS door.
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

}  // namespace

void read_access(Fields& settings, Project& project, Diagnostics& out) {
  read_gateway(settings, project.gateway, out);
  read_access_keys(settings, project.access, out);
}

}  // namespace pinpipe::project
