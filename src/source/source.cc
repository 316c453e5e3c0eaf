#include "source/source.h"

#include <algorithm>
#include <fmt/format.h>

namespace pinpipe::source {

Result<uint64_t> GeneratedSource::count(Table) {
  return generator_.rows();
}

Status GeneratedSource::read(Table table, uint64_t index, Row& row) {
  if (index >= generator_.rows()) {
    return Error(Code::not_found, fmt::format("{} has no row {}: it ends with {}",
                                              schema_of(table).name, index, generator_.rows() - 1));
  }
  generator_.read(table, index, row);
  return {};
}

Status GeneratedSource::read_range(Table table, uint64_t first, uint64_t count, Row& row,
                                   const std::function<bool(const Row&)>& use) {
  uint64_t begin = std::min(first, generator_.rows());
  uint64_t end = begin + std::min(count, generator_.rows() - begin);
  for (uint64_t index = begin; index < end; ++index) {
    generator_.read(table, index, row);
    if (!use(row)) break;
  }
  return {};
}

std::string GeneratedSource::description() const {
  return fmt::format("{} generated rows, seed {}", generator_.rows(), generator_.seed());
}

}  // namespace pinpipe::source
