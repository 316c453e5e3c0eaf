#include "jobs/batch_record.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace pinpipe::jobs {
namespace {

using Listing = std::vector<objects::ObjectFacts>;

constexpr std::array<std::string_view, 3> migration_list = {
    "CREATE TABLE runs (run TEXT PRIMARY KEY, started_ms INTEGER NOT NULL, load_ms INTEGER NOT "
    "NULL,"
    " clean_ms INTEGER NOT NULL, ask_ms INTEGER NOT NULL);"
    "CREATE TABLE counts (run TEXT NOT NULL, dataset TEXT NOT NULL, objects INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, lines INTEGER NOT NULL, raw INTEGER NOT NULL, refused INTEGER NOT "
    "NULL,"
    " quarantined INTEGER NOT NULL, clean INTEGER NOT NULL, filtered INTEGER NOT NULL,"
    " version INTEGER NOT NULL,"
    " PRIMARY KEY (run, dataset));"
    "CREATE TABLE quarantine (run TEXT NOT NULL, dataset TEXT NOT NULL, source TEXT NOT NULL,"
    " line INTEGER NOT NULL, reason TEXT NOT NULL, bytes BLOB NOT NULL);",
    // Runs in the order of their serials, what each reads, what its checks found.
    "ALTER TABLE runs RENAME TO old_runs;"
    "CREATE TABLE runs (serial INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL UNIQUE,"
    " state INTEGER NOT NULL, error TEXT NOT NULL DEFAULT '', started_ms INTEGER NOT NULL,"
    " load_ms INTEGER NOT NULL DEFAULT 0, clean_ms INTEGER NOT NULL DEFAULT 0,"
    " ask_ms INTEGER NOT NULL DEFAULT 0, answers_sha256 TEXT NOT NULL DEFAULT '');"
    "INSERT INTO runs (run, state, started_ms, load_ms, clean_ms, ask_ms)"
    " SELECT run, 2, started_ms, load_ms, clean_ms, ask_ms FROM old_runs ORDER BY started_ms;"
    "DROP TABLE old_runs;"
    "ALTER TABLE counts ADD COLUMN new_objects INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE counts ADD COLUMN load TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE counts ADD COLUMN meaning TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE counts ADD COLUMN by_row INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE quarantine ADD COLUMN replayed_ms INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE objects (dataset TEXT NOT NULL, key TEXT NOT NULL, added INTEGER NOT NULL,"
    " gone INTEGER, etag TEXT NOT NULL, bytes INTEGER NOT NULL,"
    " PRIMARY KEY (dataset, key, added)) WITHOUT ROWID;"
    "CREATE TABLE checks (run TEXT NOT NULL, dataset TEXT NOT NULL, stage TEXT NOT NULL,"
    " title TEXT NOT NULL, is_error INTEGER NOT NULL, failing INTEGER NOT NULL,"
    " sample TEXT NOT NULL);"
    "CREATE TABLE answers (run TEXT NOT NULL, question TEXT NOT NULL, answered INTEGER NOT NULL);",
    // How many values the lines held. Of earlier runs only the sum is known.
    "ALTER TABLE counts ADD COLUMN held INTEGER NOT NULL DEFAULT 0;"
    "UPDATE counts SET held = raw + refused;"};

Status delete_of_run(state::Connection& state, const std::string& run) {
  for (std::string_view sql :
       {"DELETE FROM counts WHERE run = ?", "DELETE FROM checks WHERE run = ?",
        "DELETE FROM answers WHERE run = ?"}) {
    if (Status gone = state.run(sql, {run}); !gone) return gone;
  }
  return {};
}

Status save_counts(state::Connection& state, const BatchReport& report) {
  for (const DatasetCount& c : report.counts) {
    Status done =
        state.run("INSERT INTO counts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  {report.run, c.dataset, c.objects, c.bytes, c.lines, c.rows, c.refused,
                   c.quarantined, c.clean, c.filtered, c.version, c.new_objects, c.load, c.meaning,
                   c.by_row ? 1 : 0, c.values});
    if (!done) return done;
  }
  for (const CheckResult& c : report.checks) {
    Status done = state.run(
        "INSERT INTO checks VALUES (?, ?, ?, ?, ?, ?, ?)",
        {report.run, c.dataset, c.stage, c.check, c.is_error ? 1 : 0, c.failing, c.sample});
    if (!done) return done;
  }
  for (const auto& [question, rows] : report.answers) {
    Status done = state.run("INSERT INTO answers VALUES (?, ?, ?)", {report.run, question, rows});
    if (!done) return done;
  }
  return {};
}

