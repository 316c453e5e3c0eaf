// SHOW and DESCRIBE, as SELECTs over information_schema.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "doors/mysql/failure.h"
#include "doors/mysql/session.h"
#include "doors/mysql/token.h"

namespace pinpipe::mysql {

// The statement begins with SHOW, or with DESCRIBE, DESC or EXPLAIN and a table's name. What comes
// out is for SQLite.
Outcome<std::string> show(std::string_view statement, std::span<const Token> tokens,
                          const Session& session);
Outcome<std::string> describe(std::string_view statement, std::span<const Token> tokens,
                              const Session& session);

}  // namespace pinpipe::mysql
