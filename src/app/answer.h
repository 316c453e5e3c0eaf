// What a command found out: named columns and rows, and how they are printed. stdout carries only
// this; sentences for people go to stderr.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/json.h"

namespace pinpipe::app {

struct Answer {
  std::string title;  // printed above a table only
  std::vector<std::string> columns;
  std::vector<std::vector<codec::Json>> rows;
  std::vector<std::string> notes;  // for people: defaults that were used, what to do next
  bool failed = false;             // the work ran and failed: exit code 1, rows say why
  std::vector<Answer> more = {};   // further tables, each with its own title

  void add_row(std::vector<codec::Json> row) { rows.push_back(std::move(row)); }
};

codec::Json to_json(const Answer& answer);
Result<Answer> answer_from_json(const codec::Json& json);

enum class Form { table, json, ndjson, csv };
Result<Form> form_of(std::string_view name);

// The rows in that form, ending in a newline unless empty. A table is at most width_max columns
// wide: longer cells are cut with "…"; 0 is no limit. Further tables follow, in JSON as one object
// by title.
std::string render(const Answer& answer, Form form, size_t width_max = 0, size_t rows_max = 0);

// How many terminal columns UTF-8 text takes, near enough for tables: combining marks 0, wide East
// Asian characters and emoji 2.
size_t display_width(std::string_view text);

}  // namespace pinpipe::app
