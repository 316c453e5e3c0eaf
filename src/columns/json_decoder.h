// JSON lines to typed columns: the one place where a record's text becomes values.
//
// A piece is the bytes of an object, or a part of it cut at line ends; every line holds one value:
//   {…}          one row
//   [{…}, …]     one row per element
//   "{\"a\":1}"  JSON written as a JSON string, decoded again (up to encodings_max times); the same
//   for
//                base64 of JSON
// A byte order mark, CR before LF and blank lines are skipped.
//
// Promise: every value ends up either as a row or as a Refused with its bytes and reason; never
// both, never neither, and one bad value takes nothing else with it. counts() adds up: rows +
// refused = values.
//
// Rules, as Spark's JSON reader with a declared schema has them unless said otherwise:
// - A missing field, a JSON null: NULL. A field that is no column is read over (but must be valid
// JSON).
// - A key that comes twice, or beside its synonym: the last one wins.
// - Text columns take numbers, booleans, arrays and objects in their own spelling.
// - Other columns take text that means such a value exactly ("42", "2022-05-27 11:30:59"; Spark
// would
//   only do so when it infers the schema and casts), and numbers that fit without loss (12.0 is an
//   integer, 12.5 is not). Anything else refuses the row: wrong type, out of range, invalid UTF-8.
//
// Which columns the target wants changes what is written, never what is refused.
//
// Bounds: line_bytes_max per line; nesting_max levels. One decoder belongs to one thread. Needs a
// processor with AVX2 on x86-64.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "columns/schema.h"
#include "columns/target.h"

namespace pinpipe::columns {

// A value that could not be read. The views are valid during the call that hands it out.
struct Refused {
  std::string_view source;
  uint64_t line;  // from 1
  std::string_view bytes;
  std::string_view reason;
};

struct Counts {
  uint64_t lines = 0;   // that were not blank
  uint64_t values = 0;  // that the lines held: an array its elements, any other line one
  uint64_t rows = 0;
  uint64_t refused = 0;  // an array that cannot be read at all counts once

  Counts& operator+=(const Counts& other);
};

class JsonDecoder {
 public:
  static constexpr size_t line_bytes_max = size_t{64} << 20;
  static constexpr int encodings_max = 3;
  static constexpr int nesting_max = 64;

  using OnRefused = std::function<void(const Refused&)>;

  // `schema` has to outlive the decoder.
  JsonDecoder(const Schema& schema, OnRefused on_refused);
  ~JsonDecoder();
  JsonDecoder(const JsonDecoder&) = delete;

  // The next piece; the one before is used up. `source` and `bytes` stay valid until this one is.
  void start(std::string_view source, std::string_view bytes, uint64_t first_line = 1);

  // Writes rows from `row` on and returns the row after the last one written. Less than
  // target.rows_max means that the piece is used up.
  size_t fill(const Target& target, size_t row);

  const Counts& counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pinpipe::columns
