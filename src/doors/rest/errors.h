// Errors in the REST proxy's own terms: an HTTP status, its five-digit code, its text; then one
// sentence of ours that tells what to do.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace pinpipe::rest {

struct Refusal {
  int status;
  int code;
  std::string text;  // the API's own words
  std::string hint;  // ours; may be empty
};

// "HTTP 404 Not Found" with the HTTP status as its code.
Refusal generic_refusal(int status, std::string hint = {});

// {"error_code":N,"message":"text hint"}
void answer_refusal(http::Response& response, const Refusal& refusal);

// The refusal of a whole call that the broker refused.
Refusal refusal_of(const Error& error);

// What a record's entry in an answer of 200 says: 50003 when another try may help, 50002 when not.
int record_code_of(Code code);

}  // namespace pinpipe::rest
