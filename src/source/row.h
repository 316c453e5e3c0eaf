// One row of a source table, from whatever source it came: the table's schema and a value a column.
// A Row is made to be filled again and again: its texts lie in one buffer that keeps its capacity,
// so a reader of millions of rows allocates a few times.
// Bounds: text_bytes_max of text a row, which the filler checks against its own source.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "source/schema.h"

namespace pinpipe::source {

class Row {
 public:
  static constexpr size_t text_bytes_max = 16 * 1024 * 1024;

  // Forgets the former row. The schema must outlive the row's use.
  void begin(const TableSchema& schema) {
    schema_ = &schema;
    values_.clear();
    text_.clear();
  }
  void add_null() { add(Kind::null, 0); }
  void add_integer(int64_t value) { add(Kind::integer, value); }
  // Seconds since 1970-01-01 00:00:00 in the database's own, unnamed time zone.
  void add_datetime(int64_t seconds) { add(Kind::datetime, seconds); }
  // The digits as the database prints them, e.g. "-89.5173".
  void add_real(std::string_view digits) {
    text_.append(digits);
    close(Kind::real);
  }
  void add_text(std::string_view text) {
    text_.append(text);
    close(Kind::text);
  }
  // For a filler that composes a text piece by piece: append to open_text(), then close().
  std::string& open_text() { return text_; }
  void close(Kind kind) {
    auto end = static_cast<uint32_t>(text_.size());
    uint32_t at = values_.empty() ? 0 : values_.back().text_end;
    values_.push_back({kind, at, end, 0});
  }

  const TableSchema& schema() const { return *schema_; }
  size_t size() const { return values_.size(); }
  Kind kind(size_t column) const { return values_[column].kind; }
  int64_t integer(size_t column) const { return values_[column].integer; }
  // Text, or a real's digits; empty for the other kinds. Valid until the row is filled again.
  std::string_view text(size_t column) const {
    const Value& value = values_[column];
    return std::string_view(text_).substr(value.text_at, value.text_end - value.text_at);
  }

 private:
  struct Value {
    Kind kind;
    uint32_t text_at, text_end;
    int64_t integer;
  };
  void add(Kind kind, int64_t integer) {
    auto end = static_cast<uint32_t>(text_.size());
    values_.push_back({kind, end, end, integer});
  }

  const TableSchema* schema_ = nullptr;
  std::vector<Value> values_;
  std::string text_;
};

}  // namespace pinpipe::source
