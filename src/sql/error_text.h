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

// A column of a view that has none of that name is refused without the nearest ones, unless it is
// asked for without the view's name: the SQL that does so; nothing for any other error.
std::optional<std::string> without_qualifier(const ErrorText& error, std::string_view sql);
// The lines of a message that name what was meant, or nothing.
std::string_view candidates_in(std::string_view message);

}  // namespace pinpipe::sql
