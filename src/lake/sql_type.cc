// Reading DuckDB's spelling of types, a recursive descent over
//   type := (STRUCT(name type, …) | MAP(type, type) | DECIMAL(p,s) | words) ("[]" | "[n]")*
#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>

#include "lake/schema.h"

namespace pinpipe::lake {
namespace {

struct SqlName {
  std::string_view sql;
  Kind kind;
};

// The exact types first, then those that fit into a wider one without loss.
constexpr std::array sql_names = {
    SqlName{"VARCHAR", Kind::string},
    SqlName{"BIGINT", Kind::long_integer},
    SqlName{"INTEGER", Kind::integer},
    SqlName{"SMALLINT", Kind::short_integer},
    SqlName{"TINYINT", Kind::byte},
    SqlName{"FLOAT", Kind::float32},
    SqlName{"DOUBLE", Kind::float64},
    SqlName{"BOOLEAN", Kind::boolean},
    SqlName{"BLOB", Kind::binary},
    SqlName{"DATE", Kind::date},
    SqlName{"TIMESTAMP WITH TIME ZONE", Kind::timestamp},
    SqlName{"TIMESTAMPTZ", Kind::timestamp},
    SqlName{"TIMESTAMP", Kind::timestamp},
    SqlName{"TIMESTAMP_S", Kind::timestamp},
    SqlName{"TIMESTAMP_MS", Kind::timestamp},
    SqlName{"UINTEGER", Kind::long_integer},
    SqlName{"USMALLINT", Kind::integer},
    SqlName{"UTINYINT", Kind::short_integer},
    SqlName{"UUID", Kind::string},
    SqlName{"JSON", Kind::string},
    SqlName{"ENUM", Kind::string},
};

class TypeReader {
 public:
  explicit TypeReader(std::string_view text) : rest_(text) {}

  Result<Type> whole() {
    auto type = read(0);
    if (type && !rest_.empty()) return unknown(rest_);
    return type;
  }

 private:
  Result<Type> read(int depth) {
    if (depth > nesting_max) return Error(Code::invalid, "the type is nested too deeply");
    auto type = base(depth);
    while (type && rest_.starts_with('[')) {
      size_t close = rest_.find(']');
      if (close == std::string_view::npos) return unknown(rest_);
      rest_.remove_prefix(close + 1);
      Type element = std::move(*type);
      type = Type{.kind = Kind::array, .parts = {}};
      type->parts.push_back(Field{.name = "element", .type = std::move(element), .metadata = "{}"});
    }
    return type;
  }

  Result<Type> base(int depth) {
    size_t end = 0;
    while (end < rest_.size() && (std::isalnum(static_cast<unsigned char>(rest_[end])) != 0 ||
                                  rest_[end] == '_' || rest_[end] == ' ')) {
      ++end;
    }
    std::string_view name = rest_.substr(0, end);
    rest_.remove_prefix(end);
    if (name == "STRUCT" && take('(')) return structure(depth);
    if (name == "MAP" && take('(')) return map(depth);
    if (name == "DECIMAL" && take('(')) return decimal();
    if (name == "ENUM" && take('(')) return enumeration();
    auto at = std::ranges::find(sql_names, name, &SqlName::sql);
    if (at == sql_names.end()) return unknown(name);
    return Type{.kind = at->kind, .parts = {}};
  }

  Result<Type> structure(int depth) {
    Type type{.kind = Kind::structure, .parts = {}};
    do {
      skip_blanks();
      std::string name = field_name();
      skip_blanks();
      auto field = read(depth + 1);
      if (!field) return field;
      type.parts.push_back(
          Field{.name = std::move(name), .type = std::move(*field), .metadata = "{}"});
    } while (take(','));
    if (!take(')')) return unknown(rest_);
    return type;
  }

  Result<Type> map(int depth) {
    auto key = read(depth + 1);
    if (!key) return key;
    if (!take(',')) return unknown(rest_);
    skip_blanks();
    auto value = read(depth + 1);
    if (!value) return value;
    if (!take(')')) return unknown(rest_);
    Type type{.kind = Kind::map, .parts = {}};
    type.parts.push_back(
        Field{.name = "key", .type = std::move(*key), .nullable = false, .metadata = "{}"});
    type.parts.push_back(Field{.name = "value", .type = std::move(*value), .metadata = "{}"});
    return type;
  }

  Result<Type> decimal() {
    int precision = number();
    int scale = take(',') ? number() : 0;
    if (!take(')') || precision < 1 || precision > 38) return unknown(rest_);
    return Type{.kind = Kind::decimal, .precision = precision, .scale = scale, .parts = {}};
  }

  // The labels are text in quotes; only where they end matters.
  Result<Type> enumeration() {
    bool quoted = false;
    size_t end = 0;
    while (end < rest_.size() && (quoted || rest_[end] != ')')) {
      if (rest_[end] == '\'') quoted = !quoted;
      ++end;
    }
    rest_.remove_prefix(end);
    if (!take(')')) return unknown(rest_);
    return Type{.kind = Kind::string, .parts = {}};
  }

  std::string field_name() {
    std::string name;
    if (take('"')) {
      while (!rest_.empty()) {
        char c = rest_.front();
        rest_.remove_prefix(1);
        if (c == '"' && !take('"')) break;
        name += c;
      }
      return name;
    }
    while (!rest_.empty() && rest_.front() != ' ') {
      name += rest_.front();
      rest_.remove_prefix(1);
    }
    return name;
  }

  int number() {
    skip_blanks();
    int value = 0;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9' && value < 1000) {
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }

  bool take(char expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_blanks() {
    while (take(' ')) {
    }
  }
  static Error unknown(std::string_view what) {
    return Error(Code::invalid,
                 fmt::format("type {} does not fit into a Delta table; cast it to one that does "
                             "(BIGINT, DOUBLE, DECIMAL, VARCHAR, TIMESTAMPTZ …)",
                             what));
  }

  std::string_view rest_;
};

}  // namespace

Result<Type> type_of_sql(std::string_view sql_type) {
  auto type = TypeReader(sql_type).whole();
  if (!type) return std::move(type.error()).with(sql_type);
  return type;
}

}  // namespace pinpipe::lake
