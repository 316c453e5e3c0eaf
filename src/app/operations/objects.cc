// bucket create|list|delete; object ls|cat|stat|rm|presign.
#include <fmt/format.h>

#include "app/operations/list.h"
#include "auth/sigv4.h"
#include "base/clock.h"
#include "codec/percent.h"
#include "project/place.h"

namespace pinpipe::app {

namespace {

using codec::Json;

// The bucket and key of an argument: s3://…, a mount, or bucket/key.
Result<project::Place> place_of(House& house, const Json& arguments) {
  std::string text = text_argument(arguments, "uri");
  bool is_bare = text.find(':') == std::string::npos && !text.starts_with('/');
  auto place = project::resolve_place(is_bare ? "s3://" + text : text, house.project().mounts);
  if (place && !place->is_object())
    return Error(Code::invalid, fmt::format("{} is a path of this machine, not of a bucket", text));
  return place;
}

Result<project::Place> object_of(House& house, const Json& arguments) {
  auto place = place_of(house, arguments);
  if (place && place->path.empty())
    return Error(Code::invalid, "name an object: s3://" + place->bucket + "/key");
  return place;
}

io::Task<Result<Answer>> list_buckets(House& house, Json) {
  auto buckets = co_await house.buckets().list_buckets();
  if (!buckets) co_return buckets.error();
  Answer answer;
  answer.columns = {"bucket", "created"};
  for (const objects::BucketFacts& one : *buckets)
    answer.add_row({one.name, to_rfc3339(one.created_ms)});
  co_return answer;
}

Answer outcome(std::string_view column, const std::string& name, std::string_view what) {
  Answer answer;
  answer.columns = {std::string(column), "status"};
  answer.add_row({name, what});
  return answer;
}

io::Task<Result<Answer>> create_bucket(House& house, Json arguments) {
  std::string name = text_argument(arguments, "bucket");
  Status made = co_await house.buckets().create_bucket(name);
  if (!made) co_return made.error();
  co_return outcome("bucket", name, "created");
}

io::Task<Result<Answer>> delete_bucket(House& house, Json arguments) {
  std::string name = text_argument(arguments, "bucket");
  Status gone = co_await house.buckets().remove_bucket(name);
  if (!gone) co_return gone.error();
  co_return outcome("bucket", name, "deleted");
}

io::Task<Result<Answer>> list_objects(House& house, Json arguments) {
  if (text_argument(arguments, "uri").empty()) co_return co_await list_buckets(house, {});
  auto place = place_of(house, arguments);
  if (!place) co_return place.error();
  const auto& [bucket, prefix] = *place;
  Answer answer;
  auto count = static_cast<size_t>(std::max<int64_t>(1, integer_argument(arguments, "count")));
  answer.columns = {"key", "bytes", "modified"};
  std::string after;
  while (answer.rows.size() < count) {
    auto listing = co_await house.buckets().list(
        bucket, {.prefix = prefix,
                 .delimiter = "",
                 .after = after,
                 .count_max = std::min<size_t>(1000, count - answer.rows.size())});
    if (!listing) co_return listing.error();
    for (const objects::ObjectFacts& object : listing->objects)
      answer.add_row({object.key, object.size, to_rfc3339(object.modified_ms)});
    if (!listing->truncated) break;
    after = listing->next_after;
    if (answer.rows.size() >= count)
      answer.notes.push_back(
          fmt::format("only the first {} objects are shown; --count raises that", count));
  }
  co_return answer;
}

io::Task<Result<Answer>> show_object(House& house, Json arguments) {
  auto place = object_of(house, arguments);
  if (!place) co_return place.error();
  auto bytes = co_await house.buckets().get(place->bucket, place->path);
  if (!bytes) co_return bytes.error();
  Answer answer;
  answer.columns = {"line"};
  std::string_view rest = *bytes;
  while (!rest.empty()) {
    size_t end = rest.find('\n');
    answer.add_row({rest.substr(0, end)});
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  co_return answer;
}

io::Task<Result<Answer>> tell_object(House& house, Json arguments) {
  auto place = object_of(house, arguments);
  if (!place) co_return place.error();
  auto facts = co_await house.buckets().head(place->bucket, place->path);
  if (!facts) co_return facts.error();
  Answer answer;
  answer.columns = {"name", "value"};
  answer.add_row({"key", facts->key});
  answer.add_row({"bytes", facts->size});
  answer.add_row({"modified", to_rfc3339(facts->modified_ms)});
  answer.add_row({"etag", facts->etag});
  const objects::Attributes& attributes = facts->attributes;
  answer.add_row({"content-type", attributes.content_type.empty() ? "binary/octet-stream"
                                                                  : attributes.content_type});
  for (const auto& [name, value] : attributes.system) answer.add_row({name, value});
  for (const auto& [name, value] : attributes.user) answer.add_row({"x-amz-meta-" + name, value});
  co_return answer;
}

io::Task<Result<int64_t>> remove_all(House& house, project::Place place) {
  int64_t removed = 0;
  while (true) {
    objects::ListQuery query{.prefix = place.path, .delimiter = "", .after = ""};
    auto listing = co_await house.buckets().list(place.bucket, std::move(query));
    if (!listing) co_return listing.error();
    for (const objects::ObjectFacts& object : listing->objects) {
      Status gone = co_await house.buckets().remove(place.bucket, object.key);
      if (!gone) co_return gone.error();
      ++removed;
    }
    if (!listing->truncated) co_return removed;
  }
}

io::Task<Result<Answer>> remove_object(House& house, Json arguments) {
  if (flag_argument(arguments, "recursive")) {
    auto place = place_of(house, arguments);
    if (!place) co_return place.error();
    auto removed = co_await remove_all(house, std::move(*place));
    if (!removed) co_return removed.error();
    co_return outcome("prefix", text_argument(arguments, "uri"),
                      fmt::format("{} objects removed", *removed));
  }
  auto place = object_of(house, arguments);
  if (!place) co_return place.error();
  // S3 would say nothing; who names one object by hand wants to know.
  auto there = co_await house.buckets().head(place->bucket, place->path);
  if (!there) co_return there.error();
  Status gone = co_await house.buckets().remove(place->bucket, place->path);
  if (!gone) co_return gone.error();
  co_return outcome("object", text_argument(arguments, "uri"), "removed");
}

// Signed with the project's first key; where none is demanded, with any.
io::Task<Result<Answer>> presign_object(House& house, Json arguments) {
  auto place = object_of(house, arguments);
  if (!place) co_return place.error();
  // Without a server, the address that one will have.
  std::string host = house.endpoints().aws;
  if (host.empty()) host = fmt::format("127.0.0.1:{}", house.project().ports.aws);
  int64_t lifetime_s = integer_argument(arguments, "expires");
  if (lifetime_s < 1 || lifetime_s > auth::link_lifetime_s_max)
    co_return Error(Code::invalid, "--expires is from 1 to 604800 seconds");
  const auto& secrets = house.project().access.secrets;
  auth::Credential credential{.access_key = secrets.empty() ? "pinpipe" : secrets.begin()->first,
                              .secret = secrets.empty() ? "pinpipe" : secrets.begin()->second,
                              .session_token = "",
                              .principal = {}};
  std::string path = "/" + place->bucket + "/" + codec::percent_encode_path(place->path);
  bool puts = flag_argument(arguments, "put");
  auth::RequestView view;
  view.method = puts ? "PUT" : "GET";
  view.path = path;
  view.headers.emplace_back("host", host);
  std::string query = auth::presign_query(view, credential, {house.project().account.region, "s3"},
                                          system_clock().wall_ms(), lifetime_s);
  Answer answer;
  answer.columns = {"url"};
  answer.add_row({"http://" + host + path + "?" + query});
  co_return answer;
}

const Parameter object_uri{.name = "uri",
                           .positional = true,
                           .required = true,
                           .summary = "s3://bucket/key, or below a mount of the project"};

}  // namespace

std::vector<Operation> bucket_operations() {
  const Parameter bucket{
      .name = "bucket", .positional = true, .required = true, .summary = "its name"};
  return {
      {.noun = "bucket",
       .verb = "list",
       .summary = "the buckets",
       .example = "pinpipe bucket list",
       .parameters = {},
       .run = list_buckets},
      {.noun = "bucket",
       .verb = "create",
       .summary = "make a bucket",
       .example = "pinpipe bucket create my-bucket",
       .writes = true,
       .parameters = {bucket},
       .run = create_bucket},
      {.noun = "bucket",
       .verb = "delete",
       .summary = "remove an empty bucket",
       .example = "pinpipe bucket delete my-bucket",
       .writes = true,
       .parameters = {bucket},
       .run = delete_bucket},
  };
}

std::vector<Operation> object_operations() {
  using Kind = Parameter::Kind;
  return {
      {.noun = "object",
       .verb = "ls",
       .summary = "buckets, or the objects under a prefix",
       .example = "pinpipe object ls s3://user-0e90e0175553-bucket/topics/",
       .parameters = {{.name = "uri", .positional = true, .summary = "s3://bucket/prefix"},
                      {.name = "count",
                       .kind = Kind::integer,
                       .summary = "how many at most",
                       .fallback = "1000"}},
       .run = list_objects},
      {.noun = "object",
       .verb = "cat",
       .summary = "the lines of an object; `object cp … -` gives its bytes",
       .example = "pinpipe object cat s3://bucket/key",
       .parameters = {object_uri},
       .run = show_object,
       .plain = first_cells},
      {.noun = "object",
       .verb = "stat",
       .summary = "size, time, ETag and metadata of an object",
       .example = "pinpipe object stat s3://bucket/key",
       .parameters = {object_uri},
       .run = tell_object},
      {.noun = "object",
       .verb = "rm",
       .summary = "remove an object, or all under a prefix",
       .example = "pinpipe object rm s3://bucket/old/ --recursive",
       .writes = true,
       .parameters = {object_uri,
                      {.name = "recursive",
                       .kind = Kind::flag,
                       .summary = "all objects whose keys begin so"}},
       .run = remove_object},
      {.noun = "object",
       .verb = "presign",
       .summary = "a link to an object that needs no key",
       .example = "curl \"$(pinpipe object presign s3://bucket/key)\"",
       .parameters = {object_uri,
                      {.name = "expires",
                       .kind = Kind::integer,
                       .summary = "seconds it is good for",
                       .fallback = "3600"},
                      {.name = "put", .kind = Kind::flag, .summary = "a link to upload to"}},
       .run = presign_object,
       .plain = first_cells},
  };
}

}  // namespace pinpipe::app