// Those that were replayed keep their mark, also when a run that read all found them again.
Status save_quarantine(state::Connection& state, const std::string& run,
                       const std::vector<Quarantined>& quarantine,
                       const std::vector<std::string>& keeps) {
  std::map<std::string, int64_t> replayed;
  auto place = [](const std::string& dataset, const std::string& source, int64_t line) {
    return fmt::format("{}\n{}\n{}", dataset, source, line);
  };
  std::vector<std::string> datasets;
  {
    auto marked = state.query(
        "SELECT dataset, source, line, replayed_ms FROM quarantine WHERE replayed_ms <> 0");
    while (marked.next())
      replayed[place(marked.text(0), marked.text(1), marked.integer(2))] = marked.integer(3);
    auto known = state.query("SELECT DISTINCT dataset FROM quarantine");
    while (known.next()) datasets.push_back(known.text(0));
  }
  for (const std::string& dataset : datasets) {
    if (std::ranges::find(keeps, dataset) != keeps.end()) continue;
    if (Status gone = state.run("DELETE FROM quarantine WHERE dataset = ?", {dataset}); !gone)
      return gone;
  }
  for (const Quarantined& q : quarantine) {
    auto mark = replayed.find(place(q.dataset, q.source, static_cast<int64_t>(q.line)));
    Status done = state.run("INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?)",
                            {run, q.dataset, q.source, q.line, q.reason, state::Blob{q.bytes},
                             mark == replayed.end() ? 0 : mark->second});
    if (!done) return done;
  }
  return {};
}

Result<std::vector<DatasetCount>> read_counts(state::Connection& state, const std::string& run) {
  std::vector<DatasetCount> counts;
  auto rows = state.query(
      "SELECT dataset, objects, bytes, lines, raw, refused, quarantined, clean, filtered, version,"
      " new_objects, load, meaning, by_row, held FROM counts WHERE run = ? ORDER BY rowid",
      {run});
  auto number = [&](int column) { return static_cast<uint64_t>(rows.integer(column)); };
  while (rows.next()) {
    counts.push_back({.dataset = rows.text(0),
                      .objects = number(1),
                      .bytes = number(2),
                      .lines = number(3),
                      .values = number(14),
                      .rows = number(4),
                      .refused = number(5),
                      .quarantined = number(6),
                      .clean = number(7),
                      .version = rows.integer(9),
                      .filtered = rows.integer(8),
                      .new_objects = number(10),
                      .load = rows.text(11),
                      .meaning = rows.text(12),
                      .by_row = rows.integer(13) != 0});
  }
  if (!rows.status()) return rows.status().error();
  return counts;
}

Status read_details(state::Connection& state, BatchReport& report) {
  auto counts = read_counts(state, report.run);
  if (!counts) return counts.error();
  report.counts = std::move(*counts);
  auto checks = state.query(
      "SELECT dataset, stage, title, is_error, failing, sample FROM checks WHERE run = ?"
      " ORDER BY rowid",
      {report.run});
  while (checks.next()) {
    report.checks.push_back({.dataset = checks.text(0),
                             .stage = checks.text(1),
                             .check = checks.text(2),
                             .is_error = checks.integer(3) != 0,
                             .failing = static_cast<uint64_t>(checks.integer(4)),
                             .sample = checks.text(5)});
  }
  if (!checks.status()) return checks.status().error();
  auto answers = state.query("SELECT question, answered FROM answers WHERE run = ? ORDER BY rowid",
                             {report.run});
  while (answers.next())
    report.answers.emplace_back(answers.text(0), static_cast<uint64_t>(answers.integer(1)));
  return answers.status();
}

constexpr std::string_view run_columns =
    "SELECT run, serial, state, error, started_ms, load_ms, clean_ms, ask_ms, answers_sha256"
    " FROM runs";

Result<std::vector<BatchReport>> read_runs(state::Connection& state, const std::string& where,
                                           std::initializer_list<state::Value> values) {
  std::vector<BatchReport> reports;
  {
    auto rows = state.query(std::string(run_columns) + where, values);
    while (rows.next()) {
      reports.push_back({.run = rows.text(0),
                         .serial = rows.integer(1),
                         .state = static_cast<BatchReport::State>(rows.integer(2)),
                         .error = rows.text(3),
                         .started_ms = rows.integer(4),
                         .load_ms = rows.integer(5),
                         .clean_ms = rows.integer(6),
                         .ask_ms = rows.integer(7),
                         .counts = {},
                         .checks = {},
                         .answers = {},
                         .answers_sha256 = rows.text(8)});
    }
    if (!rows.status()) return rows.status().error();
  }
  for (BatchReport& report : reports) {
    if (Status read = read_details(state, report); !read) return read.error();
  }
  return reports;
}

