#include "lake/column_mapping.h"

#include <algorithm>
#include <fmt/format.h>

#include "codec/json.h"
#include "sql/rewrite.h"

namespace pinpipe::lake {
namespace {

bool is_renamed(const Type& type) {
  return std::ranges::any_of(type.parts, [&type](const Field& part) {
    bool named = type.kind == Kind::structure;
    return (named && physical_name(part) != part.name) || is_renamed(part.type);
  });
}

Type physical_type(const Type& type) {
  Type physical = type;
  for (Field& part : physical.parts) {
    if (type.kind == Kind::structure) part.name = physical_name(part);
    part.type = physical_type(part.type);
  }
  return physical;
}

// Every lambda's variable has a name of its own: they nest.
std::string renamed(const Type& type, const std::string& from, int depth) {
  if (!is_renamed(type)) return from;
  std::string element = fmt::format("element_{}", depth);
  std::string value;
  switch (type.kind) {
    case Kind::structure: {
      std::string members;
      for (const Field& part : type.parts) {
        if (!members.empty()) members += ", ";
        std::string inner = fmt::format("({}).{}", from, sql::quoted_name(physical_name(part)));
        members += fmt::format("{} := {}", sql::quoted_name(part.name),
                               renamed(part.type, inner, depth + 1));
      }
      value = fmt::format("struct_pack({})", members);
      break;
    }
    case Kind::array:
      value = fmt::format("list_transform({}, lambda {}: {})", from, element,
                          renamed(type.parts[0].type, element, depth + 1));
      break;
    case Kind::map:
      value = fmt::format(
          "map_from_entries(list_transform(map_entries({}), lambda {}: struct_pack(key := {}, "
          "value := {})))",
          from, element, renamed(type.parts[0].type, element + ".key", depth + 1),
          renamed(type.parts[1].type, element + ".value", depth + 1));
      break;
    default:
      return from;
  }
  return fmt::format("CASE WHEN ({}) IS NOT NULL THEN {} END", from, value);
}

}  // namespace

Result<ColumnMapping> column_mapping_of(const Snapshot& snapshot) {
  std::string_view mode = snapshot.property("delta.columnMapping.mode", "none");
  if (mode == "none") return ColumnMapping::none;
  if (mode == "name") return ColumnMapping::by_name;
  if (mode == "id") return ColumnMapping::by_id;
  return Error(Code::invalid, fmt::format("the table maps its columns by \"{}\", which we do not "
                                          "read: columnMapping",
                                          mode));
}

std::string physical_name(const Field& field) {
  if (field.metadata.find("physicalName") == std::string::npos) return field.name;
  auto metadata = codec::parse_json(field.metadata);
  if (!metadata) return field.name;
  auto name = (*metadata)["delta.columnMapping.physicalName"].as_string();
  return name ? std::string(*name) : field.name;
}

std::optional<int32_t> field_id(const Field& field) {
  auto metadata = codec::parse_json(field.metadata);
  if (!metadata) return std::nullopt;
  auto id = (*metadata)["delta.columnMapping.id"].as_int();
  if (!id || *id < 0 || *id > INT32_MAX) return std::nullopt;
  return static_cast<int32_t>(*id);
}

Schema physical_schema(const Schema& schema) {
  Schema physical = schema;
  for (Field& field : physical.fields) {
    field.name = physical_name(field);
    field.type = physical_type(field.type);
  }
  return physical;
}

std::string logical_expression(const Type& type, const std::string& physical) {
  return fmt::format("CAST({} AS {})", renamed(type, physical, 0), to_sql(type));
}

}  // namespace pinpipe::lake
