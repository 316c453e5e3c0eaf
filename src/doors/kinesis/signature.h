// Who signed a request, and whether it was signed at all, in the words of AWS's JSON services.
#pragma once

#include <expected>
#include <optional>
#include <string_view>

#include "auth/credentials.h"
#include "auth/principal.h"
#include "doors/kinesis/failure.h"
#include "http/message.h"

namespace pinpipe::kinesis {

// Why the signature cannot be one: missing, in two places, or without a part.
std::optional<Failure> signature_form_problem(const http::Request& request);
// The region it was signed for; empty when it does not say. Valid while the request is.
std::string_view region_of_signature(const http::Request& request);
// The principal whose secret signed exactly this request and body.
std::expected<auth::Principal, Failure> verify_signature(const http::Request& request,
                                                         const auth::Credentials& credentials,
                                                         int64_t wall_ms);

}  // namespace pinpipe::kinesis
