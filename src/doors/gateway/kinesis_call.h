// How the gateway reaches Kinesis without knowing its door: app connects the two.
#pragma once

#include <functional>
#include <string>

#include "io/task.h"

namespace pinpipe::gateway {

struct KinesisAnswer {
  int status = 200;
  std::string body;  // JSON, or empty
};

// Does `action` ("PutRecord") with the JSON that the API would get as its body.
using KinesisCall =
    std::function<io::Task<KinesisAnswer>(std::string action, std::string json_body)>;

}  // namespace pinpipe::gateway
