#include "columns/batch.h"

#include "base/check.h"

namespace pinpipe::columns {

Batch::Batch(const Schema& schema, size_t rows_max) : rows_max_(rows_max) {
  for (const Column& column : schema.columns()) {
    Cells cells{.type = column.type, .fixed = {}, .texts = {}, .validity = {}};
    if (column.type == Type::text) {
      cells.texts.resize(rows_max);
    } else {
      cells.fixed.resize(rows_max);
    }
    cells.validity.resize((rows_max + 63) / 64);
    columns_.push_back(std::move(cells));
  }
}

Target Batch::target() {
  Target target;
  for (Cells& cells : columns_) {
    bool is_text = cells.type == Type::text;
    target.columns.push_back({.values = is_text ? static_cast<void*>(cells.texts.data())
                                                : static_cast<void*>(cells.fixed.data()),
                              .validity = cells.validity.data(),
                              .owner = nullptr});
  }
  target.put_text = [](const ColumnTarget& column, size_t row, std::string_view text, bool) {
    static_cast<std::string*>(column.values)[row] = text;
  };
  target.rows_max = rows_max_;
  return target;
}

std::optional<int64_t> Batch::integer(size_t column, size_t row) const {
  const Cells& cells = columns_[column];
  if (!cells.has(row)) return std::nullopt;
  if (cells.type == Type::int32) return reinterpret_cast<const int32_t*>(cells.fixed.data())[row];
  CHECK(cells.type == Type::int64 || cells.type == Type::timestamp,
        "the column holds whole numbers");
  return cells.fixed[row];
}

std::optional<double> Batch::number(size_t column, size_t row) const {
  const Cells& cells = columns_[column];
  CHECK(cells.type == Type::float64, "the column holds numbers");
  if (!cells.has(row)) return std::nullopt;
  return reinterpret_cast<const double*>(cells.fixed.data())[row];
}

std::optional<bool> Batch::boolean(size_t column, size_t row) const {
  const Cells& cells = columns_[column];
  CHECK(cells.type == Type::boolean, "the column holds booleans");
  if (!cells.has(row)) return std::nullopt;
  return reinterpret_cast<const uint8_t*>(cells.fixed.data())[row] != 0;
}

std::optional<std::string> Batch::text(size_t column, size_t row) const {
  const Cells& cells = columns_[column];
  CHECK(cells.type == Type::text, "the column holds text");
  if (!cells.has(row)) return std::nullopt;
  return cells.texts[row];
}

}  // namespace pinpipe::columns
