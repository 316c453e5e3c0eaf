#include "doors/gateway/answers.h"

#include "base/bytes.h"
#include "base/id.h"
#include "codec/json.h"

namespace pinpipe::gateway {

void set_gateway_headers(http::Response& response) {
  response.headers.set("x-amzn-RequestId", Uuid::random().text());
  response.headers.set("x-amz-apigw-id", to_base64(random_bytes(11)));
}

void answer_message(http::Response& response, int status, std::string_view error_type,
                    std::string_view message) {
  std::string body;
  codec::JsonWriter writer(body);
  writer.begin_object().field("message", message).end_object();
  response.set_json(status, std::move(body));
  response.headers.set("x-amzn-ErrorType", error_type);
  set_gateway_headers(response);
}

// The best-known trap of API Gateway: no such resource, told as if a token were missing.
void answer_missing_token(http::Response& response) {
  answer_message(response, 403, "MissingAuthenticationTokenException",
                 "Missing Authentication Token");
}

}  // namespace pinpipe::gateway
