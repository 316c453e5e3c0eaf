// DeleteObject and DeleteObjects.
#include "base/bytes.h"
#include "base/hash.h"
#include "codec/xml.h"
#include "doors/s3/checksums.h"
#include "doors/s3/door.h"
#include "doors/s3/object_headers.h"
#include "doors/s3/xml_names.h"

namespace pinpipe::s3 {
namespace {

constexpr size_t keys_max = 1'000;

// Content-MD5 or any checksum, whichever came.
Outcome verify_list(const Call& call) {
  const std::string& body = call.request.body;
  if (std::string_view given = call.header("Content-MD5"); !given.empty()) {
    if (to_base64(md5(body)) != given)
      return failure("BadDigest", "The Content-MD5 you specified did not match what we received.");
  }
  if (std::string_view given = call.header("x-amz-content-sha256"); given.size() == 64) {
    if (to_hex(sha256(body)) != given)
      return failure(
          "XAmzContentSHA256Mismatch",
          "The provided 'x-amz-content-sha256' header does not match what was computed.");
  }
  for (ChecksumKind kind : checksum_kinds) {
    std::string_view given = call.header(header_of(kind));
    if (given.empty()) continue;
    Checksum checksum(kind);
    checksum.add(body);
    if (checksum.base64() != given)
      return failure("BadDigest", "The checksum you specified did not match the calculated one.");
  }
  return {};
}

struct Doomed {
  std::string key;
  std::string etag;  // only this version; empty: any
};

}  // namespace

io::Task<Outcome> delete_object(Call& call) {
  auto condition = condition_of_write(call);
  if (!condition) co_return std::unexpected(condition.error());
  if (condition->if_etag == "*") {
    auto there = co_await call.store.head(call.bucket, call.key);
    if (!there) co_return co_await object_failure(call, there.error());
    condition->if_etag.reset();
  }
  bool names_version = condition->if_etag.has_value();
  Status removed = co_await call.store.remove(call.bucket, call.key, std::move(*condition));
  if (!removed && names_version) co_return co_await object_failure(call, removed.error());
  if (!removed) {
    // Only the bucket can be missing: an absent object is as good as a removed one.
    if (removed.error().code() == Code::not_found) call.key.clear();
    co_return std::unexpected(failure_of(removed.error(), call));
  }
  call.response.status = 204;
  co_return Outcome{};
}

io::Task<Outcome> delete_objects(Call& call) {
  if (Outcome good = verify_list(call); !good) co_return good;
  auto list = codec::parse_xml(call.request.body);
  if (!list || list->name != "Delete")
    co_return failure("MalformedXML",
                      "The XML you provided was not well-formed or did not validate against our "
                      "published schema");
  bool quiet = list->text_of("Quiet") == "true";
  std::vector<Doomed> doomed;
  for (const codec::XmlElement& object : list->children) {
    if (object.name != "Object") continue;
    const codec::XmlElement* key = object.child("Key");
    if (key == nullptr || doomed.size() == keys_max)
      co_return failure("MalformedXML", "An Object has no Key, or there are more than 1000.");
    doomed.push_back({key->text, std::string(object.text_of("ETag"))});
  }
  auto there = co_await call.store.find_bucket(call.bucket);
  if (!there) co_return std::unexpected(failure_of(there.error(), call));
  std::string xml;
  codec::XmlWriter writer(xml);
  writer.declaration().begin("DeleteResult").attribute("xmlns", xml_namespace);
  for (auto& [key, etag] : doomed) {
    objects::Condition condition;
    if (!etag.empty()) condition.if_etag = without_quotes(etag);
    Status removed = co_await call.store.remove(call.bucket, key, std::move(condition));
    if (removed && !quiet) writer.begin("Deleted").element("Key", key).end();
    if (removed) continue;
    call.key = key;
    Failure why = failure_of(removed.error(), call);
    writer.begin("Error").element("Key", key).element("Code", why.code);
    writer.element("Message", why.message).end();
  }
  writer.end();
  answer_xml(call, std::move(xml));
  co_return Outcome{};
}

}  // namespace pinpipe::s3
