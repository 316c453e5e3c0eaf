// tests/*.yaml: rows that are given, and what the project's SQL is expected to make of them.
//   tests:
//     - test: follower counts become whole numbers
//       run: clean.pin                      # or quarantine.pin, or a question: q5
//       given: {raw.pin: [{index: 1, follower_count: 136k}]}
//       expect: [{ind: 1, follower_count: 136000}]
#include <algorithm>
#include <fmt/format.h>

#include "project/nearest.h"
#include "project/readers.h"

namespace pinpipe::project {
namespace {

TestCell cell_of(const Node& node, Diagnostics& out) {
  TestCell cell;
  if (node.kind == Node::Kind::scalar) {
    cell.is_null = !node.quoted && (node.text == "null" || node.text == "~");
    cell.is_text = node.quoted;
    cell.text = node.text;
  } else if (node.kind == Node::Kind::sequence) {
    for (const Node& item : node.items)
      cell.text += (cell.text.empty() ? "[" : ", ") + cell_of(item, out).text;
    cell.text += cell.text.empty() ? "[]" : "]";
  } else if (node.kind == Node::Kind::null) {
    cell.is_null = true;
  } else {
    out.add(problems::wrong_type, node.at, "a cell is a scalar or a list");
  }
  return cell;
}

std::vector<TestRow> rows_of(const Node& list, std::string_view what, Diagnostics& out) {
  std::vector<TestRow> rows;
  if (list.kind == Node::Kind::null) return rows;
  if (list.kind != Node::Kind::sequence) {
    out.add(problems::wrong_type, list.at, fmt::format("{} wants a list of rows", what));
    return rows;
  }
  for (const Node& item : list.items) {
    TestRow& row = rows.emplace_back();
    if (!item.is_mapping()) {
      out.add(problems::wrong_type, item.at, "a row is a mapping: {ind: 1, title: a}");
      continue;
    }
    for (const Node::Entry& entry : item.entries)
      row.emplace_back(entry.key, cell_of(entry.value, out));
  }
  return rows;
}

TestSpec read_spec(const Node& node, Diagnostics& out) {
  TestSpec test;
  test.at = node.at;
  Fields fields(node, "a test", out);
  test.name = fields.required_text("test");
  test.run = fields.required_text("run");
  test.run_at = fields.place("run");
  fields.each("given", [&](const Node::Entry& entry) {
    test.given.emplace_back(entry.key, rows_of(entry.value, entry.key, out));
    test.given_at.push_back(entry.at);
  });
  if (const Node* expect = fields.find("expect")) test.expect = rows_of(*expect, "expect", out);
  fields.finish();
  return test;
}

}  // namespace

void read_tests(const Node& tree, Project& project, Diagnostics& out) {
  Fields fields(tree, "a file of tests", out);
  if (const Node* list = fields.find("tests")) {
    if (list->kind != Node::Kind::sequence)
      out.add(problems::wrong_type, list->at, "tests wants a list of tests");
    for (const Node& item : list->items) project.tests.push_back(read_spec(item, out));
  }
  fields.finish();
}

void check_tests(const Project& project, Diagnostics& out) {
  std::vector<std::string> given;
  std::vector<std::string> runs;
  for (const Dataset& dataset : project.datasets) {
    given.push_back("raw." + dataset.name);
    given.push_back("clean." + dataset.name);
    runs.push_back("clean." + dataset.name);
    if (!dataset.quarantine.text.empty()) runs.push_back("quarantine." + dataset.name);
  }
  for (const Query& query : project.queries) runs.push_back(query.name);
  auto known = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const TestSpec& test : project.tests) {
    if (!test.run.empty() && !known(runs, test.run)) {
      out.add(problems::unknown_name, test.run_at, fmt::format("there is no {} to run", test.run),
              {.hint = did_you_mean(test.run, runs), .length = test.run.size()});
    }
    for (size_t i = 0; i < test.given.size(); ++i) {
      const std::string& name = test.given[i].first;
      if (known(given, name)) continue;
      out.add(problems::unknown_name, test.given_at[i], fmt::format("there is no table {}", name),
              {.hint = did_you_mean(name, given), .length = name.size()});
    }
  }
}

}  // namespace pinpipe::project