// What a run that begins now finds new, changed or gone in the bucket.
Status take_listing(state::Connection& state, const std::string& dataset, const Listing& listing,
                    int64_t serial) {
  std::map<std::string, std::string> known;  // etags by key
  {
    auto rows =
        state.query("SELECT key, etag FROM objects WHERE dataset = ? AND gone IS NULL", {dataset});
    while (rows.next()) known.emplace(rows.text(0), rows.text(1));
    if (!rows.status()) return rows.status();
  }
  for (const objects::ObjectFacts& object : listing) {
    auto before = known.find(object.key);
    bool is_same = before != known.end() && before->second == object.etag;
    if (is_same) known.erase(before);
    if (is_same) continue;
    Status added = state.run("INSERT INTO objects VALUES (?, ?, ?, NULL, ?, ?)",
                             {dataset, object.key, serial, object.etag, object.size});
    if (!added) return added;
  }
  for (const auto& [key, etag] : known) {
    Status gone = state.run(
        "UPDATE objects SET gone = ? WHERE dataset = ? AND key = ? AND gone IS NULL AND added < ?",
        {serial, dataset, key, serial});
    if (!gone) return gone;
  }
  return {};
}

Quarantined quarantined_of(const state::Rows& rows) {
  return {.dataset = rows.text(0),
          .source = rows.text(1),
          .reason = rows.text(3),
          .bytes = rows.text(4),
          .line = static_cast<uint64_t>(rows.integer(2)),
          .id = rows.integer(5),
          .replayed_ms = rows.integer(6)};
}

}  // namespace

void DatasetCount::add(const DatasetCount& before) {
  objects += before.objects;
  bytes += before.bytes;
  lines += before.lines;
  values += before.values;
  rows += before.rows;
  refused += before.refused;
  quarantined += before.quarantined;
  clean += before.clean;
  filtered += before.filtered;
}

const DatasetCount* BatchReport::find(std::string_view dataset) const {
  auto at = std::ranges::find(counts, dataset, &DatasetCount::dataset);
  return at == counts.end() ? nullptr : &*at;
}

int64_t BatchReport::version_of(std::string_view dataset) const {
  const DatasetCount* count = find(dataset);
  return count == nullptr ? -1 : count->version;
}

uint64_t BatchReport::failed_checks() const {
  return static_cast<uint64_t>(std::ranges::count_if(
      checks, [](const CheckResult& check) { return check.is_error && !check.is_ok(); }));
}

std::string_view name_of(BatchReport::State state) {
  switch (state) {
    case BatchReport::State::begun:
      return "begun";
    case BatchReport::State::failed:
      return "failed";
    case BatchReport::State::published:
      return "success";
  }
  return "?";
}

std::span<const std::string_view> BatchRecords::migrations() {
  return migration_list;
}

Result<BatchReport> BatchRecords::begin(const std::string& run, int64_t now_ms,
                                        const Listings& listings) {
  auto known = find(run);
  if (known || known.error().code() != Code::not_found) return known;
  Status written = state_.write([&](state::Connection& state) -> Status {
    if (Status made = state.run("INSERT INTO runs (run, state, started_ms) VALUES (?, ?, ?)",
                                {run, static_cast<int>(BatchReport::State::begun), now_ms});
        !made) {
      return made;
    }
    int64_t serial = 0;
    {
      auto row = state.query("SELECT serial FROM runs WHERE run = ?", {run});
      if (row.next()) serial = row.integer(0);
    }
    for (const auto& [dataset, listing] : listings) {
      if (Status taken = take_listing(state, dataset, listing, serial); !taken) return taken;
    }
    return {};
  });
  if (!written) return written.error();
  return find(run);
}

