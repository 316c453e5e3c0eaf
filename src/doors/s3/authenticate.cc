// Who a request to the S3 door comes from: SigV4 in headers or in the query, SigV2 in the query.
#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "doors/s3/door.h"

namespace pinpipe::s3 {
namespace {

constexpr int64_t skew_ms_max = 15 * 60 * 1000;

Failure failure_of_signature(const auth::SignatureFailure& why) {
  using auth::SignatureFault;
  switch (why.fault) {
    case SignatureFault::missing:
    case SignatureFault::unsigned_header:
      return {"AccessDenied", why.text, {}};
    case SignatureFault::malformed:
    case SignatureFault::wrong_scope:
      return {"AuthorizationHeaderMalformed", why.text, {}};
    case SignatureFault::unknown_key:
      return {"InvalidAccessKeyId",
              "The AWS Access Key Id you provided does not exist in our records.",
              {{"AWSAccessKeyId", why.access_key}}};
    case SignatureFault::bad_token:
      return {"InvalidToken", "The provided token is malformed or otherwise invalid.", {}};
    case SignatureFault::mismatch:
      return {
          "SignatureDoesNotMatch",
          "The request signature we calculated does not match the signature you provided. Check "
          "your key and signing method.",
          {{"AWSAccessKeyId", why.access_key},
           {"StringToSign", why.string_to_sign},
           {"CanonicalRequest", why.canonical_request}}};
    case SignatureFault::expired:
    case SignatureFault::not_yet:
      return {"RequestTimeTooSkewed",
              "The difference between the request time and the current time is too large.",
              {}};
    case SignatureFault::link_expired:
      return {"AccessDenied", "Request has expired", {}};
  }
  return {"AccessDenied", why.text, {}};
}

// Version 2, which boto3 and the AWS CLI still use for presigned links.
struct LinkV2 {
  std::string access_key, signature, expires;
};

std::string string_to_sign_v2(const Call& call, const LinkV2& link) {
  std::string text = call.request.method + "\n" + std::string(call.header("Content-MD5")) + "\n" +
                     std::string(call.header("Content-Type")) + "\n" + link.expires + "\n";
  std::vector<std::pair<std::string, std::string>> amz;
  for (const auto& [name, value] : call.request.headers.lines()) {
    std::string low = lowered(name);
    if (low.starts_with("x-amz-")) amz.emplace_back(std::move(low), value);
  }
  std::ranges::sort(amz);
  for (const auto& [name, value] : amz) text += name + ":" + value + "\n";
  text += "/" + call.bucket + "/" + codec::percent_encode_path(call.key);
  std::vector<std::string> resources;
  for (const codec::QueryParameter& parameter : call.query) {
    static constexpr std::string_view signed_names[] = {"acl",
                                                        "partNumber",
                                                        "response-cache-control",
                                                        "response-content-disposition",
                                                        "response-content-encoding",
                                                        "response-content-language",
                                                        "response-content-type",
                                                        "response-expires",
                                                        "tagging",
                                                        "uploadId",
                                                        "uploads",
                                                        "versionId"};
    if (std::ranges::find(signed_names, parameter.name) == std::end(signed_names)) continue;
    resources.push_back(parameter.name + (parameter.has_value ? "=" + parameter.value : ""));
  }
  std::ranges::sort(resources);
  for (size_t i = 0; i < resources.size(); ++i) text += (i == 0 ? "?" : "&") + resources[i];
  return text;
}

}  // namespace

Outcome Door::authenticate(Call& call) const {
  auto credentials = parts_.credentials();
  if (call.has("AWSAccessKeyId") && call.has("Signature")) {
    LinkV2 link{call.text("AWSAccessKeyId"), call.text("Signature"), call.text("Expires")};
    int64_t expires_s = 0;
    std::from_chars(link.expires.data(), link.expires.data() + link.expires.size(), expires_s);
    if (expires_s * 1'000 < parts_.clock.wall_ms())
      return failure("AccessDenied", "Request has expired");
    const auth::Credential* known = credentials->find(link.access_key);
    if (known != nullptr) {
      std::string right = to_base64(hmac_sha1(known->secret, string_to_sign_v2(call, link)));
      if (!equal_constant_time(right, link.signature))
        return failure("SignatureDoesNotMatch",
                       "The request signature we calculated does not match the signature you "
                       "provided. Check your key and signing method.");
    } else if (options_.auth_required) {
      return failure("InvalidAccessKeyId",
                     "The AWS Access Key Id you provided does not exist in our records.");
    }
    call.store = parts_.objects.as(known != nullptr ? known->principal : auth::local_principal());
    return {};
  }
  auth::RequestView view;
  view.method = call.request.method;
  view.path = call.request.path();
  view.query = call.request.query();
  for (const auto& [name, value] : call.request.headers.lines())
    view.headers.emplace_back(name, value);
  auth::VerifyOptions options;
  options.skew_ms_max = skew_ms_max;
  options.service = "s3";
  auto verified = auth::verify_sigv4(view, *credentials, options, parts_.clock.wall_ms());
  if (verified) {
    call.store = parts_.objects.as(verified->principal);
    call.verified = std::move(*verified);
    return {};
  }
  bool is_stranger = verified.error().fault == auth::SignatureFault::missing ||
                     verified.error().fault == auth::SignatureFault::unknown_key;
  // A form brings its signature among its fields.
  if (is_form(call.request) && verified.error().fault == auth::SignatureFault::missing) return {};
  if (options_.auth_required || !is_stranger)
    return std::unexpected(failure_of_signature(verified.error()));
  if (Outcome good = check_link(call); !good) return good;
  call.store = parts_.objects.as(auth::local_principal());
  return {};
}

// A link of a key that nobody knows cannot be verified, but it is still over when it says so.
Outcome Door::check_link(const Call& call) const {
  std::string date = call.text("X-Amz-Date");
  std::string lifetime = call.text("X-Amz-Expires");
  if (date.size() != 16 || lifetime.empty()) return {};
  int64_t seconds = 0;
  std::from_chars(lifetime.data(), lifetime.data() + lifetime.size(), seconds);
  // yyyymmddThhmmssZ
  auto signed_ms =
      from_rfc3339(date.substr(0, 4) + "-" + date.substr(4, 2) + "-" + date.substr(6, 5) + ":" +
                   date.substr(11, 2) + ":" + date.substr(13));
  if (!signed_ms || seconds < 1 || seconds > auth::link_lifetime_s_max)
    return failure("AuthorizationQueryParametersError",
                   "X-Amz-Expires must be from 1 to 604800 seconds after a valid X-Amz-Date");
  if (parts_.clock.wall_ms() > *signed_ms + seconds * 1'000)
    return failure("AccessDenied", "Request has expired");
  return {};
}

}  // namespace pinpipe::s3
