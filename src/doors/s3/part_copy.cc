// UploadPartCopy: a part of an upload from an object that is here already.
#include <charconv>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "codec/xml.h"
#include "doors/s3/multipart.h"
#include "doors/s3/object_headers.h"
#include "doors/s3/part_checksums.h"
#include "io/files.h"

namespace pinpipe::s3 {
namespace {

constexpr size_t step_bytes = 1 << 20;
constexpr uint64_t part_bytes_max = 5ULL << 30;

// "bytes=first-last", both given; anything else is refused.
std::expected<Range, Failure> copied_range(const Call& call, uint64_t object_bytes) {
  std::string_view header = call.header("x-amz-copy-source-range");
  if (header.empty()) return Range{0, object_bytes, true};
  uint64_t first = 0;
  uint64_t last = 0;
  constexpr std::string_view unit = "bytes=";
  bool good = header.starts_with(unit);
  const char* at = header.data() + std::min(unit.size(), header.size());
  const char* end = header.data() + header.size();
  auto dash = std::from_chars(at, end, first);
  good = good && dash.ec == std::errc() && dash.ptr != end && *dash.ptr == '-';
  auto rest = good ? std::from_chars(dash.ptr + 1, end, last) : dash;
  good = good && rest.ec == std::errc() && rest.ptr == end && first <= last;
  if (!good)
    return failure("InvalidArgument",
                   "The x-amz-copy-source-range value must be of the form bytes=first-last where "
                   "first and last are the zero-based offsets of the first and last bytes to copy");
  if (last >= object_bytes)
    return failure("InvalidRange",
                   "The requested range is not valid for the request. Try another "
                   "range.");
  return Range{first, last - first + 1, false};
}

// Into a temporary file, with its MD5.
io::Task<Result<std::string>> copy_bytes(objects::OpenObject& from, Range range,
                                         const std::string& path, io::Pool& disk) {
  std::unique_ptr<io::File> file;
  auto create = [&]() -> Status {
    auto made = io::posix_files().open(path, io::OpenMode::create_new);
    if (!made) return made.error();
    file = std::move(*made);
    return {};
  };
  Status made = co_await disk.run(create);
  if (!made) co_return made.error();
  Digest digest(Digest::Kind::md5);
  std::string step(std::min<uint64_t>(range.size, step_bytes), '\0');
  for (uint64_t done = 0; done < range.size;) {
    std::span<char> into(step.data(), std::min<uint64_t>(step.size(), range.size - done));
    auto got = co_await from.read_at(into, range.offset + done);
    if (!got) co_return got.error();
    if (*got == 0) co_return Error(Code::corrupt, "the object ended before its length");
    std::string_view bytes(step.data(), *got);
    Status written = co_await disk.run([&] { return file->write_at(bytes, done); });
    if (!written) co_return written.error();
    digest.add(bytes);
    done += *got;
  }
  co_return to_hex(digest.finish());
}

}  // namespace

io::Task<Outcome> copy_part(Call& call, objects::Uploads& uploads, int number, io::Pool& disk) {
  auto source = copy_source_of(call);
  if (!source) co_return std::unexpected(source.error());
  auto opened = co_await call.store.open(source->bucket, source->key);
  if (!opened) {
    Call of_source{
        call.request, call.response, source->bucket, source->key, {}, call.store, {}, {}};
    co_return co_await object_failure(of_source, opened.error());
  }
  const objects::ObjectFacts& facts = (*opened)->facts();
  if (Outcome met = check_read_conditions(call, facts, "x-amz-copy-source-"); !met) co_return met;
  auto range = copied_range(call, facts.size);
  if (!range) co_return std::unexpected(range.error());
  if (range->size > part_bytes_max)
    co_return failure("InvalidRequest",
                      "The specified copy source is larger than the maximum "
                      "allowable size for a copy source: 5368709120");
  std::string path = call.store.new_temporary();
  auto md5_hex = co_await copy_bytes(**opened, *range, path, disk);
  if (!md5_hex) {
    (void)co_await disk.run([&] { return io::posix_files().remove(path); });
    co_return std::unexpected(failure_of(md5_hex.error(), call));
  }
  objects::PartFacts wanted;
  wanted.number = number;
  wanted.md5_hex = std::move(*md5_hex);
  // The upload's checksum needs one of every part, and nobody sent one of this.
  auto upload = co_await uploads.find(call.bucket, call.key, call.text("uploadId"));
  auto plan = upload ? take_plan(upload->attributes) : std::nullopt;
  if (plan) {
    auto checksum = co_await checksum_of_file(path, plan->kind, disk);
    if (checksum) wanted.checksums[std::string(header_of(plan->kind))] = std::move(*checksum);
  }
  auto part = co_await uploads.put_part(call.text("uploadId"), std::move(wanted), path, {});
  if (!part) co_return std::unexpected(failure_of(part.error(), call));
  std::string xml;
  codec::XmlWriter writer(xml);
  writer.declaration().begin("CopyPartResult");
  writer.attribute("xmlns", "http://s3.amazonaws.com/doc/2006-03-01/");
  writer.element("LastModified", to_rfc3339(part->modified_ms));
  for (const auto& [name, value] : part->checksums) writer.element(checksum_element(name), value);
  writer.element("ETag", "\"" + part->md5_hex + "\"").end();
  answer_xml(call, std::move(xml));
  co_return Outcome{};
}

}  // namespace pinpipe::s3
