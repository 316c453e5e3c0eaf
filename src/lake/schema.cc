#include "lake/schema.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/check.h"
#include "codec/json.h"
#include "sql/rewrite.h"

namespace pinpipe::lake {
namespace {

using codec::Json;

struct PrimitiveName {
  Kind kind;
  std::string_view delta;
  std::string_view spark;
  std::string_view sql;
};

constexpr std::array primitive_names = {
    PrimitiveName{Kind::string, "string", "string", "VARCHAR"},
    PrimitiveName{Kind::long_integer, "long", "bigint", "BIGINT"},
    PrimitiveName{Kind::integer, "integer", "int", "INTEGER"},
    PrimitiveName{Kind::short_integer, "short", "smallint", "SMALLINT"},
    PrimitiveName{Kind::byte, "byte", "tinyint", "TINYINT"},
    PrimitiveName{Kind::float32, "float", "float", "FLOAT"},
    PrimitiveName{Kind::float64, "double", "double", "DOUBLE"},
    PrimitiveName{Kind::boolean, "boolean", "boolean", "BOOLEAN"},
    PrimitiveName{Kind::binary, "binary", "binary", "BLOB"},
    PrimitiveName{Kind::date, "date", "date", "DATE"},
    PrimitiveName{Kind::timestamp, "timestamp", "timestamp", "TIMESTAMP WITH TIME ZONE"},
    PrimitiveName{Kind::timestamp_ntz, "timestamp_ntz", "timestamp_ntz", "TIMESTAMP"},
};

const PrimitiveName& names_of(Kind kind) {
  auto at = std::ranges::find(primitive_names, kind, &PrimitiveName::kind);
  CHECK(at != primitive_names.end(), "only primitive kinds have one name");
  return *at;
}

std::optional<int> to_int(std::string_view text) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<Type> decimal_type(int precision, int scale) {
  if (precision < 1 || precision > 38 || scale < 0 || scale > precision) {
    return Error(Code::invalid, fmt::format("decimal({},{}) does not exist", precision, scale));
  }
  return Type{.kind = Kind::decimal, .precision = precision, .scale = scale, .parts = {}};
}

Result<Type> type_named(std::string_view name) {
  auto at = std::ranges::find(primitive_names, name, &PrimitiveName::delta);
  if (at != primitive_names.end()) return Type{.kind = at->kind, .parts = {}};
  if (name == "decimal") return decimal_type(10, 0);
  if (name.starts_with("decimal(") && name.ends_with(')')) {
    std::string_view inner = name.substr(8, name.size() - 9);
    size_t comma = inner.find(',');
    if (comma != std::string_view::npos) {
      std::string_view second = inner.substr(comma + 1);
      while (second.starts_with(' ')) second.remove_prefix(1);
      auto precision = to_int(inner.substr(0, comma));
      auto scale = to_int(second);
      if (precision && scale) return decimal_type(*precision, *scale);
    }
  }
  return Error(Code::invalid, fmt::format("column type \"{}\" is not supported", name));
}

Result<Type> parse_type(const Json& json, int depth);

Result<Field> parse_field(const Json& json, int depth) {
  auto name = json["name"].as_string();
  if (!name) return Error(Code::invalid, "a field of the schema has no name");
  auto type = parse_type(json["type"], depth + 1);
  if (!type) return std::move(type.error()).with(fmt::format("column \"{}\"", *name));
  const Json& metadata = json["metadata"];
  return Field{.name = std::string(*name),
               .type = std::move(*type),
               .nullable = json["nullable"].as_bool().value_or(true),
               .metadata = metadata.is_object() ? codec::to_json(metadata) : "{}"};
}

Result<Type> parse_structure(const Json& json, int depth) {
  Type type{.kind = Kind::structure, .parts = {}};
  if (!json["fields"].is_array()) return Error(Code::invalid, "a struct has no list of fields");
  for (const Json& member : json["fields"].elements()) {
    auto field = parse_field(member, depth);
    if (!field) return field.error();
    type.parts.push_back(std::move(*field));
  }
  return type;
}

Result<Field> parse_part(const Json& json, std::string name, const Json& nullable, int depth) {
  auto type = parse_type(json, depth + 1);
  if (!type) return type.error();
  return Field{.name = std::move(name),
               .type = std::move(*type),
               .nullable = nullable.as_bool().value_or(true),
               .metadata = "{}"};
}

Result<Type> parse_nested(const Json& json, int depth) {
  auto name = json["type"].as_string().value_or("");
  if (name == "struct") return parse_structure(json, depth);
  Type type;
  if (name == "array") {
    type.kind = Kind::array;
    auto element = parse_part(json["elementType"], "element", json["containsNull"], depth);
    if (!element) return element.error();
    type.parts.push_back(std::move(*element));
    return type;
  }
  if (name == "map") {
    type.kind = Kind::map;
    auto key = parse_part(json["keyType"], "key", Json(false), depth);
    if (!key) return key.error();
    auto value = parse_part(json["valueType"], "value", json["valueContainsNull"], depth);
    if (!value) return value.error();
    type.parts.push_back(std::move(*key));
    type.parts.push_back(std::move(*value));
    return type;
  }
  return Error(Code::invalid, fmt::format("column type \"{}\" is not supported", name));
}

Result<Type> parse_type(const Json& json, int depth) {
  if (depth > nesting_max) return Error(Code::invalid, "the schema is nested too deeply");
  if (auto name = json.as_string()) return type_named(*name);
  if (json.is_object()) return parse_nested(json, depth);
  return Error(Code::invalid, "a column has no type");
}

void write_type(codec::JsonWriter& out, const Type& type);

void write_structure(codec::JsonWriter& out, const std::vector<Field>& fields) {
  out.begin_object().field("type", "struct").key("fields").begin_array();
  for (const Field& field : fields) {
    out.begin_object().field("name", field.name).key("type");
    write_type(out, field.type);
    out.field("nullable", field.nullable).key("metadata").raw(field.metadata).end_object();
  }
  out.end_array().end_object();
}

void write_type(codec::JsonWriter& out, const Type& type) {
  switch (type.kind) {
    case Kind::structure:
      write_structure(out, type.parts);
      return;
    case Kind::array:
      out.begin_object().field("type", "array").key("elementType");
      write_type(out, type.parts[0].type);
      out.field("containsNull", type.parts[0].nullable).end_object();
      return;
    case Kind::map:
      out.begin_object().field("type", "map").key("keyType");
      write_type(out, type.parts[0].type);
      out.key("valueType");
      write_type(out, type.parts[1].type);
      out.field("valueContainsNull", type.parts[1].nullable).end_object();
      return;
    case Kind::decimal:
      out.value(fmt::format("decimal({},{})", type.precision, type.scale));
      return;
    default:
      out.value(names_of(type.kind).delta);
  }
}

Status check_fields(const std::vector<Field>& fields, std::string_view where, bool with_blanks) {
  std::string_view refused = " ,;{}()\n\t=";
  if (with_blanks) refused.remove_prefix(1);
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string& name = fields[i].name;
    if (name.empty()) return Error(Code::invalid, fmt::format("{} has no name", where));
    if (name.find_first_of(refused) != std::string::npos) {
      return Error(Code::invalid,
                   fmt::format("column name \"{}\" holds one of the characters that Spark refuses: "
                               "blank , ; {{ }} ( ) newline tab =",
                               name));
    }
    for (size_t j = 0; j < i; ++j) {
      if (equal_without_case(fields[j].name, name)) {
        return Error(Code::invalid, fmt::format("columns \"{}\" and \"{}\" have the same name",
                                                fields[j].name, name));
      }
    }
    if (fields[i].type.kind != Kind::structure) continue;
    auto inner = check_fields(fields[i].type.parts, name, with_blanks);
    if (!inner) return inner;
  }
  return {};
}

}  // namespace

