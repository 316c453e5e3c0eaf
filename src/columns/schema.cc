#include "columns/schema.h"

#include <array>
#include <utility>

namespace pinpipe::columns {
namespace {

struct Spelling {
  std::string_view name;
  Type type;
};

constexpr std::array spellings = {
    Spelling{"integer", Type::int32},      Spelling{"bigint", Type::int64},
    Spelling{"double", Type::float64},     Spelling{"text", Type::text},
    Spelling{"boolean", Type::boolean},    Spelling{"timestamp", Type::timestamp},
    Spelling{"int", Type::int32},          Spelling{"int32", Type::int32},
    Spelling{"long", Type::int64},         Spelling{"int64", Type::int64},
    Spelling{"float", Type::float64},      Spelling{"real", Type::float64},
    Spelling{"float64", Type::float64},    Spelling{"string", Type::text},
    Spelling{"varchar", Type::text},       Spelling{"bool", Type::boolean},
    Spelling{"datetime", Type::timestamp},
};

}  // namespace

std::string_view name_of(Type type) {
  // The canonical spelling of each type comes first in the list.
  for (const Spelling& spelling : spellings) {
    if (spelling.type == type) return spelling.name;
  }
  return "text";
}

std::optional<Type> type_named(std::string_view name) {
  for (const Spelling& spelling : spellings) {
    if (spelling.name == name) return spelling.type;
  }
  return std::nullopt;
}

Result<Schema> Schema::make(std::vector<Column> columns) {
  if (columns.empty()) return Error(Code::invalid, "a schema needs at least one column");
  if (columns.size() > columns_max) {
    return Error(Code::invalid, "a schema has at most " + std::to_string(columns_max) + " columns");
  }
  Schema schema;
  schema.columns_ = std::move(columns);
  for (size_t i = 0; i < schema.columns_.size(); ++i) {
    const Column& column = schema.columns_[i];
    if (column.name.empty()) return Error(Code::invalid, "a column has no name");
    if (!schema.by_name_.emplace(column.name, i).second) {
      return Error(Code::invalid, "column " + column.name + " is declared twice");
    }
  }
  for (size_t i = 0; i < schema.columns_.size(); ++i) {
    for (const std::string& synonym : schema.columns_[i].synonyms) {
      if (!schema.by_name_.emplace(synonym, i).second) {
        return Error(Code::invalid, "synonym " + synonym + " of column " + schema.columns_[i].name +
                                        " already names a column");
      }
    }
  }
  return schema;
}

std::optional<size_t> Schema::find(std::string_view name) const {
  auto found = by_name_.find(name);
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

}  // namespace pinpipe::columns
