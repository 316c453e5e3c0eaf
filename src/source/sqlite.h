// The embedded source: one SQLite file that a person can open, with the three tables as the
// course's database has them. The index is the row id, so that `SELECT * … LIMIT n, 1` gives index
// n. Promise: the file is whole or it is not there: it is filled under another name, synced and
// renamed. An existing file is opened as it is and never changed.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/files.h"
#include "source/progress.h"
#include "source/source.h"

struct sqlite3;
struct sqlite3_stmt;

namespace pinpipe::source {

class SqliteSource final : public Source {
 public:
  // Opens `path`, or first makes it with generated rows. Two at once on one path are the caller's
  // to prevent.
  static Result<std::unique_ptr<SqliteSource>> open_or_create(io::Files& files,
                                                              const std::string& path,
                                                              Generator::Options rows,
                                                              const Progress& progress = {});
  // `not_found` without the file, `invalid` when a table is missing or it is no SQLite file.
  static Result<std::unique_ptr<SqliteSource>> open(io::Files& files, const std::string& path);
  // Makes the file; `conflict` when it exists.
  static Status create(io::Files& files, const std::string& path, Generator::Options rows,
                       const Progress& progress = {});
  ~SqliteSource() override;

  Result<uint64_t> count(Table table) override;
  Status read(Table table, uint64_t index, Row& row) override;
  Status read_range(Table table, uint64_t first, uint64_t count, Row& row,
                    const std::function<bool(const Row&)>& use) override;
  std::string description() const override;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
    void operator()(sqlite3_stmt* statement) const;
  };
  using Database = std::unique_ptr<sqlite3, Close>;
  using Statement = std::unique_ptr<sqlite3_stmt, Close>;

  SqliteSource(std::string path, Database database);
  static Result<Database> open_database(const std::string& path, int flags);
  static Result<Statement> prepare(sqlite3* database, const std::string& sql);
  static Status run(sqlite3* database, const std::string& sql);
  static Status fill(sqlite3* database, Generator::Options rows, const Progress& progress);
  static Status fill_file(const std::string& path, Generator::Options rows,
                          const Progress& progress);
  Status prepare_reads();
  static void read_row(sqlite3_stmt* statement, Table table, Row& row);

  std::string path_;
  Database database_;
  std::array<Statement, all_tables.size()> ranges_;
};

}  // namespace pinpipe::source
