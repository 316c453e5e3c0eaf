// What a piece of SQL names, found before it runs, so that what it needs can be made ready:
//   topic('orders')  stream('s')  objects('s3://bucket/a*')     functions of one text
//   clean.pin   raw.pin   `0e90e0175553_pin_table`              names
//   name VERSION AS OF 3, name TIMESTAMP AS OF '2026-01-02', name AT (VERSION => 3)
// Works on tokens alone: it may find names that are columns or aliases, and its caller ignores
// those that it does not know. Bounds: references_max.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pinpipe::sql {

struct Reference {
  enum class Kind : uint8_t { name, function };

  Kind kind = Kind::name;
  std::vector<std::string> parts;  // "clean", "pin"; of a function its own name
  std::string argument;            // of a function
  std::optional<int64_t> version = {};
  std::optional<std::string> moment = {};  // of TIMESTAMP AS OF, as it was written
  size_t offset = 0;                       // what it takes of the text, version clause included
  size_t length = 0;

  bool has_version() const { return version || moment; }
};

inline constexpr size_t references_max = 10'000;

// `functions` are the names to look for before "(". Error `invalid`: one of them is not called with
// one text, a version is no number, or there are too many.
Result<std::vector<Reference>> references_of(std::string_view sql,
                                             const std::vector<std::string>& functions);

// The condition of a statement that asks one table and nothing else: "ind = 3" of "SELECT … FROM x
// AS a WHERE ind = 3 ORDER BY …". Rows of the table that do not meet it are in no way part of the
// answer. Empty of every other statement.
std::string_view only_condition_of(std::string_view sql);

}  // namespace pinpipe::sql
