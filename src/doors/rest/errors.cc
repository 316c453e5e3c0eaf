#include "doors/rest/errors.h"

#include "codec/json.h"
#include "doors/rest/media.h"

namespace pinpipe::rest {
namespace {

// Our errors are phrases; here they stand as sentences.
std::string as_sentence(std::string_view text) {
  std::string sentence(text);
  if (!sentence.empty() && sentence[0] >= 'a' && sentence[0] <= 'z')
    sentence[0] = static_cast<char>(sentence[0] - 32);
  if (!sentence.empty() && sentence.back() != '.' && sentence.back() != '?') sentence += '.';
  return sentence;
}

}  // namespace

Refusal generic_refusal(int status, std::string hint) {
  return {status, status,
          "HTTP " + std::to_string(status) + " " + std::string(http::reason_of(status)),
          std::move(hint)};
}

void answer_refusal(http::Response& response, const Refusal& refusal) {
  std::string message = refusal.text;
  if (!refusal.hint.empty()) {
    if (!message.empty() && message.back() != '.') message += '.';
    message += " " + refusal.hint;
  }
  std::string body;
  codec::JsonWriter writer(body);
  writer.begin_object();
  writer.field("error_code", refusal.code).field("message", message);
  writer.end_object();
  response.set_body(refusal.status, kafka_v2_type, std::move(body));
}

Refusal refusal_of(const Error& error) {
  std::string why = as_sentence(error.text());
  switch (error.code()) {
    case Code::not_found:
      return {404, 40401, "Topic not found.", why};
    case Code::denied:
      return {403, 40301, "Forbidden.", why};
    case Code::invalid:
      return {422, 422, why, ""};
    case Code::conflict:
      return {409, 40902, why, ""};
    case Code::busy:
      return {503, 50301, "Service unavailable.", why};
    case Code::unavailable:
      return {503, 50302, "Broker not available.", why};
    case Code::timeout:
    case Code::cancelled:
      return {500, 50003, "Retriable Kafka error: " + error.text(), ""};
    case Code::corrupt:
    case Code::internal:
      return {500, 50002, "Kafka error: " + error.text(), ""};
  }
  return generic_refusal(500);
}

int record_code_of(Code code) {
  switch (code) {
    case Code::denied:
      return 40301;
    case Code::busy:
    case Code::unavailable:
    case Code::timeout:
    case Code::cancelled:
      return 50003;
    case Code::not_found:
    case Code::invalid:
    case Code::conflict:
    case Code::corrupt:
    case Code::internal:
      return 50002;
  }
  return 50002;
}

}  // namespace pinpipe::rest
