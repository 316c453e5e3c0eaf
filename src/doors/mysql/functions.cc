#include "doors/mysql/functions.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/id.h"
#include "doors/mysql/login.h"
#include "doors/mysql/session.h"
#include "doors/mysql/sqlite_function.h"

namespace pinpipe::mysql {
namespace {

const Session& session_of(Context* context) {
  const auto* running = static_cast<RunningFor*>(sqlite3_user_data(context));
  CHECK(running->session != nullptr, "a statement runs for a session");
  return *running->session;
}

// Where each character begins, and the end.
size_t bytes_of_characters(std::string_view text, int64_t count) {
  size_t at = 0;
  while (at < text.size() && count-- > 0) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) ++at;
  }
  return at;
}

int64_t characters_in(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

// --- texts ---

void concat(Context* to, int count, Values values) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    if (is_null(values[i])) return;
    out += text_of(values[i]);
  }
  answer(to, out);
}

void concat_with(Context* to, int count, Values values) {
  if (count == 0 || is_null(values[0])) return;
  std::string out;
  bool first = true;
  for (int i = 1; i < count; ++i) {
    if (is_null(values[i])) continue;
    if (!std::exchange(first, false)) out += text_of(values[0]);
    out += text_of(values[i]);
  }
  answer(to, out);
}

void left(Context* to, int, Values values) {
  if (is_null(values[0]) || is_null(values[1])) return;
  std::string_view text = text_of(values[0]);
  answer(to, text.substr(0, bytes_of_characters(text, sqlite3_value_int64(values[1]))));
}

void right(Context* to, int, Values values) {
  if (is_null(values[0]) || is_null(values[1])) return;
  std::string_view text = text_of(values[0]);
  int64_t count = std::max<int64_t>(0, sqlite3_value_int64(values[1]));
  answer(to, text.substr(bytes_of_characters(text, characters_in(text) - count)));
}

void byte_length(Context* to, int, Values values) {
  if (!is_null(values[0]))
    sqlite3_result_int64(to, static_cast<int64_t>(text_of(values[0]).size()));
}

void character_length(Context* to, int, Values values) {
  if (!is_null(values[0])) sqlite3_result_int64(to, characters_in(text_of(values[0])));
}

void lower_case(Context* to, int, Values values) {
  if (is_null(values[0])) return;
  std::string text(text_of(values[0]));
  std::transform(text.begin(), text.end(), text.begin(), to_lower);
  answer(to, text);
}

void upper_case(Context* to, int, Values values) {
  if (is_null(values[0])) return;
  std::string text(text_of(values[0]));
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  answer(to, text);
}

void same(Context* to, int, Values values) {
  sqlite3_result_value(to, values[0]);
}

void is_null_function(Context* to, int, Values values) {
  sqlite3_result_int(to, is_null(values[0]) ? 1 : 0);
}

void locate(Context* to, int, Values values) {
  if (is_null(values[0]) || is_null(values[1])) return;
  std::string_view text = text_of(values[1]);
  size_t at = text.find(text_of(values[0]));
  sqlite3_result_int64(to,
                       at == std::string_view::npos ? 0 : characters_in(text.substr(0, at)) + 1);
}

void md5_of(Context* to, int, Values values) {
  if (!is_null(values[0])) answer(to, to_hex(md5(text_of(values[0]))));
}

void sha1_of(Context* to, int, Values values) {
  if (!is_null(values[0])) answer(to, to_hex(sha1(text_of(values[0]))));
}

// LIKE as MySQL has it: a backslash takes the next character as it is. Goes back to the last %
// only, so its time is at most the product of both lengths.
bool is_like(std::string_view text, std::string_view pattern) {
  size_t t = 0, p = 0;
  size_t star = std::string_view::npos, star_text = 0;
  while (true) {
    bool wild = p < pattern.size() && pattern[p] == '%';
    if (wild) {
      star = ++p;
      star_text = t;
      continue;
    }
    if (t == text.size() && p == pattern.size()) return true;
    bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
    size_t step = bytes_of_characters(text.substr(t), 1);
    if (t < text.size() && p < pattern.size()) {
      if (pattern[p] == '_') {
        t += step;
        ++p;
        continue;
      }
      if (to_lower(pattern[p + (escaped ? 1 : 0)]) == to_lower(text[t])) {
        p += escaped ? 2 : 1;
        ++t;
        continue;
      }
    }
    if (star == std::string_view::npos || star_text >= text.size()) return false;
    star_text += bytes_of_characters(text.substr(star_text), 1);
    t = star_text;
    p = star;
  }
}

void like(Context* to, int, Values values) {
  if (is_null(values[0]) || is_null(values[1])) return;
  sqlite3_result_int(to, is_like(text_of(values[1]), text_of(values[0])) ? 1 : 0);
}

// --- the session ---

void version(Context* to, int, Values) {
  answer(to, server_version);
}
void database(Context* to, int, Values) {
  const Session& session = session_of(to);
  if (!session.database.empty()) answer(to, session.database);
}
void user(Context* to, int, Values) {
  answer(to, session_of(to).user + "@" + session_of(to).host);
}
void connection_id(Context* to, int, Values) {
  sqlite3_result_int64(to, session_of(to).connection_id);
}
void zero(Context* to, int, Values) {
  sqlite3_result_int64(to, 0);
}
void uuid(Context* to, int, Values) {
  answer(to, Uuid::random().text());
}
void random_number(Context* to, int, Values) {
  uint64_t bits = load_be<uint64_t>(random_bytes(sizeof(uint64_t)).data());
  sqlite3_result_double(to, static_cast<double>(bits >> 11) * 0x1.0p-53);
}

constexpr NamedFunction own[] = {
    {"char_length", 1, character_length},
    {"character_length", 1, character_length},
    {"concat", -1, concat},
    {"concat_ws", -1, concat_with},
    {"connection_id", 0, connection_id, false},
    {"convert", 1, same},
    {"current_user", 0, user, false},
    {"database", 0, database, false},
    {"found_rows", 0, zero, false},
    {"isnull", 1, is_null_function},
    {"last_insert_id", 0, zero, false},
    {"lcase", 1, lower_case},
    {"length", 1, byte_length},
    {"like", 2, like},
    {"locate", 2, locate},
    {"md5", 1, md5_of},
    {"mysql_left", 2, left},
    {"mysql_right", 2, right},
    {"octet_length", 1, byte_length},
    {"rand", 0, random_number, false},
    {"row_count", 0, zero, false},
    {"schema", 0, database, false},
    {"session_user", 0, user, false},
    {"sha", 1, sha1_of},
    {"sha1", 1, sha1_of},
    {"system_user", 0, user, false},
    {"ucase", 1, upper_case},
    {"user", 0, user, false},
    {"uuid", 0, uuid, false},
    {"version", 0, version, false},
};

}  // namespace

void add_functions(sqlite3* database, RunningFor* running) {
  for (std::span<const NamedFunction> some :
       {std::span<const NamedFunction>(own), date_functions()}) {
    for (const NamedFunction& function : some) {
      int flags = SQLITE_UTF8 | (function.same_for_same ? SQLITE_DETERMINISTIC : 0);
      int outcome = sqlite3_create_function_v2(database, function.name, function.arguments, flags,
                                               running, function.run, nullptr, nullptr, nullptr);
      CHECK(outcome == SQLITE_OK, "SQLite takes a function of our own");
    }
  }
}

}  // namespace pinpipe::mysql
