#include "sql/result_reader.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

#include "base/id.h"

namespace pinpipe::sql {
namespace {

struct TypeName {
  duckdb_type id;
  std::string_view name;
};
constexpr TypeName plain_types[] = {
    {DUCKDB_TYPE_BOOLEAN, "BOOLEAN"},
    {DUCKDB_TYPE_TINYINT, "TINYINT"},
    {DUCKDB_TYPE_SMALLINT, "SMALLINT"},
    {DUCKDB_TYPE_INTEGER, "INTEGER"},
    {DUCKDB_TYPE_BIGINT, "BIGINT"},
    {DUCKDB_TYPE_UTINYINT, "UTINYINT"},
    {DUCKDB_TYPE_USMALLINT, "USMALLINT"},
    {DUCKDB_TYPE_UINTEGER, "UINTEGER"},
    {DUCKDB_TYPE_UBIGINT, "UBIGINT"},
    {DUCKDB_TYPE_HUGEINT, "HUGEINT"},
    {DUCKDB_TYPE_UHUGEINT, "UHUGEINT"},
    {DUCKDB_TYPE_FLOAT, "FLOAT"},
    {DUCKDB_TYPE_DOUBLE, "DOUBLE"},
    {DUCKDB_TYPE_VARCHAR, "VARCHAR"},
    {DUCKDB_TYPE_BLOB, "BLOB"},
    {DUCKDB_TYPE_DATE, "DATE"},
    {DUCKDB_TYPE_TIME, "TIME"},
    {DUCKDB_TYPE_TIMESTAMP, "TIMESTAMP"},
    {DUCKDB_TYPE_TIMESTAMP_S, "TIMESTAMP_S"},
    {DUCKDB_TYPE_TIMESTAMP_MS, "TIMESTAMP_MS"},
    {DUCKDB_TYPE_TIMESTAMP_NS, "TIMESTAMP_NS"},
    {DUCKDB_TYPE_TIMESTAMP_TZ, "TIMESTAMP WITH TIME ZONE"},
    {DUCKDB_TYPE_INTERVAL, "INTERVAL"},
    {DUCKDB_TYPE_UUID, "UUID"},
    {DUCKDB_TYPE_SQLNULL, "NULL"},
};

// A handle that is destroyed at the end of the scope.
class TypeHandle {
 public:
  explicit TypeHandle(duckdb_logical_type type) : type_(type) {}
  ~TypeHandle() { library().destroy_logical_type(&type_); }
  TypeHandle(const TypeHandle&) = delete;
  duckdb_logical_type get() const { return type_; }

