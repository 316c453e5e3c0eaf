// Buckets: list, make, look, remove, and the settings that every client asks about.
#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "codec/xml.h"
#include "doors/s3/door.h"
#include "doors/s3/xml_names.h"

namespace pinpipe::s3 {
namespace {

constexpr size_t buckets_max = 10'000;  // in one answer

Outcome answer_empty(Call& call, std::string_view element) {
  std::string xml;
  codec::XmlWriter writer(xml);
  writer.declaration().begin(element).attribute("xmlns", xml_namespace).end();
  answer_xml(call, std::move(xml));
  return {};
}

Outcome answer_location(Call& call, const std::string& region) {
  std::string xml;
  codec::XmlWriter writer(xml);
  writer.declaration().begin("LocationConstraint").attribute("xmlns", xml_namespace);
  if (region != "us-east-1") writer.text(region);
  writer.end();
  answer_xml(call, std::move(xml));
  return {};
}

Outcome answer_acl(Call& call) {
  std::string xml;
  codec::XmlWriter writer(xml);
  writer.declaration().begin("AccessControlPolicy").attribute("xmlns", xml_namespace);
  write_owner(writer);
  writer.begin("AccessControlList").begin("Grant");
  writer.begin("Grantee")
      .attribute("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
      .attribute("xsi:type", "CanonicalUser")
      .element("ID", owner_id)
      .element("DisplayName", "pinpipe")
      .end();
  writer.element("Permission", "FULL_CONTROL").end().end().end();
  answer_xml(call, std::move(xml));
  return {};
}

Outcome answer_payer(Call& call) {
  std::string xml;
  codec::XmlWriter writer(xml);
  writer.declaration().begin("RequestPaymentConfiguration").attribute("xmlns", xml_namespace);
  writer.element("Payer", "BucketOwner").end();
  answer_xml(call, std::move(xml));
  return {};
}

// What a bucket without this setting answers.
struct Absent {
  std::string_view parameter;
  std::string_view code;     // an error, or
  std::string_view element;  // an empty document
};
constexpr Absent absent_settings[] = {
    {"versioning", "", "VersioningConfiguration"},
    {"logging", "", "BucketLoggingStatus"},
    {"notification", "", "NotificationConfiguration"},
    {"accelerate", "", "AccelerateConfiguration"},
    {"policy", "NoSuchBucketPolicy", ""},
    {"cors", "NoSuchCORSConfiguration", ""},
    {"lifecycle", "NoSuchLifecycleConfiguration", ""},
    {"encryption", "ServerSideEncryptionConfigurationNotFoundError", ""},
    {"tagging", "NoSuchTagSet", ""},
    {"website", "NoSuchWebsiteConfiguration", ""},
    {"replication", "ReplicationConfigurationNotFoundError", ""},
    {"object-lock", "ObjectLockConfigurationNotFoundError", ""},
    {"ownershipControls", "OwnershipControlsNotFoundError", ""},
    {"publicAccessBlock", "NoSuchPublicAccessBlockConfiguration", ""},
};

}  // namespace

io::Task<Outcome> list_buckets(Call& call, const std::string& region) {
  size_t left = buckets_max;
  if (call.has("max-buckets")) {
    std::string text = call.text("max-buckets");
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), left);
    bool whole = error == std::errc() && end == text.data() + text.size();
    if (!whole || left < 1 || left > buckets_max)
      co_return failure("InvalidArgument", "max-buckets is a number from 1 to 10000");
  }
  auto after = from_base64(call.text("continuation-token"));
  if (!after) co_return failure("InvalidArgument", "The continuation token provided is incorrect");
  auto buckets = co_await call.store.list_buckets();
  if (!buckets) co_return std::unexpected(failure_of(buckets.error(), call));
  std::string prefix = call.text("prefix");
  std::erase_if(*buckets, [&](const objects::BucketFacts& bucket) {
    return !bucket.name.starts_with(prefix) || bucket.name <= *after;
  });
  bool is_cut = buckets->size() > left;
  if (is_cut) buckets->resize(left);
  std::string xml;
  codec::XmlWriter writer(xml);
  writer.declaration().begin("ListAllMyBucketsResult").attribute("xmlns", xml_namespace);
  write_owner(writer);
  writer.begin("Buckets");
  for (const objects::BucketFacts& bucket : *buckets) {
    writer.begin("Bucket").element("Name", bucket.name);
    writer.element("CreationDate", to_rfc3339(bucket.created_ms));
    writer.element("BucketRegion", region).end();
  }
  writer.end();
  if (is_cut) writer.element("ContinuationToken", to_base64(buckets->back().name));
  if (!prefix.empty()) writer.element("Prefix", prefix);
  writer.end();
  answer_xml(call, std::move(xml));
  co_return Outcome{};
}

