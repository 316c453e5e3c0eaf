// What a data set's columns are called and what they hold, as its project file declares them.
// A Schema is checked once when it is made: no empty or repeated name, no synonym that is another
// column's name. Names are compared byte for byte, as Spark's JSON reader does.
// Bounds: columns_max columns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace pinpipe::columns {

enum class Type : uint8_t {
  int32,
  int64,
  float64,
  text,
  boolean,
  timestamp,  // microseconds since 1970-01-01 UTC
};

// "integer", "bigint", "double", "text", "boolean", "timestamp".
std::string_view name_of(Type type);
// Those names and their usual other spellings (int, long, string, varchar, float, bool, …).
std::optional<Type> type_named(std::string_view name);

struct Column {
  std::string name;
  Type type = Type::text;
  bool nullable = true;  // when false, a row without a value is refused
  std::vector<std::string> synonyms;
};

class Schema {
 public:
  static constexpr size_t columns_max = 1000;

  static Result<Schema> make(std::vector<Column> columns);

  const std::vector<Column>& columns() const { return columns_; }
  size_t size() const { return columns_.size(); }
  // By name or synonym.
  std::optional<size_t> find(std::string_view name) const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::vector<Column> columns_;
  std::unordered_map<std::string, size_t, Hash, std::equal_to<>> by_name_;
};

}  // namespace pinpipe::columns
