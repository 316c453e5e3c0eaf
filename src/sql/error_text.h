// The database's error messages, taken apart: what is wrong and where in the text it was given.
// Two spellings: JSON (sessions whose settings are open ask for it; the place is exact), and text
// with the line and a caret under it (sessions with locked settings; the place is exact for narrow
// letters).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pinpipe::sql {

struct ErrorText {
  std::string message;           // without the place
  std::optional<size_t> offset;  // in bytes of the SQL
};

ErrorText read_error(std::string_view error, std::string_view sql);

}  // namespace pinpipe::sql
