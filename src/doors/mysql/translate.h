// A SELECT as MySQL writes it, as SQLite understands it: texts, variables and the few words and
// functions that differ. What it does not know it leaves as it is, for SQLite to judge.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "doors/mysql/failure.h"
#include "doors/mysql/session.h"
#include "doors/mysql/token.h"
#include "source/schema.h"

namespace pinpipe::mysql {

// An item of the outermost select list. SQLite calls an unnamed one by its text; the client wants
// the text that it wrote.
struct SelectItem {
  std::string written;
  std::string translated;
  // Of MIN and MAX over a column of ours, which are of its kind.
  std::optional<source::Kind> kind = {};
};

struct Translated {
  std::string sql;
  std::vector<SelectItem> items;
  size_t parameters = 0;
};

Outcome<Translated> translate(std::string_view statement, std::span<const Token> tokens,
                              const Session& session);

// For building statements: 'it''s' and `index`.
std::string literal(std::string_view text);
std::string name_in_quotes(std::string_view name);

}  // namespace pinpipe::mysql