 private:
  duckdb_logical_type type_;
};

std::string taken(char* text) {
  std::string copy = text == nullptr ? "" : text;
  library().free(text);
  return copy;
}

Status add_child(CellType& parent, duckdb_logical_type type) {
  TypeHandle handle(type);
  auto child = read_type(handle.get());
  if (!child) return child.error();
  parent.children.push_back(std::move(*child));
  return {};
}

Status read_struct(CellType& cell, duckdb_logical_type type) {
  cell.name = "STRUCT(";
  for (idx_t i = 0; i < library().struct_type_child_count(type); ++i) {
    cell.labels.push_back(taken(library().struct_type_child_name(type, i)));
    if (auto added = add_child(cell, library().struct_type_child_type(type, i)); !added)
      return added;
    cell.name += (i == 0 ? "" : ", ") + cell.labels.back() + " " + cell.children.back().name;
  }
  cell.name += ")";
  return {};
}

Status read_map(CellType& cell, duckdb_logical_type type) {
  if (auto added = add_child(cell, library().map_type_key_type(type)); !added) return added;
  if (auto added = add_child(cell, library().map_type_value_type(type)); !added) return added;
  cell.name = "MAP(" + cell.children[0].name + ", " + cell.children[1].name + ")";
  return {};
}

template <class T>
T at(const void* data, idx_t row) {
  return static_cast<const T*>(data)[row];
}

std::string_view text_at(const void* data, idx_t row) {
  const auto& text = static_cast<const duckdb_string_t*>(data)[row];
  uint32_t length = text.value.inlined.length;
  return {length <= sizeof text.value.inlined.inlined ? text.value.inlined.inlined
                                                      : text.value.pointer.ptr,
          length};
}

std::string digits_of(unsigned __int128 value) {
  std::string digits;
  do {
    digits += static_cast<char>('0' + static_cast<int>(value % 10));
    value /= 10;
  } while (value != 0);
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::string digits_of(__int128 value) {
  return value < 0 ? "-" + digits_of(-static_cast<unsigned __int128>(value))
                   : digits_of(static_cast<unsigned __int128>(value));
}

Value whole(__int128 value) {
  if (value >= INT64_MIN && value <= INT64_MAX) return {static_cast<int64_t>(value)};
  return {Exact{digits_of(value)}};
}

__int128 huge_at(const void* data, idx_t row) {
  auto huge = at<duckdb_hugeint>(data, row);
  return static_cast<__int128>(
      (static_cast<unsigned __int128>(static_cast<uint64_t>(huge.upper)) << 64) | huge.lower);
}

Value decimal(__int128 value, uint8_t scale) {
  std::string digits = digits_of(value < 0 ? -static_cast<unsigned __int128>(value)
                                           : static_cast<unsigned __int128>(value));
  if (scale > 0) {
    if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
    digits.insert(digits.size() - scale, ".");
  }
  return {Exact{(value < 0 ? "-" : "") + digits}};
}

__int128 stored_number(duckdb_type storage, const void* data, idx_t row) {
  switch (storage) {
    case DUCKDB_TYPE_SMALLINT:
      return at<int16_t>(data, row);
    case DUCKDB_TYPE_INTEGER:
      return at<int32_t>(data, row);
    case DUCKDB_TYPE_BIGINT:
      return at<int64_t>(data, row);
    default:
      return huge_at(data, row);
  }
}

uint64_t label_index(duckdb_type storage, const void* data, idx_t row) {
  switch (storage) {
    case DUCKDB_TYPE_UTINYINT:
      return at<uint8_t>(data, row);
    case DUCKDB_TYPE_USMALLINT:
      return at<uint16_t>(data, row);
    default:
      return at<uint32_t>(data, row);
  }
}

// The database stores a UUID as a number whose sign bit is flipped, so that it sorts.
Value uuid(__int128 stored) {
  auto number = static_cast<unsigned __int128>(stored) ^ (static_cast<unsigned __int128>(1) << 127);
  Uuid id;
  for (size_t i = 0; i < 16; ++i) id.bytes[15 - i] = static_cast<uint8_t>(number >> (8 * i));
  return {id.text()};
}

Value time_of_day(int64_t micros) {
  std::string text = fmt::format("{:02}:{:02}:{:02}", micros / 3'600'000'000,
                                 micros / 60'000'000 % 60, micros / 1'000'000 % 60);
  if (micros % 1'000'000 != 0) text += fmt::format(".{:06}", micros % 1'000'000);
  return {text};
}

Value interval(const duckdb_interval& value) {
  return {fmt::format("{} months {} days {} microseconds", value.months, value.days, value.micros)};
}

Value read_cell(duckdb_vector vector, const CellType& type, idx_t row);

List read_list(duckdb_vector child, const CellType& type, uint64_t begin, uint64_t count) {
  List list;
  list.reserve(count);
  for (uint64_t i = 0; i < count; ++i) list.push_back(read_cell(child, type, begin + i));
  return list;
}

Struct read_struct_value(duckdb_vector vector, const CellType& type, idx_t row) {
  Struct result{.names = type.labels, .values = {}};
  for (size_t i = 0; i < type.children.size(); ++i) {
    duckdb_vector member = library().struct_vector_get_child(vector, i);
    result.values.push_back(read_cell(member, type.children[i], row));
  }
  return result;
}

// A MAP is stored as a list of structs of key and value.
Map read_map_value(duckdb_vector vector, const CellType& type, const duckdb_list_entry& entry) {
  duckdb_vector pair = library().list_vector_get_child(vector);
  duckdb_vector keys = library().struct_vector_get_child(pair, 0);
  duckdb_vector values = library().struct_vector_get_child(pair, 1);
  Map map;
  for (uint64_t i = entry.offset; i < entry.offset + entry.length; ++i) {
    map.keys.push_back(read_cell(keys, type.children[0], i));
    map.values.push_back(read_cell(values, type.children[1], i));
  }
  return map;
}

Value read_nested(duckdb_vector vector, const CellType& type, const void* data, idx_t row) {
  switch (type.id) {
    case DUCKDB_TYPE_LIST: {
      auto entry = at<duckdb_list_entry>(data, row);
      return {read_list(library().list_vector_get_child(vector), type.children[0], entry.offset,
                        entry.length)};
    }
    case DUCKDB_TYPE_ARRAY:
      return {read_list(library().array_vector_get_child(vector), type.children[0],
                        row * type.array_size, type.array_size)};
    case DUCKDB_TYPE_MAP:
      return {read_map_value(vector, type, at<duckdb_list_entry>(data, row))};
    default:
      return {read_struct_value(vector, type, row)};
  }
}

Value read_cell(duckdb_vector vector, const CellType& type, idx_t row) {
  const uint64_t* validity = library().vector_get_validity(vector);
  if (validity != nullptr && (validity[row / 64] >> (row % 64) & 1) == 0) return {Null{}};
  const void* data = library().vector_get_data(vector);
  switch (type.id) {
    case DUCKDB_TYPE_BOOLEAN:
      return {at<bool>(data, row)};
    case DUCKDB_TYPE_TINYINT:
      return {int64_t{at<int8_t>(data, row)}};
    case DUCKDB_TYPE_SMALLINT:
      return {int64_t{at<int16_t>(data, row)}};
    case DUCKDB_TYPE_INTEGER:
      return {int64_t{at<int32_t>(data, row)}};
    case DUCKDB_TYPE_BIGINT:
      return {at<int64_t>(data, row)};
    case DUCKDB_TYPE_UTINYINT:
      return {int64_t{at<uint8_t>(data, row)}};
    case DUCKDB_TYPE_USMALLINT:
      return {int64_t{at<uint16_t>(data, row)}};
    case DUCKDB_TYPE_UINTEGER:
      return {int64_t{at<uint32_t>(data, row)}};
    case DUCKDB_TYPE_UBIGINT:
      return whole(at<uint64_t>(data, row));
    case DUCKDB_TYPE_HUGEINT:
      return whole(huge_at(data, row));
    case DUCKDB_TYPE_UHUGEINT:
      return {Exact{digits_of(static_cast<unsigned __int128>(huge_at(data, row)))}};
    case DUCKDB_TYPE_FLOAT:
      return {double{at<float>(data, row)}};
    case DUCKDB_TYPE_DOUBLE:
      return {at<double>(data, row)};
    case DUCKDB_TYPE_VARCHAR:
      return {std::string(text_at(data, row))};
    case DUCKDB_TYPE_BLOB:
      return {Blob{std::string(text_at(data, row))}};
    case DUCKDB_TYPE_DATE:
      return {Date{at<int32_t>(data, row)}};
    case DUCKDB_TYPE_TIME:
      return time_of_day(at<int64_t>(data, row));
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return {Timestamp{at<int64_t>(data, row)}};
    case DUCKDB_TYPE_TIMESTAMP_S:
      return {Timestamp{at<int64_t>(data, row) * 1'000'000}};
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return {Timestamp{at<int64_t>(data, row) * 1'000}};
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return {Timestamp{at<int64_t>(data, row) / 1'000}};
    case DUCKDB_TYPE_INTERVAL:
      return interval(at<duckdb_interval>(data, row));
    case DUCKDB_TYPE_UUID:
      return uuid(huge_at(data, row));
    case DUCKDB_TYPE_DECIMAL:
      return decimal(stored_number(type.storage, data, row), type.scale);
    case DUCKDB_TYPE_ENUM:
      return {type.labels[label_index(type.storage, data, row)]};
    case DUCKDB_TYPE_SQLNULL:
      return {Null{}};
    default:
      return read_nested(vector, type, data, row);
  }
}

}  // namespace

Result<CellType> read_type(duckdb_logical_type type) {
  const Library& db = library();
  CellType cell;
  cell.id = db.get_type_id(type);
  Status read;
  switch (cell.id) {
    case DUCKDB_TYPE_DECIMAL:
      cell.storage = db.decimal_internal_type(type);
      cell.scale = db.decimal_scale(type);
      cell.name = fmt::format("DECIMAL({},{})", db.decimal_width(type), cell.scale);
      break;
    case DUCKDB_TYPE_ENUM:
      cell.storage = db.enum_internal_type(type);
      cell.name = "ENUM";
      for (uint32_t i = 0; i < db.enum_dictionary_size(type); ++i) {
        cell.labels.push_back(taken(db.enum_dictionary_value(type, i)));
      }
      break;
    case DUCKDB_TYPE_LIST:
      read = add_child(cell, db.list_type_child_type(type));
      if (read) cell.name = cell.children[0].name + "[]";
      break;
    case DUCKDB_TYPE_ARRAY:
      cell.array_size = db.array_type_array_size(type);
      read = add_child(cell, db.array_type_child_type(type));
      if (read) cell.name = fmt::format("{}[{}]", cell.children[0].name, cell.array_size);
      break;
    case DUCKDB_TYPE_MAP:
      read = read_map(cell, type);
      break;
    case DUCKDB_TYPE_STRUCT:
      read = read_struct(cell, type);
      break;
    default: {
      auto found = std::find_if(std::begin(plain_types), std::end(plain_types),
                                [&](const TypeName& known) { return known.id == cell.id; });
      if (found == std::end(plain_types)) {
        return Error(Code::invalid, fmt::format("the result has a column of a type that cannot be "
                                                "shown (number {}); cast it to text",
                                                int(cell.id)));
      }
      cell.name = found->name;
    }
  }
  if (!read) return read.error();
  return cell;
}

void read_rows(duckdb_data_chunk chunk, const std::vector<CellType>& types, size_t rows_max,
               std::vector<Row>& rows) {
  size_t count = std::min<size_t>(library().data_chunk_get_size(chunk), rows_max);
  size_t first = rows.size();
  rows.resize(first + count);
  for (size_t row = 0; row < count; ++row) rows[first + row].resize(types.size());
  for (size_t column = 0; column < types.size(); ++column) {
    duckdb_vector vector = library().data_chunk_get_vector(chunk, column);
    for (size_t row = 0; row < count; ++row) {
      rows[first + row][column] = read_cell(vector, types[column], row);
    }
  }
}

namespace {

bool has_value(const uint64_t* validity, idx_t row) {
  return validity == nullptr || (validity[row / 64] >> (row % 64) & 1) != 0;
}

uint64_t weight_of(duckdb_vector vector, const CellType& type, idx_t rows) {
  uint64_t weight = rows * sizeof(Value);
  const Library& db = library();
  switch (type.id) {
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_BLOB: {
      const uint64_t* validity = db.vector_get_validity(vector);
      const void* data = db.vector_get_data(vector);
      for (idx_t row = 0; row < rows; ++row) {
        if (has_value(validity, row)) weight += text_at(data, row).size();
      }
      return weight;
    }
    case DUCKDB_TYPE_LIST:
      return weight + weight_of(db.list_vector_get_child(vector), type.children[0],
                                db.list_vector_get_size(vector));
    case DUCKDB_TYPE_MAP: {
      // A map is a list of key and value.
      duckdb_vector pairs = db.list_vector_get_child(vector);
      idx_t count = db.list_vector_get_size(vector);
      return weight + weight_of(db.struct_vector_get_child(pairs, 0), type.children[0], count) +
             weight_of(db.struct_vector_get_child(pairs, 1), type.children[1], count);
    }
    case DUCKDB_TYPE_ARRAY:
      return weight +
             weight_of(db.array_vector_get_child(vector), type.children[0], rows * type.array_size);
    case DUCKDB_TYPE_STRUCT:
      for (idx_t i = 0; i < type.children.size(); ++i)
        weight += weight_of(db.struct_vector_get_child(vector, i), type.children[i], rows);
      return weight;
    default:
      return weight;
  }
}

}  // namespace

uint64_t weight_of(duckdb_data_chunk chunk, const std::vector<CellType>& types) {
  idx_t rows = library().data_chunk_get_size(chunk);
  uint64_t weight = 0;
  for (idx_t i = 0; i < types.size(); ++i)
    weight += weight_of(library().data_chunk_get_vector(chunk, i), types[i], rows);
  return weight;
}

}  // namespace pinpipe::sql
