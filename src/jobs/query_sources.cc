#include "jobs/query_sources.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "base/ascii.h"
#include "jobs/record_rows.h"
#include "lake/catalog.h"
#include "lake/moment.h"
#include "lake/scan.h"
#include "project/place.h"

namespace pinpipe::jobs {
namespace {

using sql::Reference;

// `*` is any run of characters, `?` one. Linear but for backtracking to the last star.
bool matches(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;
  size_t behind_star = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      behind_star = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++behind_star;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// "a.json", "a.csv", "a.parquet": how the database reads them.
std::string reader_of(const std::vector<std::string>& paths) {
  auto all_end = [&](std::string_view end) {
    return std::ranges::all_of(paths, [&](const std::string& path) { return path.ends_with(end); });
  };
  std::string list;
  for (const std::string& path : paths) list += (list.empty() ? "" : ", ") + sql::quoted_text(path);
  if (all_end(".parquet")) return fmt::format("read_parquet([{}], union_by_name = true)", list);
  if (all_end(".csv") || all_end(".csv.gz"))
    return fmt::format("read_csv([{}], union_by_name = true)", list);
  return fmt::format("read_json([{}], union_by_name = true, sample_size = 20480)", list);
}

class Finder {
 public:
  Finder(const Questions::Options& options, LakeNames& names) : options_(options), names_(names) {}

  io::Task<Result<QuerySources>> run(std::string sql) {
    auto references = sql::references_of(sql, {"topic", "stream", "objects"});
    if (!references) co_return references.error();
    // A query by key reads the few files of a table that may have it.
    within_.bounds = lake::bounds_of(sql::only_condition_of(sql));
    for (const Reference& reference : *references) {
      Status done = reference.kind == Reference::Kind::function ? co_await take_function(reference)
                                                                : co_await take_name(reference);
      if (!done) co_return done.error();
    }
    co_return std::move(found_);
  }

 private:
  const project::Project& project() const { return *options_.project; }

  // Puts the view's name in place of what was written, once made for all that write the same.
  void substitute(const Reference& reference, const sql::TableName& view) {
    found_.substitutions.push_back({reference.offset, reference.length, view.quoted()});
  }
  bool is_new(const sql::TableName& view) { return made_.insert(view.quoted()).second; }

  io::Task<Status> take_function(const Reference& reference) {
    if (reference.has_version())
      co_return Error(Code::invalid,
                      fmt::format("{}('…') has no versions; tables have", reference.parts[0]));
    const sql::TableName view{reference.parts[0], reference.argument};
    substitute(reference, view);
    if (!is_new(view)) co_return Status{};
    if (view.schema == "topic") co_return take_topic(view);
    if (view.schema == "stream") co_return take_stream(view);
    co_return co_await take_objects(view);
  }

  Status take_topic(const sql::TableName& view) {
    auto topic = options_.topics->find(view.name);
    if (!topic) return topic.error();
    found_.sources.push_back({.view = view,
                              .rows = record_rows({.topics = options_.topics,
                                                   .loop = options_.loop,
                                                   .name = topic->name,
                                                   .partitions = topic->partitions,
                                                   .stream = nullptr})});
    return {};
  }

  Status take_stream(const sql::TableName& view) {
    auto stream = options_.find_stream(view.name);
    if (!stream) return stream.error();
    auto partitions = static_cast<int32_t>((*stream)->shards.size());
    found_.sources.push_back({.view = view,
                              .rows = record_rows({.topics = options_.topics,
                                                   .loop = options_.loop,
                                                   .name = view.name,
                                                   .partitions = partitions,
                                                   .stream = *stream})});
    return {};
  }

  // "s3://bucket/key*", "bucket/key*", "/mnt/x/key*" or "dbfs:/mnt/x/key*" as bucket and pattern.
  Result<std::pair<std::string, std::string>> place_of(const std::string& text) const {
    bool is_bare = text.find(':') == std::string::npos && !text.starts_with('/');
    auto place = project::resolve_place(is_bare ? "s3://" + text : text, project().mounts);
    if (!place) return place.error().with(fmt::format("objects('{}')", text));
    if (!place->is_object())
      return Error(
          Code::invalid,
          fmt::format("objects('{0}'): a path of this machine, and SQL reads buckets only: "
                      "`pinpipe object cp {0} s3://bucket/folder/` puts a file there",
                      text));
    if (is_bare && text.find('/') == std::string::npos)
      return Error(Code::invalid, fmt::format("objects('{}'): a bucket and keys belong here: "
                                              "'s3://bucket/folder/*'",
                                              text));
    // A folder stands for what is in it, as in Spark.
    if (place->path.empty() || place->path.ends_with('/')) place->path += "*";
    return std::pair(std::move(place->bucket), std::move(place->path));
  }

  io::Task<Status> take_objects(const sql::TableName& view) {
    auto place = place_of(view.name);
    if (!place) co_return place.error();
    auto& [bucket, pattern] = *place;
    QuerySource source{.view = view};
    std::vector<std::string> paths;
    objects::ListQuery query{
        .prefix = pattern.substr(0, pattern.find_first_of("*?")), .delimiter = "", .after = ""};
    while (true) {
      auto page = co_await options_.store->list(bucket, query);
      if (!page) co_return page.error().with("bucket " + bucket);
      for (const objects::ObjectFacts& object : page->objects) {
        if (!matches(pattern, object.key) || object.size == 0) continue;
        if (paths.size() == Questions::objects_named_max)
          co_return Error(Code::busy, fmt::format("objects('{}') names more than {} objects",
                                                  view.name, Questions::objects_named_max));
        auto held = co_await options_.store->materialize(bucket, object.key);
        if (!held && held.error().code() == Code::not_found) continue;
        if (!held) co_return held.error().with("object " + object.key);
        paths.push_back(held->path);
        source.held.push_back(std::move(*held));
      }
      if (!page->truncated) break;
      query.after = page->next_after;
    }
    if (paths.empty())
      co_return Error(Code::not_found,
                      fmt::format("objects('{}') names no object that has bytes", view.name));
    source.select = "SELECT * FROM " + reader_of(paths);
    found_.sources.push_back(std::move(source));
    co_return Status{};
  }

  io::Task<Status> take_name(const Reference& reference) {
    std::vector<std::string> parts = reference.parts;
    for (std::string& part : parts) part = lowered(part);
    if (parts.size() == 2 && parts[0] == "raw") co_return co_await take_raw(reference, parts[1]);
    if (parts.size() == 2 && parts[0] == "clean") {
      if (const project::Dataset* dataset = project().find_dataset(parts[1]))
        co_return co_await take_clean(reference, *dataset, {"clean", dataset->name});
    }
    if (parts.size() == 2 && parts[0] == "live" && project().find_dataset(parts[1]))
      co_return co_await take_live(reference, parts[1]);
    if (parts.size() == 2 && parts[0] == "lake")
      co_return co_await take_table(reference, reference.parts[1], {"lake", reference.parts[1]});
    if (parts.size() != 1) co_return Status{};
    for (const project::Dataset& dataset : project().datasets) {
      if (parts[0] == "df_" + dataset.name)
        co_return co_await take_clean(reference, dataset, {"main", "df_" + dataset.name});
    }
    co_return co_await take_table(reference, reference.parts[0], {"main", reference.parts[0]});
  }

  io::Task<Status> take_raw(const Reference& reference, const std::string& name) {
    std::string dataset_name = name;
    const project::Dataset* dataset = project().find_dataset(dataset_name);
    constexpr std::string_view records = "_records";
    if (dataset == nullptr && dataset_name.ends_with(records)) {
      dataset_name.resize(dataset_name.size() - records.size());
      dataset = project().find_dataset(dataset_name);
    }
    if (dataset == nullptr) co_return Status{};
    if (reference.has_version())
      co_return Error(Code::invalid,
                      "raw." + name + " has no versions; clean." + dataset_name + " has");
    const sql::TableName view{"raw", dataset_name};
    if (!is_new(view)) co_return Status{};
    auto place = place_of_dataset(project(), *dataset);
    if (!place) co_return place.error().with("data set " + dataset_name);
    auto pinned = co_await pin_objects(*options_.store, *place);
    if (!pinned) co_return pinned.error().with("data set " + dataset_name);
    found_.sources.push_back(
        {.view = view,
         .json = sql::JsonInput{.schema = std::make_shared<const columns::Schema>(dataset->schema),
                                .open = [objects = *pinned] { return pieces_of_objects(objects); },
                                .stop = {}}});
    co_return Status{};
  }

  io::Task<Status> take_clean(const Reference& reference, const project::Dataset& dataset,
                              const sql::TableName& view) {
    if (reference.has_version())
      co_return co_await take_table(reference, dataset.tables.batch, view);
    if (!is_new(view)) co_return Status{};
    auto published = co_await options_.batch->published("");
    if (!published) co_return published.error();
    lake::Version version = published->version_of(dataset.name);
    if (version < 0)
      co_return Error(
          Code::not_found,
          fmt::format("clean.{} is not there yet; `pinpipe run` makes it", dataset.name));
    co_return co_await add_table(view, dataset.tables.batch, {.version = version});
  }

  io::Task<Status> take_live(const Reference& reference, const std::string& name) {
    const sql::TableName view{"live", name};
    if (reference.has_version())
      co_return Error(Code::invalid, fmt::format("live.{} has no versions; its table has", name));
    if (!options_.find_live || !is_new(view)) co_return Status{};
    auto live = co_await options_.find_live(name);
    if (!live) co_return live.error();
    auto scan = co_await lake::scan(*options_.lake, live->location, live->table, within_);
    if (!scan) co_return scan.error();
    auto select = live->select(scan->select);
    if (!select) co_return select.error();
    if (!live->shards.empty()) {
      found_.is_live = true;
      found_.sources.push_back({.view = {live_raw_schema, name}, .json = live->records()});
    }
    found_.sources.push_back(
        {.view = view, .select = std::move(*select), .held = std::move(scan->pinned)});
    co_return Status{};
  }

  // Any table of the lake; what is none is left to the database.
  io::Task<Status> take_table(const Reference& reference, const std::string& name,
                              sql::TableName view) {
    auto known = co_await names_.find(options_, name);
    if (!known) co_return known.error();
    if (known->empty()) {
      if (reference.has_version())
        co_return Error(Code::not_found, fmt::format("the lake has no table \"{}\"", name));
      co_return Status{};
    }
    if (reference.has_version()) {
      view.schema +=
          "@" + (reference.version ? std::to_string(*reference.version) : *reference.moment);
    }
    if (reference.has_version()) substitute(reference, view);
    if (!is_new(view)) co_return Status{};
    lake::Moment moment{.version = reference.version};
    if (reference.moment) {
      auto wall_ms = lake::parse_moment(*reference.moment);
      if (!wall_ms) co_return wall_ms.error();
      moment.wall_ms = *wall_ms;
    }
    co_return co_await add_table(view, *known, moment);
  }

  io::Task<Status> add_table(const sql::TableName& view, const std::string& name,
                             lake::Moment moment) {
    lake::Location location{options_.lake_bucket, name};
    auto snapshot = co_await lake::snapshot_at(*options_.lake, location, moment);
    if (!snapshot) co_return snapshot.error().with("table " + name);
    auto scan = co_await lake::scan(*options_.lake, location, *snapshot, within_);
    if (!scan) co_return scan.error();
    found_.sources.push_back(
        {.view = view, .select = std::move(scan->select), .held = std::move(scan->pinned)});
    co_return Status{};
  }

  const Questions::Options& options_;
  LakeNames& names_;
  QuerySources found_;
  lake::ScanOptions within_;
  std::set<std::string> made_;
};

}  // namespace

Status QuerySources::make_views(sql::Connection& connection) const {
  for (const QuerySource& source : sources) {
    Status made;
    if (source.rows) {
      made = connection.create_row_view(source.view, *source.rows);
    } else if (source.json) {
      auto scan = connection.create_json_view(source.view, *source.json);
      if (!scan) made = scan.error();
    } else {
      made = connection.create_view(source.view, source.select);
    }
    if (!made) return made;
  }
  return {};
}

io::Task<Result<LakeNames::Names>> LakeNames::listed(const Questions::Options& options) {
  int64_t now_ms = options.clock->steady_ms();
  {
    std::lock_guard lock(mutex_);
    if (names_ && now_ms - listed_ms_ < age_max_ms) co_return names_;
  }
  auto names = std::make_shared<std::vector<std::string>>();
  auto bucket = co_await options.lake->store.find_bucket(options.lake_bucket);
  if (bucket) {
    auto tables = co_await lake::list_tables(*options.lake, options.lake_bucket);
    if (!tables) co_return tables.error();
    for (const lake::Location& location : *tables) names->push_back(location.prefix);
  }
  std::lock_guard lock(mutex_);
  names_ = std::move(names);
  listed_ms_ = now_ms;
  co_return names_;
}

io::Task<Result<std::string>> LakeNames::find(const Questions::Options& options, std::string name) {
  objects::ListQuery query;
  query.prefix = lake::Location{options.lake_bucket, name}.log_directory();
  query.count_max = 1;
  auto log = co_await options.lake->store.list(options.lake_bucket, std::move(query));
  if (!log && log.error().code() != Code::not_found) co_return log.error();
  if (log && !log->objects.empty()) co_return name;
  auto names = co_await listed(options);
  if (!names) co_return names.error();
  auto known = std::ranges::find_if(
      **names, [&](const std::string& table) { return lowered(table) == lowered(name); });
  co_return known == (*names)->end() ? std::string() : *known;
}

io::Task<Result<QuerySources>> find_sources(const Questions::Options& options, LakeNames& names,
                                            std::string sql) {
  Finder finder(options, names);
  co_return co_await finder.run(std::move(sql));
}

io::Task<Result<std::vector<std::string>>> known_names(const Questions::Options& options) {
  std::vector<std::string> names;
  for (const project::Dataset& dataset : options.project->datasets) {
    for (const char* form : {"clean.{}", "raw.{}", "raw.{}_records", "df_{}"})
      names.push_back(fmt::format(fmt::runtime(form), dataset.name));
    if (options.find_live && !options.project->stream_input(dataset).empty())
      names.push_back("live." + dataset.name);
  }
  for (const project::ProjectTable& table : options.project->tables) names.push_back(table.name);
  auto bucket = co_await options.lake->store.find_bucket(options.lake_bucket);
  if (!bucket) co_return names;
  auto tables = co_await lake::list_tables(*options.lake, options.lake_bucket);
  if (!tables) co_return tables.error();
  for (const lake::Location& location : *tables) names.push_back(location.prefix);
  co_return names;
}

}  // namespace pinpipe::jobs
