// pinpipe.yaml: `objects`, where buckets and tables are kept.
//   objects: { fsync: os }
//   objects: { store: s3, endpoint: http://…, region: …, addressing: path, credentials: …csv }
#include <fmt/format.h>

#include "project/readers.h"

namespace pinpipe::project {

void read_objects(Fields& settings, ObjectSettings& objects, Diagnostics& out) {
  const Node* node = settings.find("objects");
  if (node == nullptr) return;
  Fields fields(*node, "objects", out);
  objects.is_remote = fields.choice("store", "local", {"local", "s3"}) == "s3";
  bool by_system = fields.choice("fsync", "always", {"always", "os"}) == "os";
  objects.fsync = by_system ? Fsync::os : Fsync::always;
  if (objects.is_remote && fields.has("fsync"))
    out.add(problems::missing_key, fields.place("fsync"),
            "`fsync` is of buckets in `store: local`");
  objects.endpoint = fields.text("endpoint");
  bool is_url = objects.endpoint.starts_with("http://") || objects.endpoint.starts_with("https://");
  if (!objects.endpoint.empty() && !is_url) {
    out.add(problems::bad_name, fields.place("endpoint"),
            fmt::format("the endpoint is a URL: http://{0} or https://{0}", objects.endpoint),
            {.length = objects.endpoint.size()});
  }
  objects.region = fields.text("region");
  objects.path_style = fields.choice("addressing", "path", {"path", "host"}) == "path";
  objects.ca_file = fields.text("ca_file");
  objects.credentials = fields.text("credentials");
  objects.profile = fields.text("profile");
  fields.finish();
  for (const char* key :
       {"endpoint", "region", "addressing", "ca_file", "credentials", "profile"}) {
    if (objects.is_remote || !fields.has(key)) continue;
    out.add(problems::missing_key, fields.place(key),
            fmt::format("`{}` needs `store: s3` beside it", key));
  }
}

}  // namespace pinpipe::project
