#include "sink/sink_state.h"

namespace pinpipe::sink {
namespace {

constexpr std::string_view migrations[] = {
    "CREATE TABLE followed (connector TEXT, topic TEXT, partition INTEGER, incarnation TEXT,"
    " rule TEXT, PRIMARY KEY (connector, topic, partition));"
    "CREATE TABLE boundary (connector TEXT, topic TEXT, partition INTEGER, first INTEGER,"
    " ending INTEGER, PRIMARY KEY (connector, topic, partition, first))"};

}  // namespace

Result<std::unique_ptr<SinkState>> SinkState::open(const std::string& path) {
  auto database = state::Database::open(path, migrations);
  if (!database) return database.error();
  return std::unique_ptr<SinkState>(new SinkState(std::move(*database)));
}

Result<std::optional<FollowedAs>> SinkState::followed(const FollowedPartition& who) {
  return database_->read([&](state::Connection& c) -> Result<std::optional<FollowedAs>> {
    state::Rows rows = c.query(
        "SELECT incarnation, rule FROM followed WHERE connector = ? AND topic = ? AND partition = "
        "?",
        {who.connector, who.topic, who.partition});
    std::optional<FollowedAs> how;
    if (rows.next()) how = FollowedAs{Uuid::from_text(rows.text(0)).value_or(Uuid{}), rows.text(1)};
    if (!rows.status()) return rows.status().error();
    return how;
  });
}

Status SinkState::follow(const FollowedPartition& who, const FollowedAs& how) {
  return database_->write([&](state::Connection& c) -> Status {
    Status done = c.run("DELETE FROM boundary WHERE connector = ? AND topic = ? AND partition = ?",
                        {who.connector, who.topic, who.partition});
    if (!done) return done;
    return c.run(
        "INSERT OR REPLACE INTO followed VALUES (?, ?, ?, ?, ?)",
        {who.connector, who.topic, who.partition, how.incarnation.text(), how.boundary_rule});
  });
}

Status SinkState::keep_boundary(const FollowedPartition& who, int64_t from, int64_t end) {
  return database_->write([&](state::Connection& c) {
    return c.run("INSERT OR REPLACE INTO boundary VALUES (?, ?, ?, ?, ?)",
                 {who.connector, who.topic, who.partition, from, end});
  });
}

Result<std::map<int64_t, int64_t>> SinkState::boundaries(const FollowedPartition& who) {
  return database_->read([&](state::Connection& c) -> Result<std::map<int64_t, int64_t>> {
    state::Rows rows = c.query(
        "SELECT first, ending FROM boundary WHERE connector = ? AND topic = ? AND partition = ?",
        {who.connector, who.topic, who.partition});
    std::map<int64_t, int64_t> known;
    while (rows.next()) known[rows.integer(0)] = rows.integer(1);
    if (!rows.status()) return rows.status().error();
    return known;
  });
}

Status SinkState::forget_boundaries(const FollowedPartition& who, int64_t offset) {
  return database_->write([&](state::Connection& c) {
    return c.run(
        "DELETE FROM boundary WHERE connector = ? AND topic = ? AND partition = ? AND first < ?",
        {who.connector, who.topic, who.partition, offset});
  });
}

Status SinkState::forget_connector(std::string_view connector) {
  return database_->write([&](state::Connection& c) -> Status {
    Status done = c.run("DELETE FROM boundary WHERE connector = ?", {connector});
    return done ? c.run("DELETE FROM followed WHERE connector = ?", {connector}) : done;
  });
}

}  // namespace pinpipe::sink
