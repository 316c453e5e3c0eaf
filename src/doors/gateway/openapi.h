// The OpenAPI document of what the gateway's port answers.
#pragma once

#include <string_view>

namespace pinpipe::gateway {

std::string_view openapi_document();

}  // namespace pinpipe::gateway
