// object ls|cat.
#include <fmt/format.h>

#include "app/operations/list.h"
#include "base/clock.h"

namespace pinpipe::app {

namespace {

// "s3://bucket/prefix" or "bucket/prefix".
std::pair<std::string, std::string> split_uri(std::string_view uri) {
  for (std::string_view scheme : {"s3://", "s3a://", "s3n://"}) {
    if (uri.starts_with(scheme)) uri.remove_prefix(scheme.size());
  }
  size_t slash = uri.find('/');
  if (slash == std::string_view::npos) return {std::string(uri), ""};
  return {std::string(uri.substr(0, slash)), std::string(uri.substr(slash + 1))};
}

using codec::Json;

io::Task<Result<Answer>> list_objects(House& house, Json arguments) {
  auto [bucket, prefix] = split_uri(text_argument(arguments, "uri"));
  Answer answer;
  if (bucket.empty()) {
    auto buckets = co_await house.buckets().list_buckets();
    if (!buckets) co_return buckets.error();
    answer.columns = {"bucket", "created"};
    for (const objects::BucketFacts& one : *buckets)
      answer.add_row({one.name, to_rfc3339(one.created_ms)});
    co_return answer;
  }
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
  auto [bucket, key] = split_uri(text_argument(arguments, "uri"));
  auto bytes = co_await house.buckets().get(bucket, key);
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

}  // namespace

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
       .summary = "the lines of an object",
       .example = "pinpipe object cat s3://bucket/key",
       .parameters =
           {{.name = "uri", .positional = true, .required = true, .summary = "s3://bucket/key"}},
       .run = show_object,
       .plain = first_cells},
  };
}

}  // namespace pinpipe::app
