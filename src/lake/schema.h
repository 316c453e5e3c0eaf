// What a Delta table's columns are called and what they hold: the schemaString of its metaData, and
// the SQL types that DuckDB writes and reads for them.
// Promise: parse_schema(to_schema_string(s)) == s, nested types and nullability included. A SQL
// type that Delta cannot hold exactly (HUGEINT, TIME, TIMESTAMP_NS …) is refused by name, never
// rounded. Bounds: nesting_max levels.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pinpipe::lake {

inline constexpr int nesting_max = 64;

enum class Kind : uint8_t {
  string,
  long_integer,
  integer,
  short_integer,
  byte,
  float32,
  float64,
  decimal,
  boolean,
  binary,
  date,
  timestamp,      // an instant: microseconds UTC
  timestamp_ntz,  // without zone; read only
  array,
  map,
  structure,
};

struct Field;

struct Type {
  Kind kind = Kind::string;
  int precision = 0;  // of a decimal
  int scale = 0;
  // A structure's fields; an array's "element"; a map's "key" and "value".
  std::vector<Field> parts;

  bool operator==(const Type& other) const;
};

struct Field {
  std::string name;
  Type type;
  bool nullable = true;
  std::string metadata = "{}";  // JSON text

  bool operator==(const Field&) const = default;
};

struct Schema {
  std::vector<Field> fields;

  // Names are compared without regard to case, as Spark does.
  const Field* find(std::string_view name) const;
  bool operator==(const Schema&) const = default;
};

Result<Schema> parse_schema(std::string_view schema_string);
std::string to_schema_string(const Schema& schema);

// "array<double>", "decimal(10,2)", "struct<a:bigint>": for people, as Spark prints types.
std::string to_text(const Type& type);

// The Delta type of a DuckDB column type such as "TIMESTAMP WITH TIME ZONE" or
// "STRUCT(a INTEGER)[]". Types that fit into a wider one exactly are widened (UINTEGER → long, JSON
// and UUID → string, TIMESTAMP → timestamp, taken as UTC). Anything else is `invalid`.
Result<Type> type_of_sql(std::string_view sql_type);
// The DuckDB type that is written to Parquet, and read from it, for this Delta type.
std::string to_sql(const Type& type);
// Names that every Delta reader admits: unique without regard to case, non-empty, and without any
// of the characters that Spark refuses in a table without column mapping; blanks on demand.
Status check_names(const Schema& schema, bool with_blanks = false);

// Whether rows of `file` may be stored in `table`: every column is known there with the same type.
// Columns may be missing (they read as NULL) where the table's are nullable.
Status check_fits(const Schema& table, const Schema& file);

}  // namespace pinpipe::lake
