#include "broker/streams_rows.h"

#include <array>

namespace pinpipe::broker::stream_rows {
namespace {

constexpr std::array<std::string_view, 2> scripts = {
    "CREATE TABLE streams (name TEXT PRIMARY KEY, id TEXT, created_ms INTEGER NOT NULL, on_demand "
    "INTEGER NOT NULL, record_kib INTEGER NOT NULL);"
    "CREATE TABLE shards (stream TEXT NOT NULL, number INTEGER NOT NULL, created_s INTEGER NOT "
    "NULL, first_key TEXT NOT NULL, last_key TEXT NOT NULL, parent INTEGER, adjacent_parent "
    "INTEGER, closed_ms INTEGER, end_offset INTEGER, PRIMARY KEY (stream, number));"
    "CREATE TABLE tags (stream TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY "
    "(stream, key));"
    "CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL);",
    "CREATE TABLE consumers (stream TEXT NOT NULL, name TEXT NOT NULL, created_ms INTEGER NOT "
    "NULL, PRIMARY KEY (stream, name));"
    "CREATE TABLE consumer_tags (stream TEXT NOT NULL, consumer TEXT NOT NULL, key TEXT NOT NULL, "
    "value TEXT NOT NULL, PRIMARY KEY (stream, consumer, key));"};

constexpr size_t ticket_key_bytes = 32;

std::optional<int32_t> small(std::optional<int64_t> number) {
  if (!number) return std::nullopt;
  return static_cast<int32_t>(*number);
}

Status put_shard(state::Connection& c, std::string_view stream, const Shard& shard) {
  std::optional<int64_t> closed_ms;
  std::optional<int64_t> end;
  if (shard.closed) {
    closed_ms = shard.closed->at_ms;
    end = shard.closed->end;
  }
  return c.run(
      "INSERT OR REPLACE INTO shards (stream, number, created_s, first_key, last_key, parent, "
      "adjacent_parent, closed_ms, end_offset) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {stream, shard.number, shard.created_s, to_decimal(shard.range.first),
       to_decimal(shard.range.last), shard.parent, shard.adjacent_parent, closed_ms, end});
}

Status put_tags(state::Connection& c, std::string_view stream,
                const std::map<std::string, std::string>& tags) {
  for (const auto& [key, value] : tags) {
    Status put = c.run("INSERT OR REPLACE INTO tags (stream, key, value) VALUES (?, ?, ?)",
                       {stream, key, value});
    if (!put) return put;
  }
  return {};
}

Status put_consumer_tags(state::Connection& c, std::string_view stream, std::string_view name,
                         const std::map<std::string, std::string>& tags) {
  for (const auto& [key, value] : tags) {
    Status put = c.run(
        "INSERT OR REPLACE INTO consumer_tags (stream, consumer, key, value) VALUES (?, ?, ?, ?)",
        {stream, name, key, value});
    if (!put) return put;
  }
  return {};
}

Status read_shards(state::Connection& c, Stream& stream) {
  auto rows = c.query(
      "SELECT number, created_s, first_key, last_key, parent, adjacent_parent, closed_ms, "
      "end_offset FROM shards WHERE stream = ? ORDER BY number",
      {stream.name});
  std::vector<Shard> shards;
  while (rows.next()) {
    auto first = hash_key_of(rows.text(2));
    auto last = hash_key_of(rows.text(3));
    if (!first || !last || rows.integer(0) != static_cast<int64_t>(shards.size()))
      return Error(Code::corrupt, "stream " + stream.name + " has a shard that makes no sense");
    Shard shard{.number = static_cast<int32_t>(rows.integer(0)),
                .created_s = rows.integer(1),
                .range = {*first, *last},
                .parent = small(rows.maybe_integer(4)),
                .adjacent_parent = small(rows.maybe_integer(5)),
                .closed = {}};
    if (!rows.is_null(6)) shard.closed = {rows.integer(6), rows.integer(7)};
    shards.push_back(shard);
  }
  stream.set_shards(std::move(shards));
  return rows.status();
}

Status read_tags(state::Connection& c, Stream& stream) {
  auto rows = c.query("SELECT key, value FROM tags WHERE stream = ?", {stream.name});
  while (rows.next()) stream.tags.emplace(rows.text(0), rows.text(1));
  return rows.status();
}

Status read_consumers(state::Connection& c, Stream& stream) {
  {
    auto rows = c.query("SELECT name, created_ms FROM consumers WHERE stream = ?", {stream.name});
    while (rows.next()) {
      std::string name(rows.text(0));
      stream.consumers[name] = {.name = name, .created_ms = rows.integer(1), .tags = {}};
    }
    if (!rows.status()) return rows.status();
  }
  auto rows =
      c.query("SELECT consumer, key, value FROM consumer_tags WHERE stream = ?", {stream.name});
  while (rows.next()) {
    auto found = stream.consumers.find(rows.text(0));
    if (found != stream.consumers.end()) found->second.tags.emplace(rows.text(1), rows.text(2));
  }
  return rows.status();
}

}  // namespace

std::span<const std::string_view> migrations() {
  return scripts;
}

