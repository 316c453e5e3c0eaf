// AWS Signature Version 2 in query strings: what boto3 and the AWS CLI presign with by default on
// an endpoint of one's own. Only verifying; nothing of ours signs so.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "auth/sigv4.h"

namespace pinpipe::auth {

// Whether the query carries AWSAccessKeyId, Expires and Signature.
bool has_sigv2(const RequestView& request);

// `resource_path` is what was signed: "/bucket/key" as on the wire, also where the bucket stood in
// the host name. Of the result only principal, access_key and is_presigned are set; the payload is
// unsigned.
std::expected<VerifiedRequest, SignatureFailure> verify_sigv2(const RequestView& request,
                                                              std::string_view resource_path,
                                                              const Credentials& credentials,
                                                              int64_t wall_ms);

}  // namespace pinpipe::auth
