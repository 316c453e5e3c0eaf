// A MySQL or MariaDB server as a source, read through libmariadb; and how one is filled. Every call
// blocks. Bounds: rows are streamed; connecting and each answer have a time limit.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "source/address.h"
#include "source/progress.h"
#include "source/source.h"

struct st_mysql;

namespace pinpipe::source {

class MysqlSource final : public Source {
 public:
  // `unavailable` when nobody answers, `denied` for a wrong login, `not_found` without the tables,
  // `invalid` when they lack a column.
  static Result<std::unique_ptr<MysqlSource>> open(const Address& address);
  // Makes and fills the three tables; they appear together or not at all.
  static Status fill(const Address& address, Generator::Options rows, const Progress& progress);
  ~MysqlSource() override;

  Result<uint64_t> count(Table table) override;
  Status read(Table table, uint64_t index, Row& row) override;
  Status read_range(Table table, uint64_t first, uint64_t count, Row& row,
                    const std::function<bool(const Row&)>& use) override;
  std::string description() const override;

 private:
  struct Close {
    void operator()(st_mysql* connection) const;
  };
  using Connection = std::unique_ptr<st_mysql, Close>;

  explicit MysqlSource(Address address) : address_(std::move(address)) {}
  static Result<Connection> connect(const Address& address);
  static Status fill_tables(st_mysql* connection, Generator::Options rows,
                            const Progress& progress);
  Status find_columns(Table table);
  // Runs a SELECT; a connection that was lost since the last one is made anew, once.
  Status query(const std::string& sql);

  Address address_;
  Connection connection_;
  // For each table: its columns as a SELECT lists them, and its index.
  struct Names {
    std::string list;
    std::string key;
  };
  std::array<Names, all_tables.size()> names_;
};

}  // namespace pinpipe::source
