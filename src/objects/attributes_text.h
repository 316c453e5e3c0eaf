// An object's attributes as lines of text that a person can read: one "name value" a line, sorted.
//   size 483
//   modified-ms 1767348900000
//   etag 5d41402abc4b2a76b9719d911017c592
//   content-type application/json
//   user.author ada
//   system.cache-control no-cache
// In names '%', blank and line ends are percent-encoded, in values '%' and line ends.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "objects/store.h"

namespace pinpipe::objects {

// The key is not part of the text.
std::string to_text(const ObjectFacts& facts);
// Nothing when the text is not one of ours; unknown names are left out.
std::optional<ObjectFacts> facts_from_text(std::string_view text);

bool is_default(const Attributes& attributes);

}  // namespace pinpipe::objects
