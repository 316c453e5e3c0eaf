#include "auth/sigv4.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <unordered_map>

#include "auth/sigv4_canonical.h"
#include "base/ascii.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"
#include "codec/percent.h"

namespace pinpipe::auth {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view content_hash_header = "x-amz-content-sha256";
constexpr std::string_view date_header = "x-amz-date";
constexpr std::string_view token_header = "x-amz-security-token";
constexpr std::string_view signature_parameter = "X-Amz-Signature";

// Proxies add or change these, so a signature over them would break on the way.
constexpr std::array<std::string_view, 9> never_signed = {
    "authorization", "accept-encoding",   "connection",     "expect", "keep-alive", "te",
    "user-agent",    "transfer-encoding", "x-amzn-trace-id"};

std::string scope_of(std::string_view day, const SigningTarget& target) {
  return fmt::format("{}/{}/{}/aws4_request", day, target.region, target.service);
}

// What a signature says about itself, wherever it stood.
struct Claim {
  std::string access_key;
  std::string day;
  SigningTarget target;
  std::vector<std::string> signed_headers;
  std::string signature;
  std::string amz_date;
  int64_t signed_at_ms = 0;
  std::string token;
  bool is_presigned = false;
  int64_t lifetime_s = 0;
};

using Failure = SignatureFailure;
template <class T>
using Outcome = std::expected<T, Failure>;

std::unexpected<Failure> fail(SignatureFault fault, std::string text, std::string_view key = {}) {
  return std::unexpected(Failure{fault, std::move(text), std::string(key), {}, {}});
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// Credential "AKID/day/region/service/aws4_request" and the list of signed headers.
Outcome<void> read_credential_and_headers(std::string_view credential, std::string_view headers,
                                          Claim& claim) {
  auto parts = split(credential, '/');
  // An access key may hold slashes itself; the scope is the last four parts.
  if (parts.size() < 5 || parts.back() != "aws4_request" || parts[parts.size() - 4].size() != 8) {
    return fail(SignatureFault::malformed,
                fmt::format("Credential '{}' is not <key>/<day>/<region>/<service>/aws4_request",
                            credential));
  }
  const size_t first = parts.size() - 4;
  claim.day = parts[first];
  claim.target = {parts[first + 1], parts[first + 2]};
  parts.resize(first);
  claim.access_key = fmt::format("{}", fmt::join(parts, "/"));
  claim.signed_headers = split(headers, ';');
  if (claim.signed_headers.size() > signed_headers_max) {
    return fail(SignatureFault::malformed, "too many signed headers", claim.access_key);
  }
  for (std::string& name : claim.signed_headers) name = lowered(name);
  if (std::ranges::find(claim.signed_headers, "host") == claim.signed_headers.end()) {
    return fail(SignatureFault::malformed, "SignedHeaders must contain 'host'", claim.access_key);
  }
  return {};
}

Outcome<Claim> claim_of_header(const RequestView& request, std::string_view authorization) {
  authorization.remove_prefix(algorithm.size());
  std::string_view credential;
  std::string_view headers;
  Claim claim;
  while (!authorization.empty()) {
    const size_t end = std::min(authorization.find(','), authorization.size());
    std::string_view part = authorization.substr(0, end);
    authorization.remove_prefix(std::min(end + 1, authorization.size()));
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    const size_t equals = std::min(part.find('='), part.size());
    std::string_view value = part.substr(std::min(equals + 1, part.size()));
    if (part.starts_with("Credential=")) credential = value;
    if (part.starts_with("SignedHeaders=")) headers = value;
    if (part.starts_with("Signature=")) claim.signature = value;
  }
  if (credential.empty() || headers.empty() || claim.signature.empty()) {
    return fail(SignatureFault::malformed,
                "Authorization must contain Credential, SignedHeaders and Signature");
  }
  if (auto read = read_credential_and_headers(credential, headers, claim); !read) {
    return std::unexpected(read.error());
  }
  auto amz_date = find_header(request, date_header);
  auto http_date = find_header(request, "date");
  std::optional<int64_t> at;
  if (amz_date) {
    at = from_amz_date(*amz_date);
  } else if (http_date) {
    at = from_http_date(*http_date);
    if (!at) at = from_amz_date(*http_date);
  }
  if (!at) {
    return fail(SignatureFault::malformed, "a valid X-Amz-Date or Date header is missing",
                claim.access_key);
  }
  claim.signed_at_ms = *at;
  claim.amz_date = to_amz_date(*at);
  claim.token = find_header(request, token_header).value_or("");
  return claim;
}

Outcome<Claim> claim_of_query(const std::vector<codec::QueryParameter>& query) {
  auto get = [&](std::string_view name) { return codec::find_parameter(query, name).value_or(""); };
  Claim claim;
  claim.is_presigned = true;
  claim.signature = get(signature_parameter);
  claim.amz_date = get("X-Amz-Date");
  claim.token = get("X-Amz-Security-Token");
  std::string_view lifetime = get("X-Amz-Expires");
  auto [end, failed] =
      std::from_chars(lifetime.data(), lifetime.data() + lifetime.size(), claim.lifetime_s);
  auto at = from_amz_date(claim.amz_date);
  if (failed != std::errc() || end != lifetime.data() + lifetime.size() || claim.lifetime_s < 1 ||
      claim.lifetime_s > link_lifetime_s_max) {
    return fail(SignatureFault::malformed,
                fmt::format("X-Amz-Expires must be between 1 and {} seconds", link_lifetime_s_max));
  }
  if (!at || claim.signature.empty()) {
    return fail(SignatureFault::malformed, "X-Amz-Date or X-Amz-Signature is missing or malformed");
  }
  claim.signed_at_ms = *at;
  if (auto read =
          read_credential_and_headers(get("X-Amz-Credential"), get("X-Amz-SignedHeaders"), claim);
      !read) {
    return std::unexpected(read.error());
  }
  return claim;
}

Outcome<void> check_time(const Claim& claim, const VerifyOptions& options, int64_t wall_ms) {
  if (!claim.amz_date.starts_with(claim.day)) {
    return fail(SignatureFault::malformed, "the date of the request is not the credential's day",
                claim.access_key);
  }
  const std::string now = to_amz_date(wall_ms);
  if (claim.signed_at_ms > wall_ms + options.skew_ms_max) {
    return fail(SignatureFault::not_yet,
                fmt::format("Signature not yet current: {} is still later than {} ({} + {} min.)",
                            claim.amz_date, to_amz_date(wall_ms + options.skew_ms_max), now,
                            options.skew_ms_max / 60'000),
                claim.access_key);
  }
  if (claim.is_presigned) {
    if (wall_ms > claim.signed_at_ms + claim.lifetime_s * 1000) {
      return fail(SignatureFault::link_expired, "Request has expired", claim.access_key);
    }
  } else if (claim.signed_at_ms < wall_ms - options.skew_ms_max) {
    return fail(
        SignatureFault::expired,
        fmt::format("Signature expired: {} is now earlier than {} ({} - {} min.)", claim.amz_date,
                    to_amz_date(wall_ms - options.skew_ms_max), now, options.skew_ms_max / 60'000),
        claim.access_key);
  }
  return {};
}

Outcome<void> check_scope(const Claim& claim, const VerifyOptions& options) {
  auto differs = [](const std::string& demanded, const std::string& given) {
    return !demanded.empty() && demanded != given;
  };
  if (differs(options.service, claim.target.service) ||
      differs(options.region, claim.target.region)) {
    return fail(
        SignatureFault::wrong_scope,
        fmt::format("the signature is for region '{}' and service '{}', expected '{}' and '{}'",
                    claim.target.region, claim.target.service,
                    options.region.empty() ? claim.target.region : options.region,
                    options.service.empty() ? claim.target.service : options.service),
        claim.access_key);
  }
  return {};
}

Outcome<void> check_headers_are_signed(const RequestView& request, const Claim& claim) {
  for (const auto& [name, value] : request.headers) {
    std::string lower_name = lowered(name);
    if (!lower_name.starts_with("x-amz-")) continue;
    if (std::ranges::find(claim.signed_headers, lower_name) == claim.signed_headers.end()) {
      return fail(SignatureFault::unsigned_header,
                  fmt::format("There were headers present in the request which were not signed: {}",
                              lower_name),
                  claim.access_key);
    }
  }
  return {};
}

Outcome<Claim> claim_of(const RequestView& request) {
  if (auto authorization = find_header(request, "authorization")) {
    if (!authorization->starts_with(algorithm)) {
      return fail(SignatureFault::malformed, "Authorization is not AWS4-HMAC-SHA256");
    }
    return claim_of_header(request, *authorization);
  }
  auto query = codec::parse_query(request.query, false);
  if (!query) return fail(SignatureFault::malformed, query.error().text());
  auto named = codec::find_parameter(*query, "X-Amz-Algorithm");
  if (!named) return fail(SignatureFault::missing, "Missing Authentication Token");
  if (*named != algorithm)
    return fail(SignatureFault::malformed, "X-Amz-Algorithm is not supported");
  return claim_of_query(*query);
}

std::string payload_hash_of(const RequestView& request, const Claim& claim, bool is_s3) {
  if (is_s3 || request.payload_hash.empty()) {
    if (auto hash = find_header(request, content_hash_header)) return std::string(*hash);
  }
  if (is_s3 && claim.is_presigned) return std::string(unsigned_payload);
  return request.payload_hash.empty() ? to_hex(sha256("")) : request.payload_hash;
}

}  // namespace

std::string signing_key(std::string_view secret, std::string_view day,
                        const SigningTarget& target) {
  // Per thread, so that nothing is shared; the secret is part of the key, so a changed one never
  // meets an old entry.
  static thread_local std::unordered_map<std::string, std::string> cache;
  std::string name = fmt::format("{}\n{}\n{}\n{}", day, target.region, target.service, secret);
  if (auto found = cache.find(name); found != cache.end()) return found->second;
  std::string key = hmac_sha256(fmt::format("AWS4{}", secret), day);
  key = hmac_sha256(key, target.region);
  key = hmac_sha256(key, target.service);
  key = hmac_sha256(key, "aws4_request");
  if (cache.size() == keys_cached_max) cache.clear();
  cache.emplace(std::move(name), key);
  return key;
}

bool has_sigv4(const RequestView& request) {
  auto authorization = find_header(request, "authorization");
  if (authorization) return authorization->starts_with(algorithm);
  return request.query.find("X-Amz-Algorithm=") != std::string_view::npos;
}

Outcome<VerifiedRequest> verify_sigv4(const RequestView& request, const Credentials& credentials,
                                      const VerifyOptions& options, int64_t wall_ms) {
  auto claim = claim_of(request);
  if (!claim) return std::unexpected(std::move(claim.error()));
  const bool is_s3 = claim->target.service == "s3";
  auto scoped = check_scope(*claim, options);
  if (!scoped) return std::unexpected(std::move(scoped.error()));
  const Credential* credential = credentials.find(claim->access_key);
  if (credential == nullptr) {
    return fail(SignatureFault::unknown_key,
                "The security token included in the request is invalid.", claim->access_key);
  }
  if (!equal_constant_time(credential->session_token, claim->token)) {
    return fail(SignatureFault::bad_token, "The security token included in the request is invalid.",
                claim->access_key);
  }
  auto timely = check_time(*claim, options, wall_ms);
  if (!timely) return std::unexpected(std::move(timely.error()));
  if (is_s3) {
    auto covered = check_headers_are_signed(request, *claim);
    if (!covered) return std::unexpected(std::move(covered.error()));
  }
  std::string payload_hash = payload_hash_of(request, *claim, is_s3);
  std::string canonical =
      canonical_request(request, claim->signed_headers,
                        claim->is_presigned ? signature_parameter : "", payload_hash, is_s3);
  std::string scope = scope_of(claim->day, claim->target);
  std::string to_sign = string_to_sign(claim->amz_date, scope, canonical);
  std::string key = signing_key(credential->secret, claim->day, claim->target);
  if (!equal_constant_time(to_hex(hmac_sha256(key, to_sign)), claim->signature)) {
    return std::unexpected(
        Failure{SignatureFault::mismatch,
                "The request signature we calculated does not match the signature you provided.",
                claim->access_key, std::move(canonical), std::move(to_sign)});
  }
  return VerifiedRequest{credential->principal, claim->access_key,     std::move(payload_hash),
                         claim->signature,      claim->amz_date,       std::move(scope),
                         claim->target.region,  claim->target.service, std::move(key),
                         claim->is_presigned};
}

HeaderList sign_headers(const RequestView& request, const Credential& credential,
                        const SigningTarget& target, int64_t wall_ms) {
  const bool is_s3 = target.service == "s3";
  const std::string amz_date = to_amz_date(wall_ms);
  const std::string payload_hash =
      request.payload_hash.empty() ? to_hex(sha256("")) : request.payload_hash;
  HeaderList added;
  added.emplace_back(date_header, amz_date);
  if (is_s3) added.emplace_back(content_hash_header, payload_hash);
  if (!credential.session_token.empty()) added.emplace_back(token_header, credential.session_token);

  RequestView whole = request;
  std::erase_if(whole.headers, [&](const auto& header) {
    std::string name = lowered(header.first);
    return std::ranges::find(never_signed, name) != never_signed.end() ||
           std::ranges::any_of(added, [&](const auto& own) { return own.first == name; });
  });
  for (const auto& [name, value] : added) whole.headers.emplace_back(name, value);
  std::vector<std::string> names;
  for (const auto& [name, value] : whole.headers) names.push_back(lowered(name));
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  CHECK(std::ranges::find(names, "host") != names.end(), "a request to sign has a host header");

  const std::string day = amz_date.substr(0, 8);
  const std::string scope = scope_of(day, target);
  std::string to_sign =
      string_to_sign(amz_date, scope, canonical_request(whole, names, "", payload_hash, is_s3));
  std::string signature = to_hex(hmac_sha256(signing_key(credential.secret, day, target), to_sign));
  added.emplace_back("authorization",
                     fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", algorithm,
                                 credential.access_key, scope, fmt::join(names, ";"), signature));
  return added;
}

std::string presign_query(const RequestView& request, const Credential& credential,
                          const SigningTarget& target, int64_t wall_ms, int64_t lifetime_s) {
  const bool is_s3 = target.service == "s3";
  const std::string amz_date = to_amz_date(wall_ms);
  const std::string day = amz_date.substr(0, 8);
  const std::string scope = scope_of(day, target);
  std::vector<std::string> names = {"host"};
  std::string query(request.query);
  auto add = [&](std::string_view name, std::string_view value) {
    if (!query.empty()) query.push_back('&');
    query += fmt::format("{}={}", name, codec::percent_encode(value));
  };
  add("X-Amz-Algorithm", algorithm);
  add("X-Amz-Credential", fmt::format("{}/{}", credential.access_key, scope));
  add("X-Amz-Date", amz_date);
  add("X-Amz-Expires", fmt::format("{}", lifetime_s));
  if (!credential.session_token.empty()) add("X-Amz-Security-Token", credential.session_token);
  add("X-Amz-SignedHeaders", "host");

  RequestView whole = request;
  whole.query = query;
  std::string payload_hash = is_s3                          ? std::string(unsigned_payload)
                             : request.payload_hash.empty() ? to_hex(sha256(""))
                                                            : request.payload_hash;
  std::string to_sign =
      string_to_sign(amz_date, scope, canonical_request(whole, names, "", payload_hash, is_s3));
  add(signature_parameter,
      to_hex(hmac_sha256(signing_key(credential.secret, day, target), to_sign)));
  return query;
}

ChunkSignatures::ChunkSignatures(const VerifiedRequest& request)
    : signing_key_(request.signing_key),
      date_and_scope_(request.amz_date + "\n" + request.scope),
      previous_(request.signature) {}

std::string ChunkSignatures::advance(std::string_view name, std::string_view what) {
  std::string to_sign = fmt::format("{}\n{}\n{}\n{}", name, date_and_scope_, previous_, what);
  previous_ = to_hex(hmac_sha256(signing_key_, to_sign));
  return previous_;
}

std::string ChunkSignatures::next(std::string_view chunk) {
  static const std::string hash_of_nothing = to_hex(sha256(""));
  return advance("AWS4-HMAC-SHA256-PAYLOAD",
                 fmt::format("{}\n{}", hash_of_nothing, to_hex(sha256(chunk))));
}

std::string ChunkSignatures::trailer(std::string_view lines) {
  return advance("AWS4-HMAC-SHA256-TRAILER", to_hex(sha256(lines)));
}

}  // namespace pinpipe::auth