io::Task<Outcome> create_bucket(Call& call, const std::string& region) {
  if (!call.request.body.empty()) {
    auto wanted = codec::parse_xml(call.request.body);
    if (!wanted) co_return failure("MalformedXML", wanted.error().text());
  }
  Status made = co_await call.store.create_bucket(call.bucket);
  // In us-east-1 making one's own bucket again is no error.
  bool is_there = !made && made.error().code() == Code::conflict;
  if (is_there && region != "us-east-1")
    co_return failure("BucketAlreadyOwnedByYou",
                      "Your previous request to create the named bucket succeeded and you already "
                      "own it.");
  if (!made && !is_there) co_return std::unexpected(failure_of(made.error(), call));
  call.response.status = 200;
  call.response.headers.set("Location", "/" + call.bucket);
  co_return Outcome{};
}

io::Task<Outcome> head_bucket(Call& call, const std::string& region) {
  auto found = co_await call.store.find_bucket(call.bucket);
  if (!found) co_return std::unexpected(failure_of(found.error(), call));
  call.response.status = 200;
  call.response.headers.set("x-amz-bucket-region", region);
  co_return Outcome{};
}

io::Task<Outcome> delete_bucket(Call& call) {
  Status removed = co_await call.store.remove_bucket(call.bucket);
  if (!removed) co_return std::unexpected(failure_of(removed.error(), call));
  call.response.status = 204;
  co_return Outcome{};
}

io::Task<Outcome> bucket_setting(Call& call, const std::string& region) {
  auto found = co_await call.store.find_bucket(call.bucket);
  if (!found) co_return std::unexpected(failure_of(found.error(), call));
  if (call.request.method != "GET")
    co_return failure("NotImplemented", "Buckets have no settings that could be changed here.");
  if (call.has("location")) co_return answer_location(call, region);
  if (call.has("acl")) co_return answer_acl(call);
  if (call.has("requestPayment")) co_return answer_payer(call);
  for (const Absent& setting : absent_settings) {
    if (!call.has(setting.parameter)) continue;
    if (setting.code.empty()) co_return answer_empty(call, setting.element);
    co_return failure(setting.code, "The bucket has no such configuration.");
  }
  co_return failure("NotImplemented",
                    "A parameter you provided implies functionality that is not implemented.");
}

io::Task<Outcome> object_setting(Call& call) {
  auto found = co_await call.store.head(call.bucket, call.key);
  if (!found) co_return co_await object_failure(call, found.error());
  if (call.request.method == "GET" && call.has("acl")) co_return answer_acl(call);
  if (call.request.method == "GET" && call.has("tagging")) {
    std::string xml;
    codec::XmlWriter writer(xml);
    writer.declaration().begin("Tagging").attribute("xmlns", xml_namespace);
    writer.begin("TagSet").end().end();
    answer_xml(call, std::move(xml));
    co_return Outcome{};
  }
  co_return failure("NotImplemented",
                    "A parameter you provided implies functionality that is not implemented.");
}

}  // namespace pinpipe::s3
