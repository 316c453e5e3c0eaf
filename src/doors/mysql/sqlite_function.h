// What a function for SQLite is written with, and how it is made known.
#pragma once

#include <span>
#include <sqlite3.h>
#include <string_view>

namespace pinpipe::mysql {

using Context = sqlite3_context;
using Values = sqlite3_value**;

inline bool is_null(sqlite3_value* value) {
  return sqlite3_value_type(value) == SQLITE_NULL;
}

inline std::string_view text_of(sqlite3_value* value) {
  auto bytes = reinterpret_cast<const char*>(sqlite3_value_text(value));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<size_t>(sqlite3_value_bytes(value))};
}

inline void answer(Context* to, std::string_view text) {
  sqlite3_result_text64(to, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

struct NamedFunction {
  const char* name;
  int arguments;  // -1: any number
  void (*run)(Context*, int, Values);
  bool same_for_same = true;  // the same arguments always give the same
};

std::span<const NamedFunction> date_functions();

}  // namespace pinpipe::mysql
