// What the batch job keeps of its runs: reports and quarantined values.
#include <array>

#include "jobs/batch.h"

namespace pinpipe::jobs {
namespace {

constexpr std::array<std::string_view, 1> migration_list = {
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
    " line INTEGER NOT NULL, reason TEXT NOT NULL, bytes BLOB NOT NULL);"};

constexpr int64_t runs_kept_max = 1000;

Status save_counts(state::Connection& state, const BatchReport& report) {
  for (const DatasetCount& c : report.counts) {
    Status done = state.run("INSERT INTO counts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                            {report.run, c.dataset, c.objects, c.bytes, c.lines, c.rows, c.refused,
                             c.quarantined, c.clean, c.filtered, c.version});
    if (!done) return done;
  }
  return {};
}

// The quarantine is that of the last run: each run loads everything anew.
Status save_quarantine(state::Connection& state, const std::string& run,
                       const std::vector<Quarantined>& quarantine) {
  if (Status gone = state.run("DELETE FROM quarantine"); !gone) return gone;
  for (const Quarantined& q : quarantine) {
    Status done = state.run("INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?)",
                            {run, q.dataset, q.source, q.line, q.reason, state::Blob{q.bytes}});
    if (!done) return done;
  }
  return {};
}

Result<std::vector<DatasetCount>> read_counts(state::Connection& state, const std::string& run) {
  std::vector<DatasetCount> counts;
  auto rows = state.query(
      "SELECT dataset, objects, bytes, lines, raw, refused, quarantined, clean, filtered, version"
      " FROM counts WHERE run = ? ORDER BY rowid",
      {run});
  auto number = [&](int column) { return static_cast<uint64_t>(rows.integer(column)); };
  while (rows.next()) {
    counts.push_back({.dataset = rows.text(0),
                      .objects = number(1),
                      .bytes = number(2),
                      .lines = number(3),
                      .rows = number(4),
                      .refused = number(5),
                      .quarantined = number(6),
                      .clean = number(7),
                      .version = rows.integer(9),
                      .filtered = rows.integer(8)});
  }
  if (!rows.status()) return rows.status().error();
  return counts;
}

}  // namespace

std::span<const std::string_view> Batch::migrations() {
  return migration_list;
}

Status Batch::save(const BatchReport& report, const std::vector<Quarantined>& quarantine) {
  return options_.state->write([&](state::Connection& state) -> Status {
    // A run that is repeated under its name, after a crash behind the publication, replaces itself.
    for (std::string_view sql :
         {"DELETE FROM runs WHERE run = ?", "DELETE FROM counts WHERE run = ?"}) {
      if (Status gone = state.run(sql, {report.run}); !gone) return gone;
    }
    if (Status done = state.run(
            "INSERT INTO runs VALUES (?, ?, ?, ?, ?)",
            {report.run, report.started_ms, report.load_ms, report.clean_ms, report.ask_ms});
        !done) {
      return done;
    }
    if (Status done = save_counts(state, report); !done) return done;
    if (Status done = save_quarantine(state, report.run, quarantine); !done) return done;
    if (Status done = state.run("DELETE FROM runs WHERE run NOT IN"
                                " (SELECT run FROM runs ORDER BY started_ms DESC LIMIT ?)",
                                {runs_kept_max});
        !done) {
      return done;
    }
    return state.run("DELETE FROM counts WHERE run NOT IN (SELECT run FROM runs)");
  });
}

io::Task<Result<std::vector<BatchReport>>> Batch::reports(size_t count_max) {
  co_return co_await options_.work->run([&] {
    return options_.state->read([&](state::Connection& state) -> Result<std::vector<BatchReport>> {
      std::vector<BatchReport> reports;
      {
        auto rows = state.query(
            "SELECT run, started_ms, load_ms, clean_ms, ask_ms FROM runs"
            " ORDER BY started_ms DESC, rowid DESC LIMIT ?",
            {count_max});
        while (rows.next()) {
          reports.push_back({.run = rows.text(0),
                             .started_ms = rows.integer(1),
                             .load_ms = rows.integer(2),
                             .clean_ms = rows.integer(3),
                             .ask_ms = rows.integer(4),
                             .counts = {}});
        }
        if (!rows.status()) return rows.status().error();
      }
      for (BatchReport& report : reports) {
        auto counts = read_counts(state, report.run);
        if (!counts) return counts.error();
        report.counts = std::move(*counts);
      }
      return reports;
    });
  });
}

io::Task<Result<std::vector<Quarantined>>> Batch::quarantine(size_t count_max) {
  co_return co_await options_.work->run([&] {
    return options_.state->read([&](state::Connection& state) -> Result<std::vector<Quarantined>> {
      std::vector<Quarantined> list;
      auto rows = state.query(
          "SELECT dataset, source, line, reason, bytes FROM quarantine ORDER BY rowid LIMIT ?",
          {count_max});
      while (rows.next()) {
        list.push_back({.dataset = rows.text(0),
                        .source = rows.text(1),
                        .reason = rows.text(3),
                        .bytes = rows.text(4),
                        .line = static_cast<uint64_t>(rows.integer(2))});
      }
      if (!rows.status()) return rows.status().error();
      return list;
    });
  });
}

}  // namespace pinpipe::jobs
