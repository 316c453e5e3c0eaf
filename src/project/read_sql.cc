// SQL files: the `-- key: value` lines they begin with, and their text.
#include <array>
#include <fmt/format.h>

#include "project/nearest.h"
#include "project/readers.h"

namespace pinpipe::project {
namespace {

struct HeaderLine {
  std::string key;
  std::string value;
  Position at;  // of the value
};

const std::vector<std::string>& header_keys() {
  static const std::vector<std::string> keys = {"title", "question", "defaults",
                                                "chart", "columns",  "answers_from"};
  return keys;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

// "title: Most popular category" as key and value; nothing when the line is ordinary prose.
std::optional<std::pair<std::string_view, std::string_view>> split(std::string_view comment) {
  size_t colon = comment.find(':');
  if (colon == 0 || colon == std::string_view::npos) return std::nullopt;
  for (char c : comment.substr(0, colon)) {
    if (!(c >= 'a' && c <= 'z') && c != '_' && c != '-') return std::nullopt;
  }
  return std::pair(comment.substr(0, colon), trimmed(comment.substr(colon + 1)));
}

// The comment lines before the first statement. A line `--   more` that has no key goes on with the
// value of the line above when it is indented by three blanks or more.
std::vector<HeaderLine> header_of(const std::shared_ptr<const Source>& source, Diagnostics& out) {
  std::vector<HeaderLine> lines;
  std::string_view rest = source->text;
  for (int number = 1; !rest.empty(); ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (trimmed(line).empty()) continue;
    if (!line.starts_with("--")) break;
    std::string_view comment = trimmed(line.substr(2));
    if (line.starts_with("--   ") && !lines.empty()) {
      lines.back().value += " " + std::string(comment);
      continue;
    }
    auto parts = split(comment);
    if (!parts) continue;
    auto [key, value] = *parts;
    Position at{source, number, static_cast<int>(value.data() - line.data()) + 1};
    Position key_at{source, number, static_cast<int>(key.data() - line.data()) + 1};
    std::string near = nearest(key, header_keys());
    if (near == key) {
      lines.push_back({std::string(key), std::string(value), at});
    } else if (!near.empty()) {
      // A key that resembles none of ours is a comment that happens to have a colon.
      out.add(problems::bad_sql_header, key_at, fmt::format("a SQL file has no key \"{}\"", key),
              {.hint = did_you_mean(key, header_keys()), .length = key.size()});
    }
  }
  return lines;
}

// A value in YAML's flow style: its tree, with places in the SQL file.
std::optional<Node> flow_value(const HeaderLine& line, Diagnostics& out) {
  auto source = std::make_shared<Source>(Source{line.at.source->name, line.value});
  Diagnostics inner;
  std::optional<Node> tree = read_yaml(source, inner);
  if (tree) return tree;
  out.add(problems::bad_sql_header, line.at,
          fmt::format("{} cannot be read: {}", line.key, inner.list().front().sentence));
  return std::nullopt;
}

// Trees of flow values carry places of their own little text; this moves them into the SQL file.
void move_to(Node& node, const Position& at) {
  node.at = {at.source, at.line, at.column + node.at.column - 1};
  for (Node& item : node.items) move_to(item, at);
  for (Node::Entry& entry : node.entries) {
    entry.at = {at.source, at.line, at.column + entry.at.column - 1};
    move_to(entry.value, at);
  }
}

Chart read_chart(const Node& tree, Diagnostics& out) {
  Chart chart;
  if (tree.kind == Node::Kind::scalar) {
    chart.type = tree.text;
    return chart;
  }
  Fields fields(tree, "chart", out);
  chart.type = fields.choice("type", "table", {"bar", "line", "heat", "number", "table"});
  chart.x = fields.text("x");
  chart.y = fields.text("y");
  chart.value = fields.text("value");
  chart.series = fields.text("series");
  fields.finish();
  return chart;
}

std::vector<std::string> read_columns(const Node& tree, Diagnostics& out) {
  std::vector<std::string> names;
  if (tree.is_mapping()) {
    for (const Node::Entry& entry : tree.entries) names.push_back(entry.key);
    return names;
  }
  for (const Node& item : tree.items) {
    if (item.kind == Node::Kind::scalar) names.push_back(item.text);
  }
  if (names.empty() || names.size() != tree.items.size()) {
    out.add(problems::bad_sql_header, tree.at, "columns is a list of names: [country, category]");
  }
  return names;
}

}  // namespace

SqlFile sql_file_at(const std::string& path, const Position& at, const SqlSources& sql,
                    Diagnostics& out) {
  auto found = sql.find(path);
  if (found != sql.end()) return {path, found->second->name, found->second->text};
  std::vector<std::string> known;
  for (const auto& [known_path, source] : sql) known.push_back(known_path);
  out.add(problems::missing_file, at, fmt::format("the project has no file {}", path),
          {.hint = did_you_mean(path, known), .length = path.size()});
  return {};
}

SqlFile read_sql_path(Fields& fields, std::string_view key, const SqlSources& sql,
                      Diagnostics& out) {
  std::string path = fields.required_text(key);
  if (path.empty()) return {};
  return sql_file_at(path, fields.place(key), sql, out);
}

Query read_query(std::string name, const std::string& path, const SqlSources& sql,
                 Diagnostics& out) {
  const std::shared_ptr<const Source>& source = sql.at(path);
  Query query;
  query.name = std::move(name);
  query.title = query.name;
  query.sql = {path, source->name, source->text};
  for (const HeaderLine& line : header_of(source, out)) {
    if (line.key == "title") {
      query.title = line.value;
    } else if (line.key == "question") {
      query.question = line.value;
    } else if (line.key == "defaults") {
      query.defaults = line.value;
    } else if (line.key == "answers_from") {
      if (line.value != "batch" && line.value != "stream" && line.value != "both") {
        out.add(problems::bad_sql_header, line.at, "answers_from is batch, stream or both",
                {.length = line.value.size()});
      }
      query.answers_from = line.value;
    } else if (std::optional<Node> tree = flow_value(line, out)) {
      move_to(*tree, line.at);
      if (line.key == "chart") query.chart = read_chart(*tree, out);
      if (line.key == "columns") query.columns = read_columns(*tree, out);
    }
  }
  return query;
}

}  // namespace pinpipe::project
