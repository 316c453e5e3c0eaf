// CSV as RFC 4180 has it: fields with commas, quotes or line ends are quoted, quotes doubled.
// Promise: what CsvWriter wrote, read_csv reads back equal. The writer ends lines with \n; the
// reader takes \n and \r\n. Bounds: csv_columns_max per row; the reader keeps one row at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pinpipe::codec {

inline constexpr size_t csv_columns_max = 10'000;

class CsvWriter {
 public:
  explicit CsvWriter(std::string& out) : out_(out) {}
  CsvWriter& field(std::string_view text);
  CsvWriter& end_row();
  void row(const std::vector<std::string>& fields);

 private:
  std::string& out_;
  size_t fields_in_row_ = 0;
  bool only_field_is_empty_ = false;
};

struct CsvField {
  std::string text;
  bool was_quoted = false;  // tells an empty string from nothing
};
using CsvRow = std::vector<CsvField>;

// Calls `take` for every row; stops at the first error of either. An empty line is skipped. A quote
// inside an unquoted field, text after a closing quote and a quote left open are `invalid`, with
// the line number.
Status read_csv(std::string_view text, const std::function<Status(const CsvRow&)>& take);

}  // namespace pinpipe::codec
