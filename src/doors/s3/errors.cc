// S3's error codes: which status each has, and which one an error of ours becomes.
#include <algorithm>
#include <array>

#include "codec/xml.h"
#include "doors/s3/call.h"
#include "objects/key_path.h"

namespace pinpipe::s3 {
namespace {

struct Known {
  std::string_view code;
  int status;
};
constexpr std::array known = {
    Known{"AccessDenied", 403},
    Known{"AuthorizationHeaderMalformed", 400},
    Known{"BucketAlreadyOwnedByYou", 409},
    Known{"BucketNotEmpty", 409},
    Known{"ConditionalRequestConflict", 409},
    Known{"EntityTooLarge", 400},
    Known{"InternalError", 500},
    Known{"InvalidAccessKeyId", 403},
    Known{"InvalidPartNumber", 416},
    Known{"InvalidRange", 416},
    Known{"MethodNotAllowed", 405},
    Known{"MissingContentLength", 411},
    Known{"NoSuchBucket", 404},
    Known{"NoSuchBucketPolicy", 404},
    Known{"NoSuchCORSConfiguration", 404},
    Known{"NoSuchKey", 404},
    Known{"NoSuchLifecycleConfiguration", 404},
    Known{"NoSuchPublicAccessBlockConfiguration", 404},
    Known{"NoSuchTagSet", 404},
    Known{"NoSuchUpload", 404},
    Known{"NoSuchVersion", 404},
    Known{"NoSuchWebsiteConfiguration", 404},
    Known{"NotImplemented", 501},
    Known{"NotModified", 304},
    Known{"ObjectLockConfigurationNotFoundError", 404},
    Known{"OwnershipControlsNotFoundError", 404},
    Known{"PreconditionFailed", 412},
    Known{"ReplicationConfigurationNotFoundError", 404},
    Known{"RequestTimeTooSkewed", 403},
    Known{"ServerSideEncryptionConfigurationNotFoundError", 404},
    Known{"SignatureDoesNotMatch", 403},
    Known{"SlowDown", 503},
};

}  // namespace

bool Call::has(std::string_view parameter) const {
  return codec::find_parameter(query, parameter).has_value();
}

std::string Call::text(std::string_view parameter) const {
  return std::string(codec::find_parameter(query, parameter).value_or(""));
}

std::string_view Call::header(std::string_view name) const {
  return request.headers.find(name).value_or("");
}

// All others are the client's mistakes.
int status_of(std::string_view code) {
  auto found = std::ranges::find(known, code, &Known::code);
  return found == known.end() ? 400 : found->status;
}

void answer_xml(Call& call, std::string xml) {
  call.response.set_body(200, "application/xml", std::move(xml));
}

void answer_failure(Call& call, const Failure& failure) {
  int status = status_of(failure.code);
  if (call.request.method == "HEAD" || status == 304) {
    call.response.status = status;
    call.response.body.clear();
    return;
  }
  std::string xml;
  codec::XmlWriter writer(xml);
  writer.declaration().begin("Error");
  writer.element("Code", failure.code).element("Message", failure.message);
  for (const auto& [name, value] : failure.fields) writer.element(name, value);
  writer.element("Resource", call.request.path());
  writer.element("RequestId", call.request_id).element("HostId", call.request_id).end();
  call.response.set_body(status, "application/xml", std::move(xml));
}

Failure failure_of(const Error& error, const Call& call) {
  switch (error.code()) {
    case Code::not_found:
      if (call.key.empty())
        return {
            "NoSuchBucket", "The specified bucket does not exist", {{"BucketName", call.bucket}}};
      return {"NoSuchKey", "The specified key does not exist.", {{"Key", call.key}}};
    case Code::invalid:
      if (call.key.empty() || !objects::check_bucket_name(call.bucket))
        return {"InvalidBucketName", error.text(), {{"BucketName", call.bucket}}};
      if (call.key.size() > 1024) return {"KeyTooLongError", "Your key is too long", {}};
      return {"InvalidArgument", error.text(), {}};
    case Code::denied:
      return {"AccessDenied", error.text(), {}};
    case Code::conflict:
      if (call.key.empty()) return {"BucketNotEmpty", error.text(), {{"BucketName", call.bucket}}};
      return {"PreconditionFailed",
              "At least one of the pre-conditions you specified did not hold",
              {{"Condition", call.request.headers.has("If-Match") ? "If-Match" : "If-None-Match"}}};
    case Code::busy:
    case Code::unavailable:
      return {"SlowDown", error.text(), {}};
    case Code::timeout:
      return {"RequestTimeout", error.text(), {}};
    case Code::corrupt:
    case Code::cancelled:
    case Code::internal:
      return {"InternalError", error.text(), {}};
  }
  return {"InternalError", error.text(), {}};
}

io::Task<Outcome> object_failure(Call& call, Error error) {
  if (error.code() == Code::not_found) {
    auto bucket = co_await call.store.find_bucket(call.bucket);
    if (!bucket && bucket.error().code() == Code::not_found) call.key.clear();
  }
  co_return std::unexpected(failure_of(error, call));
}

}  // namespace pinpipe::s3
