// Small durable facts: one SQLite file per owner, the only place in the house that knows SQLite.
// Promise: what write() returned ok for survives kill -9 and a power cut (WAL, synchronous=FULL).
// Every call blocks: use it on the disk pool or at start. One caller at a time; the others wait.
// Bounds: statements_max prepared statements are kept, so SQL texts are constants with `?` in them.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/result.h"

namespace pinpipe::state {

struct Blob {
  std::string_view bytes;
};

// What goes into a `?`. Texts and blobs are copied before the call returns.
class Value {
 public:
  Value(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)
  template <std::integral T>
  Value(T number) : is_(static_cast<int64_t>(number)) {}  // NOLINT(google-explicit-constructor)
  Value(double number) : is_(number) {}                   // NOLINT(google-explicit-constructor)
  Value(std::string_view text) : is_(text) {}             // NOLINT(google-explicit-constructor)
  Value(const std::string& text) : is_(std::string_view(text)) {}  // NOLINT
  Value(const char* text) : is_(std::string_view(text)) {}  // NOLINT(google-explicit-constructor)
  Value(Blob blob) : is_(blob) {}                           // NOLINT(google-explicit-constructor)
  template <class T>
  Value(const std::optional<T>& maybe) {  // NOLINT(google-explicit-constructor)
    if (maybe) *this = Value(*maybe);
  }

 private:
  friend class Rows;
  std::variant<std::monostate, int64_t, double, std::string_view, Blob> is_;
};

class Connection;

// The rows of one query, read in order. Lives inside the function given to read() or write().
//   auto rows = connection.query("SELECT name, size FROM files WHERE size > ?", {10});
//   while (rows.next()) use(rows.text(0), rows.integer(1));
//   if (!rows.status()) return rows.status().error();
class Rows {
 public:
  Rows(Rows&& other) noexcept;
  ~Rows();

  bool next();  // false at the end and after an error
  const Status& status() const { return status_; }

  bool is_null(int column) const;
  int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;  // of a blob too
  std::optional<int64_t> maybe_integer(int column) const;
  std::optional<std::string> maybe_text(int column) const;

 private:
  friend class Connection;
  Rows(Connection& connection, std::string_view sql, std::initializer_list<Value> values);

  void* statement_ = nullptr;
  Connection* connection_;
  Status status_;
};

// The database while one caller has it.
class Connection {
 public:
  static constexpr size_t statements_max = 256;

  ~Connection();
  Connection(const Connection&) = delete;

  // One statement that gives no rows. A broken UNIQUE or CHECK is `conflict`.
  Status run(std::string_view sql, std::initializer_list<Value> values = {});
  Rows query(std::string_view sql, std::initializer_list<Value> values = {});
  int64_t last_insert_id() const;
  int64_t changes() const;  // rows touched by the last run()

 private:
  friend class Database;
  friend class Rows;
  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);

  Status script(const std::string& sql);  // several statements
  Result<void*> prepare(std::string_view sql);
  Error last_error(std::string_view action) const;

  std::unique_ptr<Impl> impl_;
};

class Database {
 public:
  // Opens or creates `path`. migrations[i] is a script that leads from schema version i to i + 1;
  // those not applied yet run in order, each in a transaction. A file from a newer program, with
  // more versions than we know, is refused as `invalid`.
  static Result<std::unique_ptr<Database>> open(const std::string& path,
                                                std::span<const std::string_view> migrations);
  ~Database();

  // Runs `work(Connection&)` in one transaction: committed when it returns ok, undone otherwise.
  template <class F>
  std::invoke_result_t<F, Connection&> write(F work) {
    std::optional<std::invoke_result_t<F, Connection&>> outcome;
    Status done = transact([&](Connection& connection) {
      outcome.emplace(work(connection));
      return outcome->has_value();
    });
    if (!done) return done.error();
    return std::move(*outcome);
  }

  // Runs `work(Connection&)`, which only asks.
  template <class F>
  std::invoke_result_t<F, Connection&> read(F work) {
    std::optional<std::invoke_result_t<F, Connection&>> outcome;
    alone([&](Connection& connection) { outcome.emplace(work(connection)); });
    return std::move(*outcome);
  }

 private:
  struct Impl;
  explicit Database(std::unique_ptr<Impl> impl);
  Status transact(const std::function<bool(Connection&)>& work);
  void alone(const std::function<void(Connection&)>& work);

  std::unique_ptr<Impl> impl_;
};

}  // namespace pinpipe::state
