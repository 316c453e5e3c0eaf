// What an action gives: an answer, or why it was not done, in the words of the AWS JSON protocol.
#pragma once

#include <expected>
#include <functional>
#include <string>

#include "http/message.h"
#include "io/task.h"

namespace pinpipe::kinesis {

struct Failure {
  std::string type;     // "ResourceNotFoundException"
  std::string message;  // empty: none is sent
  int status = 400;
};

// Sends an answer's events as they come, until the last one.
using EventSource = std::function<io::Task<Status>(http::BodyWriter& events)>;

struct Output {
  Output(const char* text) : body(text) {}             // NOLINT(google-explicit-constructor)
  Output(std::string text) : body(std::move(text)) {}  // NOLINT(google-explicit-constructor)
  explicit Output(EventSource source) : events(std::move(source)) {}

  std::string body;  // empty for actions that give nothing
  EventSource events;
};

using Outcome = std::expected<Output, Failure>;

inline std::unexpected<Failure> invalid_argument(std::string message) {
  return std::unexpected(Failure{"InvalidArgumentException", std::move(message)});
}
inline std::unexpected<Failure> invalid_value(std::string message) {
  return std::unexpected(Failure{"ValidationException", std::move(message)});
}

}  // namespace pinpipe::kinesis
