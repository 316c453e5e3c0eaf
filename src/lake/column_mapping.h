// Columns whose names in the files are others than the table's: delta.columnMapping.
// In the files, in their statistics and in partition values a column has its physical name; people
// see the logical one. Without column mapping both are the same.
#pragma once

#include <string>

#include "lake/schema.h"
#include "lake/snapshot.h"

namespace pinpipe::lake {

enum class ColumnMapping : uint8_t { none, by_name, by_id };

// Error `invalid` for a mode that we do not know.
Result<ColumnMapping> column_mapping_of(const Snapshot& snapshot);

// What the field is called in the files; its own name when nothing else is said.
std::string physical_name(const Field& field);
// Its number in the files' schemas, under mapping by id.
std::optional<int32_t> field_id(const Field& field);

// The schema as the files have it: the same types under physical names, at every depth.
Schema physical_schema(const Schema& schema);

// SQL that gives `physical` (an expression of the file's type) the table's names and type.
std::string logical_expression(const Type& type, const std::string& physical);

}  // namespace pinpipe::lake
