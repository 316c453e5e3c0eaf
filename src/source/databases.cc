#include "source/databases.h"

#include <fmt/format.h>

#include "source/mysql.h"
#include "source/payload.h"
#include "source/postgres.h"
#include "source/sqlite.h"

namespace pinpipe::source {
namespace {

template <class T>
Result<std::unique_ptr<Source>> as_source(Result<std::unique_ptr<T>> opened) {
  if (!opened) return opened.error();
  return std::unique_ptr<Source>(std::move(*opened));
}

// The first and the last row of each table, as the generator makes them: another seed, or another
// hand's rows, differ there.
Result<bool> holds(Source& source, Generator::Options rows) {
  GeneratedSource expected(rows);
  Row row;
  for (Table table : all_tables) {
    auto count = source.count(table);
    if (!count) return count.error();
    if (*count != rows.rows) {
      return Error(Code::conflict,
                   fmt::format("{} has {} with {} rows already; use another database, or remove "
                               "its three tables first",
                               source.description(), schema_of(table).name, *count));
    }
    for (uint64_t index : {uint64_t{0}, rows.rows - 1}) {
      std::string texts[2];
      Source* sources[2] = {&source, &expected};
      for (int i = 0; i < 2; ++i) {
        if (Status read = sources[i]->read(table, index, row); !read) return read.error();
        append_row(texts[i], row, {});
      }
      if (texts[0] != texts[1]) {
        return Error(Code::conflict,
                     fmt::format("{} has other rows of {} already, not those of seed {}",
                                 source.description(), schema_of(table).name, rows.seed));
      }
    }
  }
  return true;
}

Status fill(const Address& address, Generator::Options rows, io::Files& files,
            const Progress& progress) {
  switch (address.kind) {
    case Address::Kind::generated:
      return Error(Code::invalid, "the generator needs no making; name a database to fill");
    case Address::Kind::sqlite:
      return SqliteSource::create(files, address.path, rows, progress);
    case Address::Kind::mysql:
      return MysqlSource::fill(address, rows, progress);
    case Address::Kind::postgres:
      return PostgresSource::fill(address, rows, progress);
  }
  __builtin_unreachable();
}

}  // namespace

Result<std::unique_ptr<Source>> open_source(const Address& address, Generator::Options rows,
                                            io::Files& files) {
  switch (address.kind) {
    case Address::Kind::generated:
      return std::unique_ptr<Source>(std::make_unique<GeneratedSource>(rows));
    case Address::Kind::sqlite:
      return as_source(SqliteSource::open(files, address.path));
    case Address::Kind::mysql:
      return as_source(MysqlSource::open(address));
    case Address::Kind::postgres:
      return as_source(PostgresSource::open(address));
  }
  __builtin_unreachable();
}

Result<bool> create_source(const Address& address, Generator::Options rows, io::Files& files,
                           const Progress& progress) {
  if (rows.rows == 0) return Error(Code::invalid, "a source has at least one row");
  if (address.kind != Address::Kind::generated) {
    auto there = open_source(address, rows, files);
    if (there) {
      auto same = holds(**there, rows);
      if (!same) return same.error();
      return false;
    }
    if (there.error().code() != Code::not_found) return there.error();
  }
  Status filled = fill(address, rows, files, progress);
  if (!filled) return filled.error();
  return true;
}

}  // namespace pinpipe::source
