#include "app/answer.h"

#include <algorithm>
#include <fmt/format.h>

namespace pinpipe::app {
namespace {

using codec::Json;

std::string cell_text(const Json& cell) {
  if (cell.is_null()) return "";
  if (auto text = cell.as_string()) return std::string(*text);
  return codec::to_json(cell);
}

// One code point from the front of `text`; bytes that are no UTF-8 come one by one.
char32_t take_code_point(std::string_view& text) {
  auto lead = static_cast<unsigned char>(text.front());
  size_t size = lead < 0x80       ? 1
                : lead >> 5 == 6  ? 2
                : lead >> 4 == 14 ? 3
                : lead >> 3 == 30 ? 4
                                  : 1;
  size = std::min(size, text.size());
  char32_t code = size == 1 ? lead : lead & (0x7f >> size);
  for (size_t i = 1; i < size; ++i) code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3f);
  text.remove_prefix(size);
  return code;
}

size_t width_of(char32_t code) {
  if (code < 0x20) return 0;
  bool combining = (code >= 0x300 && code <= 0x36f) || (code >= 0x200b && code <= 0x200f) ||
                   (code >= 0xfe00 && code <= 0xfe0f) || (code >= 0x20d0 && code <= 0x20ff);
  if (combining) return 0;
  bool wide = (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) ||
              (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) ||
              (code >= 0xfe30 && code <= 0xfe4f) || (code >= 0xff00 && code <= 0xff60) ||
              (code >= 0x1f300 && code <= 0x1faff);
  return wide ? 2 : 1;
}

std::string one_line(std::string text) {
  std::string out;
  for (char c : text) {
    if (c == '\n') {
      out += "⏎";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += ' ';
    } else {
      out += c;
    }
  }
  return out;
}

std::string cut_to(std::string_view text, size_t width) {
  std::string out;
  size_t used = 0;
  while (!text.empty()) {
    std::string_view rest = text;
    size_t step = width_of(take_code_point(rest));
    if (used + step + 1 > width) return out + "…";
    out.append(text.substr(0, text.size() - rest.size()));
    used += step;
    text = rest;
  }
  return out;
}

void append_rule(std::string& out, const std::vector<size_t>& widths, std::string_view left,
                 std::string_view middle, std::string_view right) {
  out += left;
  for (size_t i = 0; i < widths.size(); ++i) {
    if (i > 0) out += middle;
    for (size_t k = 0; k < widths[i] + 2; ++k) out += "─";
  }
  out.append(right).append("\n");
}

void append_cells(std::string& out, const std::vector<std::string>& cells,
                  const std::vector<size_t>& widths, const std::vector<bool>& right_aligned) {
  for (size_t i = 0; i < widths.size(); ++i) {
    std::string text = cells[i];
    if (display_width(text) > widths[i]) text = cut_to(text, widths[i]);
    std::string padding(widths[i] - std::min(widths[i], display_width(text)), ' ');
    out += "│ ";
    out += right_aligned[i] ? padding + text : text + padding;
    out += ' ';
  }
  out += "│\n";
}

// Takes from the widest columns until the table fits.
void shrink(std::vector<size_t>& widths, size_t width_max) {
  constexpr size_t column_width_min = 8;
  auto total = [&] {
    size_t sum = 1;
    for (size_t width : widths) sum += width + 3;
    return sum;
  };
  while (total() > width_max) {
    auto widest = std::ranges::max_element(widths);
    if (*widest <= column_width_min) return;
    --*widest;
  }
}

std::string render_table(const Answer& answer, size_t width_max, size_t rows_max) {
  size_t columns = answer.columns.size();
  size_t shown = rows_max == 0 ? answer.rows.size() : std::min(rows_max, answer.rows.size());
  std::vector<size_t> widths(columns);
  std::vector<bool> right_aligned(columns, shown > 0);
  std::vector<std::vector<std::string>> cells;
  for (size_t i = 0; i < columns; ++i) widths[i] = display_width(answer.columns[i]);
  for (size_t r = 0; r < shown; ++r) {
    std::vector<std::string> line(columns);
    for (size_t i = 0; i < columns && i < answer.rows[r].size(); ++i) {
      const Json& cell = answer.rows[r][i];
      if (!cell.is_number() && !cell.is_null()) right_aligned[i] = false;
      line[i] = one_line(cell_text(cell));
      widths[i] = std::max(widths[i], display_width(line[i]));
    }
    cells.push_back(std::move(line));
  }
  if (width_max > 0) shrink(widths, width_max);
  std::string out = answer.title.empty() ? "" : answer.title + "\n";
  append_rule(out, widths, "┌", "┬", "┐");
  append_cells(out, answer.columns, widths, std::vector<bool>(columns, false));
  append_rule(out, widths, "├", "┼", "┤");
  for (const auto& line : cells) append_cells(out, line, widths, right_aligned);
  append_rule(out, widths, "└", "┴", "┘");
  if (shown < answer.rows.size())
    out += fmt::format("first {} of {} rows\n", shown, answer.rows.size());
  return out;
}

Json row_object(const Answer& answer, const std::vector<Json>& row) {
  Json object = Json::object();
  for (size_t i = 0; i < answer.columns.size(); ++i)
    object.set(answer.columns[i], i < row.size() ? row[i] : Json());
  return object;
}

void append_csv(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

std::string render_csv(const Answer& answer) {
  std::string out;
  for (size_t i = 0; i < answer.columns.size(); ++i) {
    if (i > 0) out += ',';
    append_csv(out, answer.columns[i]);
  }
  out += '\n';
  for (const auto& row : answer.rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += ',';
      append_csv(out, cell_text(row[i]));
    }
    out += '\n';
  }
  return out;
}

}  // namespace

