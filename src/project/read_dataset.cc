// datasets/*.yaml
#include <algorithm>
#include <fmt/format.h>

#include "project/nearest.h"
#include "project/place.h"
#include "project/readers.h"

namespace pinpipe::project {
namespace {

const std::vector<std::string>& type_names() {
  static const std::vector<std::string> names = {"integer", "bigint",  "double",
                                                 "text",    "boolean", "timestamp"};
  return names;
}

columns::Column read_column(const Node::Entry& entry, Diagnostics& out) {
  columns::Column column;
  column.name = entry.key;
  std::string type;
  Position type_at = entry.value.at;
  if (entry.value.kind == Node::Kind::scalar) {
    type = entry.value.text;
  } else {
    Fields fields(entry.value, "column " + entry.key, out);
    type = fields.required_text("type");
    type_at = fields.place("type");
    column.synonyms = fields.texts("synonyms");
    column.nullable = fields.boolean("nullable", true);
    fields.finish();
  }
  if (auto known = columns::type_named(type)) {
    column.type = *known;
  } else if (!type.empty()) {
    out.add(problems::out_of_range, type_at,
            fmt::format("\"{}\" is no type; there are {}", type, fmt::join(type_names(), ", ")),
            {.hint = did_you_mean(type, type_names()), .length = type.size()});
  }
  return column;
}

columns::Schema read_schema(Fields& fields, Diagnostics& out) {
  std::vector<columns::Column> list;
  if (!fields.has("columns")) (void)fields.required_text("columns");
  fields.each("columns",
              [&](const Node::Entry& entry) { list.push_back(read_column(entry, out)); });
  if (list.empty()) return {};
  auto schema = columns::Schema::make(std::move(list));
  if (schema) return std::move(*schema);
  out.add(problems::duplicate_name, fields.place("columns"), schema.error().text());
  return {};
}

Check read_check(const Node& node, Diagnostics& out) {
  Check check;
  check.at = node.at;
  Fields fields(node, "a check", out);
  check.severity = fields.choice("severity", "error", {"error", "warn"}) == "warn"
                       ? Severity::warn
                       : Severity::error;
  std::vector<std::string> not_null = fields.texts("not_null");
  std::vector<std::string> unique = fields.texts("unique");
  int kinds = (not_null.empty() ? 0 : 1) + (unique.empty() ? 0 : 1);
  if (!not_null.empty()) check.columns = std::move(not_null);
  if (!unique.empty()) {
    check.kind = Check::Kind::unique;
    check.columns = std::move(unique);
  }
  auto bounds = [&](Fields& inner) {
    if (inner.has("min")) check.least = inner.number("min", 0);
    if (inner.has("max")) check.most = inner.number("max", 0);
  };
  if (const Node* range = fields.find("accepted_range")) {
    ++kinds;
    check.kind = Check::Kind::accepted_range;
    Fields inner(*range, "accepted_range", out);
    check.columns = {inner.required_text("column")};
    bounds(inner);
    inner.finish();
  }
  if (const Node* count = fields.find("row_count")) {
    ++kinds;
    check.kind = Check::Kind::row_count;
    Fields inner(*count, "row_count", out);
    bounds(inner);
    inner.finish();
  }
  if (const Node* relation = fields.find("relationships")) {
    ++kinds;
    check.kind = Check::Kind::relationships;
    Fields inner(*relation, "relationships", out);
    check.columns = {inner.required_text("column")};
    check.to_table = inner.required_text("to");
    check.to_column = inner.text("field", check.columns.front());
    inner.finish();
  }
  fields.finish();
  if (kinds != 1 && node.is_mapping()) {
    out.add(problems::missing_key, node.at,
            "a check says one of not_null, unique, accepted_range, row_count, relationships");
  }
  return check;
}

std::vector<Check> read_checks(Fields& fields, std::string_view key, Diagnostics& out) {
  std::vector<Check> checks;
  const Node* list = fields.find(key);
  if (list == nullptr) return checks;
  if (list->kind != Node::Kind::sequence) {
    out.add(problems::wrong_type, list->at, fmt::format("{} wants a list of checks", key));
  }
  for (const Node& item : list->items) checks.push_back(read_check(item, out));
  return checks;
}

template <class Get>
void check_unused(const Project& project, const std::string& name, std::string_view what,
                  const Position& at, Get get, Diagnostics& out) {
  if (name.empty()) return;
  for (const Dataset& other : project.datasets) {
    if (get(other) != name) continue;
    out.add(problems::duplicate_name, at,
            fmt::format("{} {} belongs to data set {} already", what, name, other.name),
            {.length = name.size()});
  }
}

// One file for both jobs, or `{batch: …}`: then no stream job takes the data set, and the SQL may
// look at more than one row. Whether there is a stream job.
bool read_clean(Fields& fields, const SqlSources& sql, Dataset& dataset, Diagnostics& out) {
  const Node* node = fields.find("clean");
  if (node == nullptr || !node->is_mapping()) {
    dataset.clean = read_sql_path(fields, "clean", sql, out);
    return true;
  }
  Fields inner(*node, "clean", out);
  dataset.clean = read_sql_path(inner, "batch", sql, out);
  inner.finish();
  return false;
}

// A folder, as a notebook names it: "/mnt/x/topics/t/partition=0/*.json" is what is below
// partition=0.
ObjectFolder read_folder(Fields& fields, const Project& project, Diagnostics& out) {
  std::string text = fields.text("objects");
  if (text.empty()) return {};
  auto refuse = [&](const std::string& why) {
    out.add(problems::bad_name, fields.place("objects"), why, {.length = text.size()});
    return ObjectFolder{};
  };
  auto place = resolve_place(text, project.mounts);
  if (!place) return refuse(place.error().text());
  if (!place->is_object())
    return refuse("objects are in a bucket: s3://bucket/folder/ or a path below a mount");
  std::string& path = place->path;
  for (std::string_view all : {"*.json", "*"}) {
    if (path.ends_with(all)) path.resize(path.size() - all.size());
  }
  if (path.find_first_of("*?{[") != std::string::npos)
    return refuse("a data set's objects are all of a folder: the pattern can only be its end, /*");
  if (!path.empty() && !path.ends_with('/')) path += '/';
  return {.bucket = std::move(place->bucket), .prefix = std::move(path)};
}

}  // namespace

void read_dataset(const Node& tree, const SqlSources& sql, Project& project, Diagnostics& out) {
  Fields fields(tree, "a data set", out);
  Dataset dataset;
  dataset.at = tree.at;
  dataset.name = fields.required_text("dataset");
  if (!dataset.name.empty())
    check_name(NameOf::dataset, dataset.name, fields.place("dataset"), out);
  dataset.topic = fields.text("topic");
  dataset.stream = fields.text("stream");
  if (fields.has("topic")) check_name(NameOf::topic, dataset.topic, fields.place("topic"), out);
  if (fields.has("stream")) check_name(NameOf::stream, dataset.stream, fields.place("stream"), out);
  if (dataset.topic.empty() && dataset.stream.empty()) {
    out.add(problems::missing_key, tree.at, "a data set comes from a topic, a stream, or both");
  }
  dataset.source_table = fields.text("source_table");
  dataset.objects = read_folder(fields, project, out);
  dataset.schema = read_schema(fields, out);
  bool is_streamed = read_clean(fields, sql, dataset, out);
  if (fields.has("quarantine")) dataset.quarantine = read_sql_path(fields, "quarantine", sql, out);
  if (const Node* tables = fields.find("tables")) {
    Fields inner(*tables, "tables", out);
    dataset.tables.batch = inner.required_text("batch");
    if (is_streamed) dataset.tables.stream = inner.text("stream");
    for (const char* key : {"batch", "stream"}) {
      std::string name = inner.text(key);
      if (!name.empty()) check_name(NameOf::table, name, inner.place(key), out);
    }
    inner.finish();
    if (dataset.tables.batch == dataset.tables.stream && !dataset.tables.batch.empty()) {
      out.add(problems::duplicate_name, tables->at,
              "the batch job and the stream job each own a table; they cannot share one");
    }
  } else {
    (void)fields.required_text("tables");
  }
  dataset.stream_job = project.stream_job;
  if (const Node* node = fields.find("stream_job")) read_stream_job(*node, dataset.stream_job, out);
  if (dataset.stream_job.input == StreamJobSettings::Input::topic && dataset.topic.empty()) {
    out.add(problems::missing_key, fields.place("stream_job"),
            "the stream job is to read the data set's topic, and it has none");
  }
  if (const Node* checks = fields.find("checks")) {
    Fields inner(*checks, "checks", out);
    dataset.raw_checks = read_checks(inner, "raw", out);
    dataset.clean_checks = read_checks(inner, "clean", out);
    inner.finish();
  }
  fields.finish();
  auto at = [&](const char* key) { return fields.place(key); };
  check_unused(
      project, dataset.name, "the name", at("dataset"), [](auto& d) { return d.name; }, out);
  check_unused(project, dataset.topic, "topic", at("topic"), [](auto& d) { return d.topic; }, out);
  check_unused(
      project, dataset.stream, "stream", at("stream"), [](auto& d) { return d.stream; }, out);
  check_unused(
      project, dataset.tables.batch, "table", at("tables"), [](auto& d) { return d.tables.batch; },
      out);
  check_unused(
      project, dataset.tables.stream, "table", at("tables"),
      [](auto& d) { return d.tables.stream; }, out);
  project.datasets.push_back(std::move(dataset));
}

}  // namespace pinpipe::project
