// The bytes of an answer's head.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace pinpipe::http {

struct AnswerFraming {
  std::optional<uint64_t> length{};  // Content-Length to write
  bool chunked = false;
  bool keeps_alive = true;
  bool is_http_1_0 = false;
};

// Appends status line, headers, Date and what the framing says. Content-Length, Transfer-Encoding,
// Connection and Date in `response.headers` are left out: they are the server's to write. Line ends
// inside a value become blanks, so that no handler can be made to split an answer.
void append_answer_head(std::string& to, const Response& response, const AnswerFraming& framing);

// Whether an answer of that status has a body at all.
bool may_have_body(int status);
// What a handler set itself as Content-Length: the length of what HEAD does not send, or of a
// stream.
std::optional<uint64_t> announced_length(const Response& response);

// Appends `text` with blanks for what could end a line.
void append_clean(std::string& to, std::string_view text);

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(int64_t wall_ms);

}  // namespace pinpipe::http