size_t display_width(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) width += width_of(take_code_point(text));
  return width;
}

codec::Json to_json(const Answer& answer) {
  Json columns = Json::array();
  for (const std::string& name : answer.columns) columns.push(name);
  Json rows = Json::array();
  for (const auto& row : answer.rows) rows.push(Json(Json::Array(row)));
  Json notes = Json::array();
  for (const std::string& note : answer.notes) notes.push(note);
  Json more = Json::array();
  for (const Answer& further : answer.more) more.push(to_json(further));
  return Json::object({{"title", answer.title},
                       {"columns", std::move(columns)},
                       {"rows", std::move(rows)},
                       {"notes", std::move(notes)},
                       {"failed", answer.failed},
                       {"more", std::move(more)}});
}

Result<Answer> answer_from_json(const codec::Json& json) {
  if (!json["columns"].is_array() || !json["rows"].is_array())
    return Error(Code::internal, "the server's answer has no columns and rows");
  Answer answer;
  answer.title = json["title"].as_string().value_or("");
  for (const Json& name : json["columns"].elements())
    answer.columns.emplace_back(name.as_string().value_or(""));
  for (const Json& row : json["rows"].elements()) answer.rows.push_back(row.elements());
  for (const Json& note : json["notes"].elements())
    answer.notes.emplace_back(note.as_string().value_or(""));
  answer.failed = json["failed"].as_bool().value_or(false);
  for (const Json& part : json["more"].elements()) {
    auto further = answer_from_json(part);
    if (!further) return further.error();
    answer.more.push_back(std::move(*further));
  }
  return answer;
}

Result<Form> form_of(std::string_view name) {
  if (name == "table") return Form::table;
  if (name == "json") return Form::json;
  if (name == "ndjson") return Form::ndjson;
  if (name == "csv") return Form::csv;
  return Error(Code::invalid,
               fmt::format("\"{}\" is no output form; use table, json, ndjson or csv", name));
}

namespace {

Json rows_of(const Answer& answer) {
  Json rows = Json::array();
  for (const auto& row : answer.rows) rows.push(row_object(answer, row));
  return rows;
}

std::string render_one(const Answer& answer, Form form, size_t width_max, size_t rows_max) {
  switch (form) {
    case Form::table:
      return answer.columns.empty() ? "" : render_table(answer, width_max, rows_max);
    case Form::csv:
      return answer.columns.empty() ? "" : render_csv(answer);
    case Form::json:
      return codec::to_json_pretty(rows_of(answer)) + "\n";
    case Form::ndjson: {
      std::string out;
      for (const auto& row : answer.rows) out += codec::to_json(row_object(answer, row)) + "\n";
      return out;
    }
  }
  return "";
}

}  // namespace

std::string render(const Answer& answer, Form form, size_t width_max, size_t rows_max) {
  if (form == Form::json && !answer.more.empty()) {
    Json all = Json::object({{answer.title, rows_of(answer)}});
    for (const Answer& further : answer.more) all.set(further.title, rows_of(further));
    return codec::to_json_pretty(all) + "\n";
  }
  std::string out = render_one(answer, form, width_max, rows_max);
  for (const Answer& further : answer.more) {
    if (form != Form::ndjson) out += "\n";
    out += render_one(further, form, width_max, rows_max);
  }
  return out;
}

}  // namespace pinpipe::app
