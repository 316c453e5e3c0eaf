// Where rows come from: the three tables, read by index. Implementations: the generator itself, a
// SQLite file, and databases over the network.
// Every call may block: use a source on the work pool. One caller at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "source/generator.h"
#include "source/row.h"

namespace pinpipe::source {

class Source {
 public:
  virtual ~Source() = default;

  // How many rows the table has: indexes 0 … count - 1, the row's offset in the table's order.
  virtual Result<uint64_t> count(Table table) = 0;
  // `not_found` beyond the end.
  virtual Status read(Table table, uint64_t index, Row& row) = 0;
  // Calls `use` for the rows first … first + count - 1 in order, as many as are there. `row` is
  // filled anew for each; a `use` that returns false ends the reading.
  virtual Status read_range(Table table, uint64_t first, uint64_t count, Row& row,
                            const std::function<bool(const Row&)>& use) = 0;
  // For messages: "10000000 generated rows, seed 7" or "sqlite:/path/source.db". Never a
  // credential.
  virtual std::string description() const = 0;
};

// The generator without a file in between.
class GeneratedSource final : public Source {
 public:
  explicit GeneratedSource(Generator::Options options) : generator_(options) {}

  Result<uint64_t> count(Table table) override;
  Status read(Table table, uint64_t index, Row& row) override;
  Status read_range(Table table, uint64_t first, uint64_t count, Row& row,
                    const std::function<bool(const Row&)>& use) override;
  std::string description() const override;

 private:
  Generator generator_;
};

}  // namespace pinpipe::source
