#include "doors/kinesis/signature.h"

#include <array>
#include <fmt/format.h>

#include "auth/sigv4.h"
#include "base/bytes.h"
#include "base/hash.h"

namespace pinpipe::kinesis {
namespace {

// "Name=value" in "AWS4-HMAC-SHA256 Name=value, Name=value".
std::string_view part_of(std::string_view authorization, std::string_view name) {
  size_t at = authorization.find(' ');
  while (at < authorization.size()) {
    size_t begin = authorization.find_first_not_of(", ", at);
    if (begin == std::string_view::npos) return {};
    size_t end = std::min(authorization.find_first_of(", ", begin), authorization.size());
    std::string_view part = authorization.substr(begin, end - begin);
    if (part.starts_with(name) && part.substr(name.size()).starts_with('='))
      return part.substr(name.size() + 1);
    at = end;
  }
  return {};
}

std::string header_problems(const http::Request& request, std::string_view authorization) {
  std::string text;
  for (std::string_view name : {"Credential", "Signature", "SignedHeaders"}) {
    if (part_of(authorization, name).empty())
      text += fmt::format("Authorization header requires '{}' parameter. ", name);
  }
  if (!request.headers.has("x-amz-date") && !request.headers.has("date"))
    text += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  if (!text.empty()) text += fmt::format("Authorization={}", authorization);
  return text;
}

std::string query_problems(const http::Request& request) {
  std::string text;
  for (std::string_view name : {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature",
                                "X-Amz-SignedHeaders", "X-Amz-Date"}) {
    if (request.query_param(name).value_or("").empty())
      text += fmt::format("AWS query-string parameters must include '{}'. ", name);
  }
  if (!text.empty()) text += "Re-examine the query-string parameters.";
  return text;
}

Failure signature_failure(const auth::SignatureFailure& failure) {
  switch (failure.fault) {
    case auth::SignatureFault::unknown_key:
    case auth::SignatureFault::bad_token:
      return {"UnrecognizedClientException",
              "The security token included in the request is invalid."};
    case auth::SignatureFault::missing:
      return {"MissingAuthenticationTokenException", "Missing Authentication Token"};
    case auth::SignatureFault::malformed:
      return {"IncompleteSignatureException", failure.text};
    case auth::SignatureFault::mismatch:
      return {"InvalidSignatureException",
              "The request signature we calculated does not match the signature you provided. "
              "Check your AWS Secret Access Key and signing method. Consult the service "
              "documentation for details."};
    default:
      return {"InvalidSignatureException", failure.text};
  }
}

}  // namespace

std::optional<Failure> signature_form_problem(const http::Request& request) {
  auto authorization = request.headers.find("authorization");
  bool in_query = request.query_param("X-Amz-Algorithm").has_value();
  if (authorization && in_query)
    return Failure{"InvalidSignatureException",
                   "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as "
                   "HTTP header."};
  if (!authorization && !in_query)
    return Failure{"MissingAuthenticationTokenException", "Missing Authentication Token"};
  std::string problems =
      authorization ? header_problems(request, *authorization) : query_problems(request);
  if (problems.empty()) return std::nullopt;
  return Failure{"IncompleteSignatureException", std::move(problems)};
}

std::string_view region_of_signature(const http::Request& request) {
  auto authorization = request.headers.find("authorization");
  if (!authorization) return {};
  std::string_view scope = part_of(*authorization, "Credential");
  for (int i = 0; i < 2; ++i) {
    size_t slash = scope.find('/');
    if (slash == std::string_view::npos) return {};
    scope.remove_prefix(slash + 1);
  }
  return scope.substr(0, scope.find('/'));
}

std::expected<auth::Principal, Failure> verify_signature(const http::Request& request,
                                                         const auth::Credentials& credentials,
                                                         int64_t wall_ms) {
  auth::RequestView view{.method = request.method,
                         .path = request.path(),
                         .query = request.query(),
                         .headers = {},
                         .payload_hash = to_hex(sha256(request.body))};
  for (const http::Headers::Line& line : request.headers.lines())
    view.headers.emplace_back(line.first, line.second);
  auto verified =
      auth::verify_sigv4(view, credentials, {.service = "kinesis", .region = {}}, wall_ms);
  if (!verified) return std::unexpected(signature_failure(verified.error()));
  // A signed hash of another body is no signature of this one.
  if (verified->payload_hash != view.payload_hash)
    return std::unexpected(signature_failure({.fault = auth::SignatureFault::mismatch,
                                              .text = {},
                                              .access_key = {},
                                              .canonical_request = {},
                                              .string_to_sign = {}}));
  return verified->principal;
}

}  // namespace pinpipe::kinesis