bool Type::operator==(const Type& other) const {
  return kind == other.kind && precision == other.precision && scale == other.scale &&
         parts == other.parts;
}

const Field* Schema::find(std::string_view name) const {
  for (const Field& field : fields) {
    if (equal_without_case(field.name, name)) return &field;
  }
  return nullptr;
}

Result<Schema> parse_schema(std::string_view schema_string) {
  auto json = codec::parse_json(schema_string);
  if (!json) return std::move(json.error()).with("schemaString");
  if ((*json)["type"].as_string() != "struct") {
    return Error(Code::invalid, "schemaString: not a struct");
  }
  auto root = parse_structure(*json, 0);
  if (!root) return std::move(root.error()).with("schemaString");
  return Schema{std::move(root->parts)};
}

std::string to_schema_string(const Schema& schema) {
  std::string text;
  codec::JsonWriter out(text);
  write_structure(out, schema.fields);
  return text;
}

std::string to_text(const Type& type) {
  switch (type.kind) {
    case Kind::array:
      return fmt::format("array<{}>", to_text(type.parts[0].type));
    case Kind::map:
      return fmt::format("map<{},{}>", to_text(type.parts[0].type), to_text(type.parts[1].type));
    case Kind::structure: {
      std::string text = "struct<";
      for (const Field& field : type.parts) {
        if (text.size() > 7) text += ',';
        text += fmt::format("{}:{}", field.name, to_text(field.type));
      }
      return text + ">";
    }
    case Kind::decimal:
      return fmt::format("decimal({},{})", type.precision, type.scale);
    default:
      return std::string(names_of(type.kind).spark);
  }
}

std::string to_sql(const Type& type) {
  switch (type.kind) {
    case Kind::array:
      return to_sql(type.parts[0].type) + "[]";
    case Kind::map:
      return fmt::format("MAP({}, {})", to_sql(type.parts[0].type), to_sql(type.parts[1].type));
    case Kind::structure: {
      std::string text = "STRUCT(";
      for (const Field& field : type.parts) {
        if (text.size() > 7) text += ", ";
        text += fmt::format("{} {}", sql::quoted_name(field.name), to_sql(field.type));
      }
      return text + ")";
    }
    case Kind::decimal:
      return fmt::format("DECIMAL({},{})", type.precision, type.scale);
    default:
      return std::string(names_of(type.kind).sql);
  }
}

Status check_names(const Schema& schema, bool with_blanks) {
  if (schema.fields.empty()) return Error(Code::invalid, "the table has no columns");
  return check_fields(schema.fields, "a column", with_blanks);
}

Status check_fits(const Schema& table, const Schema& file) {
  for (const Field& field : file.fields) {
    const Field* known = table.find(field.name);
    if (known == nullptr) {
      return Error(Code::invalid, fmt::format("the table has no column \"{}\"", field.name));
    }
    // Compared as text: nullability inside is the table's business, and every file column may be
    // written nullable.
    if (to_text(known->type) != to_text(field.type)) {
      return Error(Code::invalid,
                   fmt::format("column \"{}\" is {} in the table but {} in the data", known->name,
                               to_text(known->type), to_text(field.type)));
    }
  }
  for (const Field& field : table.fields) {
    if (field.nullable || file.find(field.name) != nullptr) continue;
    return Error(Code::invalid,
                 fmt::format("column \"{}\" may not be null but is missing", field.name));
  }
  return {};
}

}  // namespace pinpipe::lake
