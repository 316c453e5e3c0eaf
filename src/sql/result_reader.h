// From the database's vectors to our Values. Knows every type that a query can answer except a few
// (UNION, BIT, BIGNUM, times with a zone), which it refuses by name: cast those to text in the
// query.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "sql/library.h"
#include "sql/value.h"

namespace pinpipe::sql {

// A logical type, read once per column so that reading a cell is a plain switch.
struct CellType {
  duckdb_type id = DUCKDB_TYPE_INVALID;
  duckdb_type storage = DUCKDB_TYPE_INVALID;  // what DECIMAL and ENUM are stored as
  uint8_t scale = 0;                          // DECIMAL
  uint64_t array_size = 0;                    // ARRAY
  std::string name;                           // as SQL writes it
  std::vector<std::string> labels;            // ENUM's values, STRUCT's members
  std::vector<CellType> children;             // LIST, ARRAY: 1; MAP: key and value; STRUCT: members
};

Result<CellType> read_type(duckdb_logical_type type);

// How many bytes the chunk's rows would take as Values, told before any of them is made.
uint64_t weight_of(duckdb_data_chunk chunk, const std::vector<CellType>& types);

// Adds the chunk's rows to `rows`, at most `rows_max` of them.
void read_rows(duckdb_data_chunk chunk, const std::vector<CellType>& types, size_t rows_max,
               std::vector<Row>& rows);

}  // namespace pinpipe::sql
