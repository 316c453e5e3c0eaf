// PutObject and CopyObject.
#include "base/ascii.h"
#include "base/clock.h"
#include "codec/xml.h"
#include "doors/s3/door.h"
#include "doors/s3/object_headers.h"
#include "doors/s3/part_checksums.h"
#include "doors/s3/upload_body.h"
#include "doors/s3/xml_names.h"

namespace pinpipe::s3 {
namespace {

bool is_composite(const objects::ObjectFacts& facts) {
  auto type = facts.attributes.system.find("x-amz-checksum-type");
  return type != facts.attributes.system.end() && type->second == "COMPOSITE";
}

}  // namespace

io::Task<Outcome> put_object(Call& call, io::Pool& disk) {
  if (Status may = call.store.may_write(call.bucket, call.key); !may)
    co_return std::unexpected(failure_of(may.error(), call));
  // A body that is still to come is not taken in for nothing. What is here already, the store may
  // refuse itself.
  if (call.request.body_reader != nullptr) {
    auto there = co_await call.store.find_bucket(call.bucket);
    if (!there && there.error().code() == Code::not_found)
      co_return co_await object_failure(call, there.error());
  }
  if (call.key.size() > 1024)
    co_return std::unexpected(Failure{"KeyTooLongError", "Your key is too long", {}});
  auto attributes = attributes_of_request(call);
  if (!attributes) co_return std::unexpected(attributes.error());
  auto condition = condition_of_write(call);
  if (!condition) co_return std::unexpected(condition.error());
  if (!call.request.headers.has("Content-Length") && !call.request.headers.has("Transfer-Encoding"))
    co_return failure("MissingContentLength", "You must provide the Content-Length HTTP header.");
  auto body = co_await read_body(call, disk);
  if (!body) co_return std::unexpected(body.error());
  if (body->checksum_kind)
    attributes->system[std::string(header_of(*body->checksum_kind))] = body->checksum;
  auto stored =
      body->temporary_path.empty()
          ? co_await call.store.put(call.bucket, call.key, std::move(body->bytes),
                                    std::move(*attributes), std::move(*condition))
          : co_await call.store.adopt(call.bucket, body->temporary_path, call.key,
                                      std::move(*attributes), std::move(*condition), body->md5_hex);
  if (!stored) co_return co_await object_failure(call, stored.error());
  call.response.status = 200;
  call.response.headers.set("ETag", "\"" + stored->etag + "\"");
  if (body->checksum_kind) {
    call.response.headers.set(header_of(*body->checksum_kind), body->checksum);
    call.response.headers.set("x-amz-checksum-type", "FULL_OBJECT");
  }
  co_return Outcome{};
}

io::Task<Outcome> copy_object(Call& call) {
  if (Outcome can = refuse_unsupported(call); !can) co_return can;
  auto source = copy_source_of(call);
  if (!source) co_return std::unexpected(source.error());
  auto condition = condition_of_write(call);
  if (!condition) co_return std::unexpected(condition.error());
  std::optional<objects::Attributes> attributes;
  bool replaces = equal_without_case(call.header("x-amz-metadata-directive"), "REPLACE");
  if (replaces) {
    auto given = attributes_of_request(call);
    if (!given) co_return std::unexpected(given.error());
    attributes = std::move(*given);
  }
  if (source->bucket == call.bucket && source->key == call.key && !replaces)
    co_return failure(
        "InvalidRequest",
        "This copy request is illegal because it is trying to copy an object to itself "
        "without changing the object's metadata.");
  auto facts = co_await call.store.head(source->bucket, source->key);
  if (!facts) {
    Call of_source{
        call.request, call.response, source->bucket, source->key, {}, call.store, {}, {}};
    co_return co_await object_failure(of_source, facts.error());
  }
  if (Outcome met = check_read_conditions(call, *facts, "x-amz-copy-source-"); !met) co_return met;
  if (attributes) {  // checksums belong to the bytes, not to the metadata that is replaced
    for (const auto& [name, value] : facts->attributes.system)
      if (name.starts_with("x-amz-checksum-")) attributes->system[name] = value;
  }
  if (facts->attributes.system.contains(std::string(part_sizes_name))) {
    // The copy is in one part, and what was said about the parts is not true of it.
    if (!attributes) attributes = facts->attributes;
    attributes->system.erase(std::string(part_sizes_name));
    std::erase_if(attributes->system, [&](const auto& one) {
      return one.first.starts_with("x-amz-checksum-") && is_composite(*facts);
    });
  }
  auto copied = co_await call.store.copy(source->bucket, source->key, call.bucket, call.key,
                                         std::move(attributes), std::move(*condition));
  if (!copied) co_return co_await object_failure(call, copied.error());
  std::string xml;
  codec::XmlWriter writer(xml);
  writer.declaration().begin("CopyObjectResult").attribute("xmlns", xml_namespace);
  writer.element("LastModified", to_rfc3339(copied->modified_ms));
  writer.element("ETag", "\"" + copied->etag + "\"").end();
  answer_xml(call, std::move(xml));
  co_return Outcome{};
}

}  // namespace pinpipe::s3
