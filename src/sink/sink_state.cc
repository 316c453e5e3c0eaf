#include "sink/sink_state.h"

namespace pinpipe::sink {
namespace {

constexpr std::string_view migrations[] = {
    "CREATE TABLE followed (connector TEXT, topic TEXT, partition INTEGER, incarnation TEXT,"
    " rule TEXT, PRIMARY KEY (connector, topic, partition));"
    "CREATE TABLE boundary (connector TEXT, topic TEXT, partition INTEGER, first INTEGER,"
    " ending INTEGER, PRIMARY KEY (connector, topic, partition, first))",
    "ALTER TABLE boundary ADD COLUMN path TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE followed ADD COLUMN bucket TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE followed ADD COLUMN prefix TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE followed ADD COLUMN stem TEXT NOT NULL DEFAULT '';"
    "CREATE TABLE connector (name TEXT PRIMARY KEY, config TEXT, state TEXT, declared TEXT)"};

}  // namespace

Result<std::unique_ptr<SinkState>> SinkState::open(const std::string& path) {
  auto database = state::Database::open(path, migrations);
  if (!database) return database.error();
  return std::unique_ptr<SinkState>(new SinkState(std::move(*database)));
}

Result<std::optional<FollowedAs>> SinkState::followed(const FollowedPartition& who) {
  return database_->read([&](state::Connection& c) -> Result<std::optional<FollowedAs>> {
    state::Rows rows = c.query(
        "SELECT incarnation, rule, bucket, prefix, stem FROM followed WHERE connector = ? AND "
        "topic = ?"
        " AND partition = ?",
        {who.connector, who.topic, who.partition});
    std::optional<FollowedAs> how;
    if (rows.next())
      how = FollowedAs{Uuid::from_text(rows.text(0)).value_or(Uuid{}), rows.text(1), rows.text(2),
                       rows.text(3), rows.text(4)};
    if (!rows.status()) return rows.status().error();
    return how;
  });
}

Status SinkState::follow(const FollowedPartition& who, const FollowedAs& how) {
  return database_->write([&](state::Connection& c) -> Status {
    Status done = c.run("DELETE FROM boundary WHERE connector = ? AND topic = ? AND partition = ?",
                        {who.connector, who.topic, who.partition});
    if (!done) return done;
    return c.run("INSERT OR REPLACE INTO followed VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                 {who.connector, who.topic, who.partition, how.incarnation.text(),
                  how.boundary_rule, how.bucket, how.prefix, how.stem});
  });
}

Status SinkState::keep_boundary(const FollowedPartition& who, int64_t from,
                                const Boundary& boundary) {
  return database_->write([&](state::Connection& c) {
    return c.run("INSERT OR REPLACE INTO boundary VALUES (?, ?, ?, ?, ?, ?)",
                 {who.connector, who.topic, who.partition, from, boundary.end, boundary.path});
  });
}

Result<std::map<int64_t, Boundary>> SinkState::boundaries(const FollowedPartition& who) {
  return database_->read([&](state::Connection& c) -> Result<std::map<int64_t, Boundary>> {
    state::Rows rows = c.query(
        "SELECT first, ending, path FROM boundary WHERE connector = ? AND topic = ? AND partition "
        "= ?",
        {who.connector, who.topic, who.partition});
    std::map<int64_t, Boundary> known;
    while (rows.next()) known[rows.integer(0)] = {rows.integer(1), rows.text(2)};
    if (!rows.status()) return rows.status().error();
    return known;
  });
}

Status SinkState::forget_boundaries(const FollowedPartition& who, int64_t offset) {
  return database_->write([&](state::Connection& c) {
    return c.run(
        "DELETE FROM boundary WHERE connector = ? AND topic = ? AND partition = ? AND ending <= ?",
        {who.connector, who.topic, who.partition, offset});
  });
}

Result<std::vector<ConnectorRow>> SinkState::connectors() {
  return database_->read([&](state::Connection& c) -> Result<std::vector<ConnectorRow>> {
    state::Rows rows = c.query("SELECT name, config, state, declared FROM connector ORDER BY name");
    std::vector<ConnectorRow> all;
    while (rows.next()) all.push_back({rows.text(0), rows.text(1), rows.text(2), rows.text(3)});
    if (!rows.status()) return rows.status().error();
    return all;
  });
}

Status SinkState::keep_connector(const ConnectorRow& row) {
  return database_->write([&](state::Connection& c) {
    return c.run("INSERT OR REPLACE INTO connector VALUES (?, ?, ?, ?)",
                 {row.name, row.config, row.state, row.declared});
  });
}

}  // namespace pinpipe::sink
