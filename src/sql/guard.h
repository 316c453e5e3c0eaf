// What somebody else's SQL may do: read. Works on the text, before the database sees it; the
// database's own locks (read-only directories, locked settings, memory and disk limits) stand
// behind it.
#pragma once

#include <string_view>

#include "base/result.h"

namespace pinpipe::sql {

// `denied` when the text is a statement that is no question, hides one behind EXPLAIN, or calls a
// function that reaches beyond reading: settings, log files, secrets, raw memory. `invalid` when it
// begins like no SQL at all.
Status check_question(std::string_view sql);

}  // namespace pinpipe::sql
