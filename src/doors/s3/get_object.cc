// GetObject and HeadObject.
#include <charconv>

#include "doors/s3/door.h"
#include "doors/s3/object_headers.h"
#include "doors/s3/part_checksums.h"

namespace pinpipe::s3 {
namespace {

// For stores whose objects have no descriptor.
io::Task<Status> stream_object(http::BodyWriter& writer,
                               std::shared_ptr<objects::OpenObject> object, Range range) {
  std::string step(std::min<uint64_t>(range.size, 1 << 20), '\0');
  while (range.size > 0) {
    std::span<char> into(step.data(), std::min<uint64_t>(range.size, step.size()));
    auto got = co_await object->read_at(into, range.offset);
    if (!got) co_return got.error();
    if (*got == 0) co_return Error(Code::corrupt, "the object ended before its length");
    Status written = co_await writer.write(std::string_view(step.data(), *got));
    if (!written) co_return written;
    range.offset += *got;
    range.size -= *got;
  }
  co_return Status{};
}

// ?partNumber=2 is the range of that part. Objects that came whole have one part.
std::expected<Range, Failure> wanted_range(Call& call, const objects::ObjectFacts& facts) {
  if (!call.has("partNumber")) return range_of(call.header("Range"), facts.size);
  if (call.request.headers.has("Range"))
    return failure("InvalidRequest",
                   "Cannot specify both Range header and partNumber query "
                   "parameter");
  std::vector<uint64_t> sizes;
  auto kept = facts.attributes.system.find(std::string(part_sizes_name));
  if (kept != facts.attributes.system.end()) sizes = part_sizes_of(kept->second);
  if (sizes.empty()) sizes = {facts.size};
  if (kept != facts.attributes.system.end())
    call.response.headers.set("x-amz-mp-parts-count", std::to_string(sizes.size()));
  size_t number = 0;
  std::string text = call.text("partNumber");
  std::from_chars(text.data(), text.data() + text.size(), number);
  if (number < 1 || number > sizes.size())
    return failure("InvalidPartNumber", "The requested partnumber is not satisfiable");
  uint64_t offset = 0;
  for (size_t i = 0; i + 1 < number; ++i) offset += sizes[i];
  return Range{offset, sizes[number - 1], facts.size == 0};
}

void write_range_headers(Call& call, const objects::ObjectFacts& facts, const Range& range) {
  call.response.status = range.is_whole ? 200 : 206;
  if (!range.is_whole)
    call.response.headers.set("Content-Range", "bytes " + std::to_string(range.offset) + "-" +
                                                   std::to_string(range.offset + range.size - 1) +
                                                   "/" + std::to_string(facts.size));
  write_object_headers(call, facts, range.is_whole);
}

io::Task<Outcome> head_object(Call& call) {
  auto facts = co_await call.store.head(call.bucket, call.key);
  if (!facts) co_return co_await object_failure(call, facts.error());
  if (Outcome met = check_read_conditions(call, *facts); !met) co_return met;
  auto range = wanted_range(call, *facts);
  if (!range) co_return std::unexpected(range.error());
  write_range_headers(call, *facts, *range);
  call.response.headers.set("Content-Length", std::to_string(range->size));
  co_return Outcome{};
}

}  // namespace

io::Task<Outcome> get_object(Call& call) {
  if (call.request.method == "HEAD") co_return co_await head_object(call);
  auto opened = co_await call.store.open(call.bucket, call.key);
  if (!opened) co_return co_await object_failure(call, opened.error());
  std::shared_ptr<objects::OpenObject> object = std::move(*opened);
  const objects::ObjectFacts& facts = object->facts();
  if (Outcome met = check_read_conditions(call, facts); !met) {
    call.response.headers.set("ETag", "\"" + facts.etag + "\"");
    co_return met;
  }
  auto range = wanted_range(call, facts);
  if (!range) co_return std::unexpected(range.error());
  write_range_headers(call, facts, *range);
  if (range->size == 0) co_return Outcome{};
  if (object->descriptor() >= 0) {
    http::FileBody file;
    file.descriptor = object->descriptor();
    file.offset = range->offset;
    file.size = range->size;
    file.keep_open = std::move(object);
    call.response.file = std::move(file);
    co_return Outcome{};
  }
  call.response.headers.set("Content-Length", std::to_string(range->size));
  call.response.stream = [object, range = *range](http::BodyWriter& writer) {
    return stream_object(writer, object, range);
  };
  co_return Outcome{};
}

}  // namespace pinpipe::s3
