// What the database clients share: which of a table's columns are the ones we know, and values from
// the texts in which databases send them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "source/row.h"

namespace pinpipe::source {

// The names under which `table` has the schema's columns, in the schema's order. The index may be
// called index, ind or idx. `invalid` names the column that is missing.
Result<std::vector<std::string>> match_columns(const TableSchema& schema,
                                               const std::vector<std::string>& there);

// Adds `text` to the row as a value of `kind`; what is none stays a text.
void add_value(Row& row, Kind kind, std::optional<std::string_view> text);

}  // namespace pinpipe::source
