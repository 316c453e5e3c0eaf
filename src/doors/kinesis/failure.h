// Why an action was not done, in the words of the AWS JSON protocol.
#pragma once

#include <expected>
#include <string>

namespace pinpipe::kinesis {

struct Failure {
  std::string type;     // "ResourceNotFoundException"
  std::string message;  // empty: none is sent
  int status = 400;
};

// The body of the answer; empty for actions that give nothing.
using Outcome = std::expected<std::string, Failure>;

inline std::unexpected<Failure> invalid_argument(std::string message) {
  return std::unexpected(Failure{"InvalidArgumentException", std::move(message)});
}
inline std::unexpected<Failure> invalid_value(std::string message) {
  return std::unexpected(Failure{"ValidationException", std::move(message)});
}

}  // namespace pinpipe::kinesis
