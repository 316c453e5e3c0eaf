// A PostgreSQL server as a source, read through libpq; and how one is filled. Every call blocks.
// Bounds: rows are streamed; connecting and each answer have a time limit.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "source/address.h"
#include "source/progress.h"
#include "source/source.h"

struct pg_conn;

namespace pinpipe::source {

class PostgresSource final : public Source {
 public:
  // As MysqlSource::open.
  static Result<std::unique_ptr<PostgresSource>> open(const Address& address);
  // Makes and fills the three tables, in one transaction.
  static Status fill(const Address& address, Generator::Options rows, const Progress& progress);
  ~PostgresSource() override;

  Result<uint64_t> count(Table table) override;
  Status read(Table table, uint64_t index, Row& row) override;
  Status read_range(Table table, uint64_t first, uint64_t count, Row& row,
                    const std::function<bool(const Row&)>& use) override;
  std::string description() const override;

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  using Connection = std::unique_ptr<pg_conn, Close>;

  explicit PostgresSource(Address address) : address_(std::move(address)) {}
  static Result<Connection> connect(const Address& address);
  static Status fill_table(pg_conn* connection, const Generator& generator, Table table,
                           const Progress& progress);
  Status find_columns(Table table);
  // A connection that was lost since the last statement is made anew.
  Status keep_connected();

  Address address_;
  Connection connection_;
  struct Names {
    std::string list;
    std::string key;
  };
  std::array<Names, all_tables.size()> names_;
};

}  // namespace pinpipe::source
