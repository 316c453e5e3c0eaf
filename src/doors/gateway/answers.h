// Answers that API Gateway makes by itself: {"message":"…"} with its error type in a header.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace pinpipe::gateway {

// Also sets the headers that every answer of the gateway's own has: x-amzn-RequestId and the like.
void answer_message(http::Response& response, int status, std::string_view error_type,
                    std::string_view message);
void answer_missing_token(http::Response& response);
void set_gateway_headers(http::Response& response);

}  // namespace pinpipe::gateway
