// Rows on the wire: what a column is, and its values as text and in binary.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "source/schema.h"

struct sqlite3_stmt;

namespace pinpipe::mysql {

enum class FieldType : uint8_t {
  int32 = 3,
  real32 = 4,
  real64 = 5,
  null = 6,
  int64 = 8,
  date = 10,
  datetime = 12,
  blob = 252,  // TEXT is a blob with a character set
  text = 253,
};

struct ColumnFacts {
  std::string schema = {};
  std::string table = {};
  std::string name = {};
  std::string origin = {};  // its name in the table
  FieldType type = FieldType::text;
  uint16_t character_set = 45;  // utf8mb4_general_ci
  uint32_t length = 0;
  uint16_t flags = 0;
  uint8_t decimals = 0;
};

// A column of a source table, as the course's database declares it.
ColumnFacts facts_of(const source::TableSchema& schema, const source::Column& column);
// One that is only computed, or lies in information_schema.
ColumnFacts facts_of_type(std::string name, FieldType type);

std::string column_packet(const ColumnFacts& column);

enum class RowForm : uint8_t { text, binary };
// The current row of `statement`, appended to `to`.
void append_row(std::string& to, sqlite3_stmt* statement, const std::vector<ColumnFacts>& columns,
                RowForm form);

// The end of columns or rows, an answer without rows, and a failure.
std::string eof_packet(bool autocommit);
std::string ok_packet(bool autocommit);
std::string end_of_rows_packet(bool autocommit);  // where EOFs are out of use
struct Failure;
std::string failure_packet(const Failure& failure);

}  // namespace pinpipe::mysql
