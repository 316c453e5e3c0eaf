// ListObjects in its two versions, and ListObjectVersions of buckets that keep no old versions.
#include <charconv>

#include "base/bytes.h"
#include "codec/xml.h"
#include "doors/s3/door.h"
#include "doors/s3/xml_names.h"

namespace pinpipe::s3 {
namespace {

constexpr size_t keys_max = 1'000;

struct Page {
  objects::ListQuery query;
  bool encodes = false;

  std::string text(std::string_view raw) const {
    return encodes ? codec::percent_encode_path(raw) : std::string(raw);
  }
};

std::expected<Page, Failure> page_of(const Call& call) {
  Page page;
  page.query.prefix = call.text("prefix");
  page.query.delimiter = call.text("delimiter");
  std::string encoding = call.text("encoding-type");
  if (!encoding.empty() && encoding != "url")
    return failure("InvalidArgument", "Invalid Encoding Method specified in Request");
  page.encodes = encoding == "url";
  if (call.has("max-keys")) {
    std::string text = call.text("max-keys");
    int64_t count = -1;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count < 0)
      return failure("InvalidArgument", "Provided max-keys not an integer or within integer range");
    page.query.count_max = std::min(static_cast<size_t>(count), keys_max);
  }
  return page;
}

void write_object(codec::XmlWriter& writer, const Page& page, const objects::ObjectFacts& object,
                  bool with_owner) {
  writer.begin("Contents").element("Key", page.text(object.key));
  writer.element("LastModified", to_rfc3339(object.modified_ms));
  writer.element("ETag", "\"" + object.etag + "\"").element("Size", object.size);
  if (with_owner) write_owner(writer);
  writer.element("StorageClass", "STANDARD").end();
}

void write_prefixes(codec::XmlWriter& writer, const Page& page, const objects::Listing& listing) {
  for (const std::string& prefix : listing.common_prefixes)
    writer.begin("CommonPrefixes").element("Prefix", page.text(prefix)).end();
}

void begin(codec::XmlWriter& writer, const Call& call, const Page& page, std::string_view element) {
  writer.declaration().begin(element).attribute("xmlns", xml_namespace);
  writer.element("Name", call.bucket).element("Prefix", page.text(page.query.prefix));
  if (!page.query.delimiter.empty()) writer.element("Delimiter", page.text(page.query.delimiter));
  writer.element("MaxKeys", page.query.count_max);
  if (page.encodes) writer.element("EncodingType", "url");
}

}  // namespace

io::Task<Outcome> list_objects(Call& call) {
  auto page = page_of(call);
  if (!page) co_return std::unexpected(page.error());
  page->query.after = call.text("marker");
  auto listing = co_await call.store.list(call.bucket, page->query);
  if (!listing) co_return std::unexpected(failure_of(listing.error(), call));
  std::string xml;
  codec::XmlWriter writer(xml);
  begin(writer, call, *page, "ListBucketResult");
  writer.element("Marker", page->text(page->query.after));
  writer.element("IsTruncated", listing->truncated);
  if (listing->truncated && !page->query.delimiter.empty())
    writer.element("NextMarker", page->text(listing->next_after));
  for (const auto& object : listing->objects) write_object(writer, *page, object, true);
  write_prefixes(writer, *page, *listing);
  writer.end();
  answer_xml(call, std::move(xml));
  co_return Outcome{};
}

io::Task<Outcome> list_objects_v2(Call& call) {
  auto page = page_of(call);
  if (!page) co_return std::unexpected(page.error());
  page->query.after = call.text("start-after");
  // The token is the last key itself, so that it survives deletes in between.
  if (call.has("continuation-token")) {
    auto after = from_base64(call.text("continuation-token"));
    if (!after)
      co_return failure("InvalidArgument", "The continuation token provided is incorrect");
    page->query.after = std::move(*after);
  }
  auto listing = co_await call.store.list(call.bucket, page->query);
  if (!listing) co_return std::unexpected(failure_of(listing.error(), call));
  std::string xml;
  codec::XmlWriter writer(xml);
  begin(writer, call, *page, "ListBucketResult");
  if (call.has("start-after")) writer.element("StartAfter", page->text(call.text("start-after")));
  if (call.has("continuation-token"))
    writer.element("ContinuationToken", call.text("continuation-token"));
  writer.element("KeyCount", listing->objects.size() + listing->common_prefixes.size());
  writer.element("IsTruncated", listing->truncated);
  if (listing->truncated) writer.element("NextContinuationToken", to_base64(listing->next_after));
  bool with_owner = call.text("fetch-owner") == "true";
  for (const auto& object : listing->objects) write_object(writer, *page, object, with_owner);
  write_prefixes(writer, *page, *listing);
  writer.end();
  answer_xml(call, std::move(xml));
  co_return Outcome{};
}

io::Task<Outcome> list_versions(Call& call) {
  auto page = page_of(call);
  if (!page) co_return std::unexpected(page.error());
  page->query.after = call.text("key-marker");
  auto listing = co_await call.store.list(call.bucket, page->query);
  if (!listing) co_return std::unexpected(failure_of(listing.error(), call));
  std::string xml;
  codec::XmlWriter writer(xml);
  begin(writer, call, *page, "ListVersionsResult");
  writer.element("KeyMarker", page->text(page->query.after)).element("VersionIdMarker", "");
  writer.element("IsTruncated", listing->truncated);
  if (listing->truncated) {
    writer.element("NextKeyMarker", page->text(listing->next_after));
    writer.element("NextVersionIdMarker", "null");
  }
  for (const auto& object : listing->objects) {
    writer.begin("Version").element("Key", page->text(object.key)).element("VersionId", "null");
    writer.element("IsLatest", true).element("LastModified", to_rfc3339(object.modified_ms));
    writer.element("ETag", "\"" + object.etag + "\"").element("Size", object.size);
    write_owner(writer);
    writer.element("StorageClass", "STANDARD").end();
  }
  write_prefixes(writer, *page, *listing);
  writer.end();
  answer_xml(call, std::move(xml));
  co_return Outcome{};
}

}  // namespace pinpipe::s3