Result<BatchRecords::Inputs> BatchRecords::inputs(const std::string& dataset, int64_t serial) {
  return state_.read([&](state::Connection& state) -> Result<Inputs> {
    Inputs inputs;
    auto rows = state.query(
        "SELECT key, etag, bytes, added FROM objects"
        " WHERE dataset = ? AND added <= ? AND (gone IS NULL OR gone > ?) ORDER BY key",
        {dataset, serial, serial});
    while (rows.next()) {
      inputs.objects.push_back({.key = rows.text(0),
                                .etag = rows.text(1),
                                .bytes = static_cast<uint64_t>(rows.integer(2)),
                                .added = rows.integer(3)});
    }
    if (!rows.status()) return rows.status().error();
    auto loss =
        state.query("SELECT coalesce(max(gone), 0) FROM objects WHERE dataset = ? AND gone <= ?",
                    {dataset, serial});
    if (loss.next()) inputs.last_loss = loss.integer(0);
    if (!loss.status()) return loss.status().error();
    return inputs;
  });
}

Status BatchRecords::save(const BatchReport& report, const std::vector<Quarantined>& quarantine,
                          const std::vector<std::string>& keeps) {
  return state_.write([&](state::Connection& state) -> Status {
    if (Status gone = delete_of_run(state, report.run); !gone) return gone;
    if (Status done = state.run(
            "UPDATE runs SET state = ?, error = ?, started_ms = ?, load_ms = ?,"
            " clean_ms = ?, ask_ms = ?, answers_sha256 = ? WHERE run = ?",
            {static_cast<int>(report.state), report.error, report.started_ms, report.load_ms,
             report.clean_ms, report.ask_ms, report.answers_sha256, report.run});
        !done) {
      return done;
    }
    if (Status done = save_counts(state, report); !done) return done;
    if (report.state == BatchReport::State::published) {
      if (Status done = save_quarantine(state, report.run, quarantine, keeps); !done) return done;
    }
    if (Status done = state.run("DELETE FROM runs WHERE serial NOT IN"
                                " (SELECT serial FROM runs ORDER BY serial DESC LIMIT ?)",
                                {runs_kept_max});
        !done) {
      return done;
    }
    for (std::string_view sql : {"DELETE FROM counts WHERE run NOT IN (SELECT run FROM runs)",
                                 "DELETE FROM checks WHERE run NOT IN (SELECT run FROM runs)",
                                 "DELETE FROM answers WHERE run NOT IN (SELECT run FROM runs)",
                                 "DELETE FROM objects WHERE gone IS NOT NULL"
                                 " AND gone <= (SELECT min(serial) FROM runs)"}) {
      if (Status gone = state.run(sql); !gone) return gone;
    }
    return {};
  });
}

Result<std::vector<BatchReport>> BatchRecords::reports(size_t count_max, bool only_published) {
  return state_.read([&](state::Connection& state) {
    return read_runs(state,
                     only_published ? " WHERE state = 2 ORDER BY serial DESC LIMIT ?"
                                    : " ORDER BY serial DESC LIMIT ?",
                     {count_max});
  });
}

Result<BatchReport> BatchRecords::find(const std::string& run) {
  auto found = state_.read(
      [&](state::Connection& state) { return read_runs(state, " WHERE run = ?", {run}); });
  if (!found) return found.error();
  if (found->empty())
    return Error(Code::not_found,
                 fmt::format("there is no batch run \"{}\"; `pinpipe batch runs` lists them", run));
  return std::move(found->front());
}

Result<std::vector<Quarantined>> BatchRecords::quarantine(size_t count_max) {
  return state_.read([&](state::Connection& state) -> Result<std::vector<Quarantined>> {
    std::vector<Quarantined> list;
    auto rows = state.query(
        "SELECT dataset, source, line, reason, bytes, rowid, replayed_ms FROM quarantine"
        " ORDER BY rowid LIMIT ?",
        {count_max});
    while (rows.next()) list.push_back(quarantined_of(rows));
    if (!rows.status()) return rows.status().error();
    return list;
  });
}

Result<Quarantined> BatchRecords::quarantined(int64_t id) {
  return state_.read([&](state::Connection& state) -> Result<Quarantined> {
    auto rows = state.query(
        "SELECT dataset, source, line, reason, bytes, rowid, replayed_ms FROM quarantine"
        " WHERE rowid = ?",
        {id});
    if (rows.next()) return quarantined_of(rows);
    if (!rows.status()) return rows.status().error();
    return Error(Code::not_found, fmt::format("nothing in quarantine has the number {}; `pinpipe "
                                              "quarantine list` shows what there is",
                                              id));
  });
}

Status BatchRecords::mark_replayed(int64_t id, int64_t now_ms) {
  return state_.write([&](state::Connection& state) {
    return state.run("UPDATE quarantine SET replayed_ms = ? WHERE rowid = ?", {now_ms, id});
  });
}

}  // namespace pinpipe::jobs
