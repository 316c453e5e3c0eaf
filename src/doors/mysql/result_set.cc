#include "doors/mysql/result_set.h"

#include <bit>
#include <fmt/format.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "doors/mysql/failure.h"
#include "doors/mysql/session.h"
#include "doors/mysql/wire.h"
#include "source/datetime.h"

namespace pinpipe::mysql {
namespace {

constexpr uint16_t binary_set = 63;
constexpr uint16_t flag_not_null = 1, flag_primary_key = 2, flag_blob = 16, flag_binary = 128,
                   flag_number = 32768, flag_part_key = 16384;
constexpr uint8_t decimals_open = 31;

std::string_view text_at(sqlite3_stmt* statement, int column) {
  auto bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement, column))};
}

void append_text_value(std::string& to, sqlite3_stmt* statement, int at, FieldType type) {
  if (sqlite3_column_type(statement, at) != SQLITE_FLOAT)
    return append_text(to, text_at(statement, at));
  double value = sqlite3_column_double(statement, at);
  char digits[32];
  // A FLOAT has six digits, as MySQL prints it.
  auto end = type == FieldType::real32 ? fmt::format_to_n(digits, sizeof digits, "{:.6g}", value)
                                       : fmt::format_to_n(digits, sizeof digits, "{}", value);
  append_text(to, {digits, std::min(end.size, sizeof digits)});
}

// Length, then as much of the date and time as is there.
void append_moment(std::string& to, std::string_view text) {
  auto seconds = source::parse_datetime(text);
  if (!seconds) return to.push_back('\0');
  CivilTime civil = civil_of(*seconds * 1000);
  to.push_back(7);
  append_le(to, static_cast<uint16_t>(civil.year));
  for (unsigned part : {civil.month, civil.day, civil.hour, civil.minute, civil.second})
    to.push_back(static_cast<char>(part));
}

void append_binary_value(std::string& to, sqlite3_stmt* statement, int at, FieldType type) {
  switch (type) {
    case FieldType::int32:
      return append_le(to, static_cast<int32_t>(sqlite3_column_int64(statement, at)));
    case FieldType::int64:
      return append_le(to, static_cast<int64_t>(sqlite3_column_int64(statement, at)));
    case FieldType::real32:
      return append_le(
          to, std::bit_cast<uint32_t>(static_cast<float>(sqlite3_column_double(statement, at))));
    case FieldType::real64:
      return append_le(to, std::bit_cast<uint64_t>(sqlite3_column_double(statement, at)));
    case FieldType::date:
    case FieldType::datetime:
      return append_moment(to, text_at(statement, at));
    default:
      return append_text_value(to, statement, at, type);
  }
}

}  // namespace

ColumnFacts facts_of(const source::TableSchema& schema, const source::Column& column) {
  ColumnFacts facts{.schema = std::string(data_name),
                    .table = std::string(schema.name),
                    .name = std::string(column.name),
                    .origin = std::string(column.name),
                    .flags = flag_not_null};
  switch (column.kind) {
    case source::Kind::integer:
      facts.type = FieldType::int32;
      facts.character_set = binary_set;
      facts.length = 11;
      facts.flags |= flag_number;
      break;
    case source::Kind::real:
      facts.type = FieldType::real32;
      facts.character_set = binary_set;
      facts.length = 12;
      facts.decimals = decimals_open;
      facts.flags |= flag_number;
      break;
    case source::Kind::datetime:
      facts.type = FieldType::datetime;
      facts.character_set = binary_set;
      facts.length = 19;
      facts.flags |= flag_binary;
      break;
    default:
      facts.type = FieldType::blob;
      facts.length = 262'140;
      facts.flags |= flag_blob;
  }
  if (&column == &schema.columns.front()) facts.flags |= flag_primary_key | flag_part_key;
  return facts;
}

ColumnFacts facts_of_type(std::string name, FieldType type) {
  ColumnFacts facts{.name = std::move(name), .type = type};
  switch (type) {
    case FieldType::int32:
    case FieldType::int64:
      facts.character_set = binary_set;
      facts.length = 21;
      facts.flags = flag_binary | flag_number;
      break;
    case FieldType::real32:
    case FieldType::real64:
      facts.character_set = binary_set;
      facts.length = 23;
      facts.decimals = decimals_open;
      facts.flags = flag_binary | flag_number;
      break;
    case FieldType::date:
    case FieldType::datetime:
      facts.character_set = binary_set;
      facts.length = type == FieldType::date ? 10 : 19;
      facts.flags = flag_binary;
      break;
    default:
      facts.length = 262'140;
  }
  return facts;
}

std::string column_packet(const ColumnFacts& column) {
  std::string out;
  append_text(out, "def");
  append_text(out, column.schema);
  append_text(out, column.table);
  append_text(out, column.table);
  append_text(out, column.name);
  append_text(out, column.origin);
  out.push_back(0x0c);
  append_le(out, column.character_set);
  append_le(out, column.length);
  out.push_back(static_cast<char>(column.type));
  append_le(out, column.flags);
  out.push_back(static_cast<char>(column.decimals));
  out.append(2, '\0');
  return out;
}

void append_row(std::string& to, sqlite3_stmt* statement, const std::vector<ColumnFacts>& columns,
                RowForm form) {
  size_t nulls_at = 0;
  if (form == RowForm::binary) {
    to.push_back('\0');
    nulls_at = to.size();
    to.append((columns.size() + 7 + 2) / 8, '\0');
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    int at = static_cast<int>(i);
    bool null = sqlite3_column_type(statement, at) == SQLITE_NULL;
    if (form == RowForm::text) {
      null ? to.push_back(static_cast<char>(0xfb))
           : append_text_value(to, statement, at, columns[i].type);
    } else if (null) {
      char& mask = to[nulls_at + (i + 2) / 8];
      mask = static_cast<char>(mask | 1 << (i + 2) % 8);
    } else {
      append_binary_value(to, statement, at, columns[i].type);
    }
  }
}

namespace {

void append_status(std::string& to, bool autocommit) {
  append_le(to, static_cast<uint16_t>(autocommit ? 2 : 0));
}

std::string ok_like(uint8_t head, bool autocommit) {
  std::string out(1, static_cast<char>(head));
  out.append(2, '\0');  // rows changed, last insert id
  append_status(out, autocommit);
  append_le(out, uint16_t{0});  // warnings
  return out;
}

}  // namespace

std::string eof_packet(bool autocommit) {
  std::string out(1, static_cast<char>(0xfe));
  append_le(out, uint16_t{0});
  append_status(out, autocommit);
  return out;
}

std::string ok_packet(bool autocommit) {
  return ok_like(0x00, autocommit);
}

std::string end_of_rows_packet(bool autocommit) {
  return ok_like(0xfe, autocommit);
}

std::string failure_packet(const Failure& failure) {
  std::string out(1, static_cast<char>(0xff));
  append_le(out, failure.number);
  out.push_back('#');
  out.append(failure.state);
  out.append(failure.text);
  return out;
}

}  // namespace pinpipe::mysql
