// The parts of load(), one per kind of file. Each takes a tree whose references are replaced.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "project/diagnostic.h"
#include "project/fields.h"
#include "project/project.h"
#include "project/yaml.h"

namespace pinpipe::project {

// The SQL files of all layers by path.
using SqlSources = std::map<std::string, std::shared_ptr<const Source>>;

void read_settings(const Node& tree, const SqlSources& sql, Project& project, Diagnostics& out);
// The keys of pinpipe.yaml that say who may come in, and how.
void read_access(Fields& settings, Project& project, Diagnostics& out);
// The key `objects`.
void read_objects(Fields& settings, ObjectSettings& objects, Diagnostics& out);
// A mapping of the key stream_job; what it does not say stays as it is.
void read_stream_job(const Node& node, StreamJobSettings& settings, Diagnostics& out);
void read_dataset(const Node& tree, const SqlSources& sql, Project& project, Diagnostics& out);
void read_dag(const Node& tree, Project& project, Diagnostics& out);
void read_tests(const Node& tree, Project& project, Diagnostics& out);
// Names in tests that lead nowhere; once all files are read.
void check_tests(const Project& project, Diagnostics& out);

// The SQL file at the path that `key` names, or an empty one after a report.
SqlFile read_sql_path(Fields& fields, std::string_view key, const SqlSources& sql,
                      Diagnostics& out);
SqlFile sql_file_at(const std::string& path, const Position& at, const SqlSources& sql,
                    Diagnostics& out);
// The query that a SQL file is: its comment block and its text.
Query read_query(std::string name, const std::string& path, const SqlSources& sql,
                 Diagnostics& out);

// What a mapping of scalars says, as texts.
Params read_params(Fields& fields, std::string_view key, Diagnostics& out);

// Reports names that the service this stands in for would refuse.
enum class NameOf { topic, stream, bucket, dag, task, table, dataset, connector };
void check_name(NameOf kind, const std::string& name, const Position& at, Diagnostics& out);

}  // namespace pinpipe::project
