// GetObjectAttributes: what is known of an object without reading it.
#include <algorithm>

#include "base/ascii.h"
#include "codec/xml.h"
#include "doors/s3/checksums.h"
#include "doors/s3/door.h"
#include "doors/s3/object_headers.h"
#include "doors/s3/part_checksums.h"
#include "http/answer_head.h"

namespace pinpipe::s3 {
namespace {

constexpr std::string_view known[] = {"ETag", "Checksum", "ObjectParts", "StorageClass",
                                      "ObjectSize"};

// All lines of the header, each a list.
std::expected<std::vector<std::string>, Failure> wanted_of(const Call& call) {
  std::vector<std::string> wanted;
  for (const auto& [name, value] : call.request.headers.lines()) {
    if (!equal_without_case(name, "x-amz-object-attributes")) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      size_t end = std::min(rest.find(','), rest.size());
      std::string one(rest.substr(0, end));
      std::erase(one, ' ');
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (std::ranges::find(known, one) == std::end(known))
        return failure("InvalidArgument", "Invalid attribute name specified.");
      wanted.push_back(std::move(one));
    }
  }
  if (wanted.empty())
    return failure("InvalidRequest",
                   "The x-amz-object-attributes header specifying the attributes to be retrieved "
                   "is either missing or empty");
  return wanted;
}

void write_checksum(codec::XmlWriter& writer, const objects::ObjectFacts& facts) {
  bool any = false;
  bool has_type = facts.attributes.system.contains("x-amz-checksum-type");
  for (const auto& [name, value] : facts.attributes.system) {
    std::string element = checksum_element(name);
    if (element.empty()) continue;
    if (!any) writer.begin("Checksum");
    any = true;
    writer.element(element, value);
  }
  if (any && !has_type) writer.element("ChecksumType", "FULL_OBJECT");
  if (any) writer.end();
}

void write_parts(codec::XmlWriter& writer, const objects::ObjectFacts& facts) {
  auto sizes = facts.attributes.system.find(std::string(part_sizes_name));
  if (sizes == facts.attributes.system.end()) return;
  writer.begin("ObjectParts");
  writer.element("PartsCount", part_sizes_of(sizes->second).size()).end();
}

}  // namespace

io::Task<Outcome> object_attributes(Call& call) {
  auto wanted = wanted_of(call);
  if (!wanted) co_return std::unexpected(wanted.error());
  auto facts = co_await call.store.head(call.bucket, call.key);
  if (!facts) co_return co_await object_failure(call, facts.error());
  auto wants = [&](std::string_view name) {
    return std::ranges::find(*wanted, name) != wanted->end();
  };
  std::string xml;
  codec::XmlWriter writer(xml);
  writer.declaration().begin("GetObjectAttributesResponse");
  writer.attribute("xmlns", "http://s3.amazonaws.com/doc/2006-03-01/");
  if (wants("ETag")) writer.element("ETag", facts->etag);
  if (wants("Checksum")) write_checksum(writer, *facts);
  if (wants("ObjectParts")) write_parts(writer, *facts);
  if (wants("StorageClass")) writer.element("StorageClass", "STANDARD");
  if (wants("ObjectSize")) writer.element("ObjectSize", facts->size);
  writer.end();
  answer_xml(call, std::move(xml));
  call.response.headers.set("Last-Modified", http::http_date(facts->modified_ms));
  co_return Outcome{};
}

}  // namespace pinpipe::s3
