#include "source/remote_table.h"

#include <charconv>
#include <fmt/format.h>

#include "base/ascii.h"
#include "source/datetime.h"

namespace pinpipe::source {
namespace {

// A number as JSON has it: no "inf", no "nan".
bool is_number(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() &&
         text.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
}

}  // namespace

Result<std::vector<std::string>> match_columns(const TableSchema& schema,
                                               const std::vector<std::string>& there) {
  auto found = [&](std::string_view name) {
    return std::find_if(there.begin(), there.end(),
                        [&](const std::string& one) { return equal_without_case(one, name); });
  };
  std::vector<std::string> names;
  for (const Column& column : schema.columns) {
    auto at = found(column.name);
    bool is_index = names.empty();
    for (std::string_view other : {"index", "ind", "idx"}) {
      if (is_index && at == there.end()) at = found(other);
    }
    if (at == there.end()) {
      return Error(Code::invalid, fmt::format("table {} has no column {}; it has {}", schema.name,
                                              column.name, fmt::join(there, ", ")));
    }
    names.push_back(*at);
  }
  return names;
}

void add_value(Row& row, Kind kind, std::optional<std::string_view> text) {
  if (!text) return row.add_null();
  if (kind == Kind::integer) {
    int64_t value = 0;
    auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error == std::errc() && end == text->data() + text->size()) return row.add_integer(value);
  }
  if (kind == Kind::real && is_number(*text)) return row.add_real(*text);
  if (kind == Kind::datetime) {
    if (auto seconds = parse_datetime(text->substr(0, 19))) return row.add_datetime(*seconds);
  }
  row.add_text(*text);
}

}  // namespace pinpipe::source
