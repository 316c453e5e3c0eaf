// Rows a second of the generator on one core: a row is one index with all three of its tables.
#include <cstdio>
#include <string_view>

#include "base/clock.h"
#include "source/generator.h"

namespace {

using pinpipe::source::classic_rows;
using pinpipe::source::Generator;
using pinpipe::source::Row;
using pinpipe::source::Table;

double rows_per_second(const Generator& generator, std::initializer_list<Table> tables) {
  constexpr uint64_t rows = 1'000'000;
  Row row;
  uint64_t bytes = 0;
  int64_t start = pinpipe::system_clock().steady_ns();
  for (uint64_t i = 0; i < rows; ++i) {
    for (Table table : tables) {
      generator.read(table, i % generator.rows(), row);
      bytes += row.open_text().size();
    }
  }
  double seconds = static_cast<double>(pinpipe::system_clock().steady_ns() - start) / 1e9;
  std::printf("  %6.0f bytes a row, ", static_cast<double>(bytes) / rows);
  return rows / seconds;
}

void report(const char* name, const Generator& generator, std::initializer_list<Table> tables) {
  std::printf("%-22s", name);
  std::printf("%9.0f rows/s\n", rows_per_second(generator, tables));
}

}  // namespace

int main() {
  for (uint64_t rows : {classic_rows, uint64_t{10'000'000}}) {
    std::printf("a source of %llu rows\n", static_cast<unsigned long long>(rows));
    Generator generator({.rows = rows, .seed = 1});
    report("pin, geo and user", generator, {Table::pin, Table::geo, Table::user});
    report("pin", generator, {Table::pin});
    report("geo", generator, {Table::geo});
    report("user", generator, {Table::user});
  }
}
