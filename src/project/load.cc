#include "project/load.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "project/nearest.h"
#include "project/readers.h"

namespace pinpipe::project {
namespace {

constexpr std::string_view settings_file = "pinpipe.yaml";

class Loader {
 public:
  Loader(const LoadOptions& options, Diagnostics& out)
      : options_(options), out_(out), variables_(options.environment, options.secrets) {}

  void take(const FileSet& layer) {
    for (const auto& [path, text] : layer.texts) {
      auto source = std::make_shared<const Source>(Source{layer.name_of(path), text});
      if (path.ends_with(".sql")) {
        sql_[path] = std::move(source);
      } else if (belongs(path, source)) {
        take_tree(path, std::move(source));
      }
    }
  }

  std::optional<Project> finish(std::string origin) {
    Project project;
    project.origin = origin;
    auto settings = trees_.find(std::string(settings_file));
    if (settings == trees_.end()) {
      if (!seen_.contains(std::string(settings_file))) {
        Position at{std::make_shared<const Source>(Source{std::move(origin), {}}), 0, 0};
        out_.add(problems::missing_file, at, "the project has no file pinpipe.yaml",
                 {.help = "pinpipe init"});
      }
      return project;
    }
    variables_.define(settings->second.find("vars"), options_.variables, out_);
    for (auto& [path, tree] : trees_) {
      // The values of vars have been replaced already, in their own order.
      std::erase_if(tree.entries, [&](const Node::Entry& entry) {
        return path == settings_file && entry.key == "vars";
      });
      variables_.replace_in(tree, out_);
    }
    project.variables = variables_.values();
    read_settings(settings->second, sql_, project, out_);
    for (const auto& [path, tree] : trees_) {
      if (path.starts_with("datasets/")) read_dataset(tree, sql_, project, out_);
      if (path.starts_with("dags/")) read_dag(tree, project, out_);
      if (path.starts_with("tests/")) read_tests(tree, project, out_);
    }
    check_tests(project, out_);
    check_relations(project);
    return project;
  }

 private:
  // A YAML file outside the known folders would be ignored in silence.
  bool belongs(const std::string& path, const std::shared_ptr<const Source>& source) {
    static const std::vector<std::string> folders = {"datasets", "dags", "tests", "fixtures"};
    seen_.insert(path);
    if (path == settings_file) return true;
    std::string folder = path.substr(0, path.find('/'));
    bool in_folder = folder.size() < path.size();
    if (in_folder && folder == "fixtures") return false;
    if (in_folder && std::find(folders.begin(), folders.end(), folder) != folders.end())
      return true;
    std::string hint = did_you_mean(in_folder ? folder : path,
                                    in_folder ? folders : std::vector<std::string>{"pinpipe.yaml"});
    out_.add(problems::unknown_name, {source, 0, 0}, "nothing reads this file",
             {.hint = hint,
              .help = fmt::format("a project has pinpipe.yaml and the folders sql, {}",
                                  fmt::join(folders, ", "))});
    return false;
  }

  void take_tree(const std::string& path, std::shared_ptr<const Source> source) {
    std::optional<Node> tree = read_yaml(source, out_);
    if (!tree) return;
    if (tree->kind == Node::Kind::null) tree->at = {source, 0, 0};
    auto [known, fresh] = trees_.try_emplace(path, *tree);
    if (!fresh) lay_over(known->second, *tree);
  }

  // Checks that name another data set's table.
  void check_relations(const Project& project) {
    std::vector<std::string> names;
    for (const Dataset& dataset : project.datasets) {
      names.push_back("raw." + dataset.name);
      names.push_back("clean." + dataset.name);
    }
    for (const Dataset& dataset : project.datasets) {
      for (const auto* checks : {&dataset.raw_checks, &dataset.clean_checks}) {
        for (const Check& check : *checks) {
          if (check.kind != Check::Kind::relationships || check.to_table.empty()) continue;
          if (std::find(names.begin(), names.end(), check.to_table) != names.end()) continue;
          out_.add(problems::unknown_name, check.at,
                   fmt::format("there is no table {}", check.to_table),
                   {.hint = did_you_mean(check.to_table, names)});
        }
      }
    }
  }

  const LoadOptions& options_;
  Diagnostics& out_;
  Variables variables_;
  std::map<std::string, Node> trees_;
  SqlSources sql_;
  std::set<std::string> seen_;
};

Loaded load_into(std::span<const FileSet> layers, const LoadOptions& options, Diagnostics& out) {
  Loader loader(options, out);
  for (const FileSet& layer : layers) loader.take(layer);
  Loaded loaded;
  loaded.project = loader.finish(layers.empty() ? "" : layers.back().origin);
  if (!out.empty()) loaded.project.reset();
  loaded.diagnostics = out.take();
  return loaded;
}

template <class List, class Key>
auto find_named(const List& list, Key key, std::string_view name) -> decltype(list.data()) {
  for (const auto& item : list) {
    if (item.*key == name) return &item;
  }
  return nullptr;
}

}  // namespace

const Dataset* Project::find_dataset(std::string_view dataset) const {
  return find_named(datasets, &Dataset::name, dataset);
}
const Query* Project::find_query(std::string_view query) const {
  return find_named(queries, &Query::name, query);
}
const DagSpec* Project::find_dag(std::string_view id) const {
  return find_named(dags, &DagSpec::id, id);
}

Loaded load(std::span<const FileSet> layers, const LoadOptions& options) {
  Diagnostics out;
  return load_into(layers, options, out);
}

Loaded load(const FileSet& files, const LoadOptions& options) {
  return load(std::span(&files, 1), options);
}

Loaded load_directories(io::Files& files, std::vector<FileSet> layers,
                        std::span<const std::string> directories, const LoadOptions& options) {
  Diagnostics out;
  for (const std::string& directory : directories) {
    layers.push_back(read_directory(files, directory, out));
  }
  return load_into(layers, options, out);
}

}  // namespace pinpipe::project
