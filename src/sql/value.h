// What a query answers: typed values in rows under named, typed columns.
// A Value is a plain tagged union; lists, structs and maps hold values again. Numbers that no
// int64_t or double holds exactly (DECIMAL, large HUGEINT) are kept as their exact decimal text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pinpipe::sql {

struct Null {
  bool operator==(const Null&) const = default;
};
// A moment in UTC. SQL's TIMESTAMP without a zone counts as UTC, as every session of ours does.
struct Timestamp {
  int64_t micros;
  bool operator==(const Timestamp&) const = default;
};
struct Date {
  int32_t days;  // since 1970-01-01
  bool operator==(const Date&) const = default;
};
struct Exact {
  std::string digits;
  bool operator==(const Exact&) const = default;
};
struct Blob {
  std::string bytes;
  bool operator==(const Blob&) const = default;
};

struct Value;
using List = std::vector<Value>;
struct Struct {
  std::vector<std::string> names;
  std::vector<Value> values;  // as many as names
  bool operator==(const Struct&) const;
};
struct Map {
  std::vector<Value> keys;
  std::vector<Value> values;  // as many as keys
  bool operator==(const Map&) const;
};

struct Value {
  using Kinds = std::variant<Null, bool, int64_t, double, std::string, Timestamp, Date, Exact, Blob,
                             List, Struct, Map>;
  Kinds kind;

  bool is_null() const { return std::holds_alternative<Null>(kind); }
  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&kind);
  }
  bool operator==(const Value&) const = default;
};

using Row = std::vector<Value>;

struct ColumnHead {
  std::string name;
  std::string type;  // as SQL writes it: INTEGER, BIGINT, VARCHAR, DOUBLE[], TIMESTAMP, …
  bool operator==(const ColumnHead&) const = default;
};

struct Table {
  std::vector<ColumnHead> columns;
  std::vector<Row> rows;
  bool cut = false;  // there were more rows than the caller allowed

  // Index of a column by name, or -1.
  int column(std::string_view name) const;
};

// For people, CSV and text protocols: 42, 1.5, abc, 2022-05-27 11:30:59, [1.5, 2.5]; null is "".
std::string to_text(const Value& value);
// As JSON: times as "2022-05-27T11:30:59Z", blobs as base64, NaN and infinities as null.
void append_json(std::string& to, const Value& value);

}  // namespace pinpipe::sql
