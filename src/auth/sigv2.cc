#include "auth/sigv2.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <map>

#include "auth/sigv4_canonical.h"
#include "base/ascii.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "codec/percent.h"

namespace pinpipe::auth {
namespace {

using Query = std::vector<codec::QueryParameter>;

// The parameters that name a part of the resource, and so are signed; in sorted order.
constexpr std::array<std::string_view, 35> signed_parameters = {"accelerate",
                                                                "acl",
                                                                "analytics",
                                                                "cors",
                                                                "defaultObjectAcl",
                                                                "delete",
                                                                "encryption",
                                                                "inventory",
                                                                "lifecycle",
                                                                "location",
                                                                "logging",
                                                                "metrics",
                                                                "notification",
                                                                "notificationConfiguration",
                                                                "partNumber",
                                                                "policy",
                                                                "replication",
                                                                "requestPayment",
                                                                "response-cache-control",
                                                                "response-content-disposition",
                                                                "response-content-encoding",
                                                                "response-content-language",
                                                                "response-content-type",
                                                                "response-expires",
                                                                "restore",
                                                                "select",
                                                                "select-type",
                                                                "tagging",
                                                                "torrent",
                                                                "uploadId",
                                                                "uploads",
                                                                "versionId",
                                                                "versioning",
                                                                "versions",
                                                                "website"};

std::string canonical_resource(std::string_view path, const Query& query) {
  Query kept;
  for (const auto& parameter : query) {
    if (std::ranges::find(signed_parameters, parameter.name) != signed_parameters.end()) {
      kept.push_back(parameter);
    }
  }
  std::ranges::sort(kept, {}, &codec::QueryParameter::name);
  std::string out(path);
  char separator = '?';
  for (const auto& parameter : kept) {
    out.push_back(std::exchange(separator, '&'));
    out += parameter.name;
    // Values are signed decoded, unlike in version 4.
    if (parameter.has_value) out.append("=").append(parameter.value);
  }
  return out;
}

// The x-amz-* headers and, in a query signature, parameters, one a line, sorted.
std::string canonical_amz_headers(const RequestView& request, const Query& query) {
  std::map<std::string, std::string> values;
  auto add = [&](std::string name, std::string_view value) {
    if (!name.starts_with("x-amz-")) return;
    auto [at, is_new] = values.emplace(std::move(name), value);
    if (!is_new) at->second.append(",").append(value);
  };
  for (const auto& [name, value] : request.headers) {
    std::string lower_name = lowered(name);
    if (lower_name.starts_with("x-amz-") && !values.contains(lower_name)) {
      std::string joined = canonical_header(request, lower_name);
      add(std::move(lower_name), joined);
    }
  }
  for (const auto& parameter : query) add(lowered(parameter.name), parameter.value);
  std::string out;
  for (const auto& [name, value] : values) out += fmt::format("{}:{}\n", name, value);
  return out;
}

std::unexpected<SignatureFailure> fail(SignatureFault fault, std::string text,
                                       std::string_view key) {
  return std::unexpected(SignatureFailure{fault, std::move(text), std::string(key), {}, {}});
}

}  // namespace

bool has_sigv2(const RequestView& request) {
  return request.query.find("AWSAccessKeyId=") != std::string_view::npos &&
         request.query.find("Signature=") != std::string_view::npos &&
         !find_header(request, "authorization");
}

std::expected<VerifiedRequest, SignatureFailure> verify_sigv2(const RequestView& request,
                                                              std::string_view resource_path,
                                                              const Credentials& credentials,
                                                              int64_t wall_ms) {
  auto query = codec::parse_query(request.query, false);
  if (!query) return fail(SignatureFault::malformed, query.error().text(), "");
  auto get = [&](std::string_view name) {
    return codec::find_parameter(*query, name).value_or("");
  };
  std::string_view key = get("AWSAccessKeyId");
  std::string_view signature = get("Signature");
  std::string_view expires = get("Expires");
  int64_t expires_s = 0;
  auto [end, failed] = std::from_chars(expires.data(), expires.data() + expires.size(), expires_s);
  if (key.empty() || signature.empty() || failed != std::errc() ||
      end != expires.data() + expires.size()) {
    return fail(SignatureFault::malformed,
                "Query-string authentication requires the Signature, Expires and AWSAccessKeyId "
                "parameters",
                key);
  }
  const Credential* credential = credentials.find(key);
  if (credential == nullptr) {
    return fail(SignatureFault::unknown_key,
                "The AWS Access Key Id you provided does not exist in our records.", key);
  }
  if (!equal_constant_time(credential->session_token, get("x-amz-security-token"))) {
    return fail(SignatureFault::bad_token, "The provided token is malformed or otherwise invalid.",
                key);
  }
  if (wall_ms / 1000 > expires_s) {
    return fail(SignatureFault::link_expired, "Request has expired", key);
  }
  std::string to_sign = fmt::format(
      "{}\n{}\n{}\n{}\n{}{}", request.method, find_header(request, "content-md5").value_or(""),
      find_header(request, "content-type").value_or(""), expires,
      canonical_amz_headers(request, *query), canonical_resource(resource_path, *query));
  if (!equal_constant_time(to_base64(hmac_sha1(credential->secret, to_sign)), signature)) {
    return std::unexpected(SignatureFailure{
        SignatureFault::mismatch,
        "The request signature we calculated does not match the signature you provided.",
        std::string(key),
        {},
        std::move(to_sign)});
  }
  VerifiedRequest verified;
  verified.principal = credential->principal;
  verified.access_key = key;
  verified.payload_hash = unsigned_payload;
  verified.is_presigned = true;
  return verified;
}

}  // namespace pinpipe::auth
