// AWS Signature Version 4: signing what we send, verifying what we get, in headers and in presigned
// links, and the chain of chunk signatures of S3's streaming uploads. Knows no HTTP types.
// Promise: a verified request was signed, with exactly its method, path, query, signed headers and
// payload hash, by someone who holds the secret. Comparing the body with that hash is the caller's
// part. For service "s3" the path is encoded once and kept as it is; for every other, dot segments
// are removed and it is encoded once more. All functions are safe to call from several threads.
// Bounds: signed_headers_max, keys_cached_max per thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/credentials.h"
#include "base/clock.h"

namespace pinpipe::auth {

inline constexpr size_t signed_headers_max = 100;
inline constexpr size_t keys_cached_max = 256;
inline constexpr int64_t link_lifetime_s_max = 604'800;

inline constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view streaming_payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";

struct RequestView {
  std::string_view method;
  std::string_view path;   // as on the wire, percent-encoded, without the query
  std::string_view query;  // as on the wire, without '?'
  std::vector<std::pair<std::string_view, std::string_view>> headers;  // any case, in order
  // Hex SHA-256 of the body. May be empty where the request has a signed x-amz-content-sha256
  // header (S3 always has), which then counts, and for presigned S3 links.
  std::string payload_hash;
};

struct SigningTarget {
  std::string region;
  std::string service;
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// The headers to add to the request: authorization, x-amz-date, for S3 x-amz-content-sha256, and
// with a session token x-amz-security-token. All of the request's headers are signed, except those
// that proxies change; `host` must be among them.
HeaderList sign_headers(const RequestView& request, const Credential& credential,
                        const SigningTarget& target, int64_t wall_ms);

// The whole query of a presigned link: the request's own parameters and the signature's.
std::string presign_query(const RequestView& request, const Credential& credential,
                          const SigningTarget& target, int64_t wall_ms, int64_t lifetime_s);

enum class SignatureFault {
  missing,          // no signature at all: an anonymous request
  malformed,        // a part is missing or cannot be read
  unknown_key,      // no such access key
  bad_token,        // the session token is not the key's
  mismatch,         // signed differently; canonical_request and string_to_sign say what we signed
  expired,          // signed too long ago
  not_yet,          // signed in the future
  link_expired,     // the presigned link's lifetime is over
  wrong_scope,      // signed for another region or service than demanded
  unsigned_header,  // an x-amz-* header of an S3 request is not covered by the signature
};

struct SignatureFailure {
  SignatureFault fault;
  std::string text;
  std::string access_key;
  std::string canonical_request;
  std::string string_to_sign;
};

struct VerifiedRequest {
  Principal principal;
  std::string access_key;
  std::string payload_hash;  // what was signed: hex, UNSIGNED-PAYLOAD or STREAMING-…
  std::string signature;     // seed of the chunk signatures
  std::string amz_date;      // yyyymmddThhmmssZ
  std::string scope;         // yyyymmdd/region/service/aws4_request
  std::string region;
  std::string service;
  std::string signing_key;
  bool is_presigned = false;
};

struct VerifyOptions {
  int64_t skew_ms_max = 5 * 60 * 1000;  // S3: 15 minutes
  std::string service;                  // empty: any
  std::string region;                   // empty: any, as tests sign with any region
};

// Whether the request carries a version 4 signature, in its headers or its query.
bool has_sigv4(const RequestView& request);

std::expected<VerifiedRequest, SignatureFailure> verify_sigv4(const RequestView& request,
                                                              const Credentials& credentials,
                                                              const VerifyOptions& options,
                                                              int64_t wall_ms);

// The chain over a streaming upload: every signature covers the one before.
class ChunkSignatures {
 public:
  // Goes on from the request's own signature.
  explicit ChunkSignatures(const VerifiedRequest& request);
  // The signature that the next chunk (or, last, the empty one) must have.
  std::string next(std::string_view chunk);
  // The signature over the trailer lines ("name:value\n" each), after the empty chunk.
  std::string trailer(std::string_view lines);

 private:
  std::string advance(std::string_view algorithm, std::string_view what);

  std::string signing_key_;
  std::string date_and_scope_;
  std::string previous_;
};

// Derived from the secret; cached per thread.
std::string signing_key(std::string_view secret, std::string_view day, const SigningTarget& target);

}  // namespace pinpipe::auth
