// Whether a request's Host and Origin are ours: a page in somebody's browser can reach loopback
// too, by its own scripts and by a name that it points at 127.0.0.1.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "http/message.h"

namespace pinpipe::http {

// `host` as in a Host header, with or without a port. Loopback names and addresses pass, and those
// in `allowed`: exact names, "*.suffix", or "*" for all.
bool is_allowed_host(std::string_view host, std::span<const std::string> allowed);

// Nothing when the request may come in, else the sentence to refuse it with.
std::string_view refusal_of_origin(const Request& head, std::span<const std::string> allowed,
                                   bool check_origin);

}  // namespace pinpipe::http