Result<std::vector<Row>> read_all(state::Database& database) {
  return database.read([](state::Connection& c) -> Result<std::vector<Row>> {
    std::vector<Row> found;
    {
      auto rows = c.query("SELECT name, id, created_ms, on_demand, record_kib FROM streams");
      while (rows.next()) {
        Row& row = found.emplace_back();
        row.stream.name = rows.text(0);
        row.creating = rows.is_null(1);
        row.stream.id = Uuid::from_text(rows.text(1)).value_or(Uuid{});
        row.stream.created_ms = rows.integer(2);
        row.stream.on_demand = rows.integer(3) != 0;
        row.stream.record_kib = static_cast<int32_t>(rows.integer(4));
      }
      if (!rows.status()) return rows.status().error();
    }
    for (Row& row : found) {
      Status read = read_shards(c, row.stream);
      if (read) read = read_tags(c, row.stream);
      if (read) read = read_consumers(c, row.stream);
      if (!read) return read.error();
    }
    return found;
  });
}

Status insert(state::Database& database, const Stream& stream) {
  return database.write([&](state::Connection& c) -> Status {
    Status put = c.run(
        "INSERT INTO streams (name, id, created_ms, on_demand, record_kib) VALUES (?, NULL, ?, ?, "
        "?)",
        {stream.name, stream.created_ms, stream.on_demand, stream.record_kib});
    for (size_t i = 0; put && i < stream.shards.size(); ++i)
      put = put_shard(c, stream.name, stream.shards[i]);
    if (put) put = put_tags(c, stream.name, stream.tags);
    return put;
  });
}

Status activate(state::Database& database, std::string_view name, const Uuid& id) {
  return database.write([&](state::Connection& c) {
    return c.run("UPDATE streams SET id = ? WHERE name = ?", {id.text(), name});
  });
}

Status remove(state::Database& database, std::string_view name) {
  return database.write([&](state::Connection& c) -> Status {
    Status gone = c.run("DELETE FROM streams WHERE name = ?", {name});
    if (gone) gone = c.run("DELETE FROM shards WHERE stream = ?", {name});
    if (gone) gone = c.run("DELETE FROM tags WHERE stream = ?", {name});
    if (gone) gone = c.run("DELETE FROM consumers WHERE stream = ?", {name});
    if (gone) gone = c.run("DELETE FROM consumer_tags WHERE stream = ?", {name});
    return gone;
  });
}

Status add_tags(state::Database& database, std::string_view name,
                const std::map<std::string, std::string>& tags) {
  return database.write([&](state::Connection& c) { return put_tags(c, name, tags); });
}

Status remove_tags(state::Database& database, std::string_view name,
                   const std::vector<std::string>& keys) {
  return database.write([&](state::Connection& c) -> Status {
    for (const std::string& key : keys) {
      Status gone = c.run("DELETE FROM tags WHERE stream = ? AND key = ?", {name, key});
      if (!gone) return gone;
    }
    return {};
  });
}

Status insert_consumer(state::Database& database, std::string_view stream,
                       const StreamConsumer& consumer) {
  return database.write([&](state::Connection& c) -> Status {
    Status put = c.run("INSERT INTO consumers (stream, name, created_ms) VALUES (?, ?, ?)",
                       {stream, consumer.name, consumer.created_ms});
    if (put) put = put_consumer_tags(c, stream, consumer.name, consumer.tags);
    return put;
  });
}

Status remove_consumer(state::Database& database, std::string_view stream, std::string_view name) {
  return database.write([&](state::Connection& c) -> Status {
    Status gone = c.run("DELETE FROM consumers WHERE stream = ? AND name = ?", {stream, name});
    if (gone)
      gone = c.run("DELETE FROM consumer_tags WHERE stream = ? AND consumer = ?", {stream, name});
    return gone;
  });
}

Status tag_consumer(state::Database& database, std::string_view stream, std::string_view name,
                    const std::map<std::string, std::string>& tags) {
  return database.write(
      [&](state::Connection& c) { return put_consumer_tags(c, stream, name, tags); });
}

Status untag_consumer(state::Database& database, std::string_view stream, std::string_view name,
                      const std::vector<std::string>& keys) {
  return database.write([&](state::Connection& c) -> Status {
    for (const std::string& key : keys) {
      Status gone = c.run("DELETE FROM consumer_tags WHERE stream = ? AND consumer = ? AND key = ?",
                          {stream, name, key});
      if (!gone) return gone;
    }
    return {};
  });
}

Status set_mode(state::Database& database, std::string_view name, bool on_demand) {
  return database.write([&](state::Connection& c) {
    return c.run("UPDATE streams SET on_demand = ? WHERE name = ?", {on_demand, name});
  });
}

Status set_record_kib(state::Database& database, std::string_view name, int32_t record_kib) {
  return database.write([&](state::Connection& c) {
    return c.run("UPDATE streams SET record_kib = ? WHERE name = ?", {record_kib, name});
  });
}

Status put_shards(state::Database& database, std::string_view name, std::span<const Shard> shards) {
  return database.write([&](state::Connection& c) -> Status {
    for (const Shard& shard : shards) {
      if (Status put = put_shard(c, name, shard); !put) return put;
    }
    return {};
  });
}

Result<std::string> ticket_key(state::Database& database) {
  return database.write([](state::Connection& c) -> Result<std::string> {
    std::string fresh = random_bytes(ticket_key_bytes);
    Status put = c.run("INSERT OR IGNORE INTO secrets (name, value) VALUES ('ticket', ?)",
                       {state::Blob{fresh}});
    if (!put) return put.error();
    auto rows = c.query("SELECT value FROM secrets WHERE name = 'ticket'");
    if (rows.next()) return rows.text(0);
    return rows.status() ? Error(Code::internal, "no ticket key") : rows.status().error();
  });
}

}  // namespace pinpipe::broker::stream_rows
