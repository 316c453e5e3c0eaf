#include "source/rounds.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/id.h"

namespace pinpipe::source {
namespace {

// The classic script stops a little before the classic set's end.
constexpr int64_t classic_last_index = 11'000;

int64_t fresh_seed() {
  return load_be<int64_t>(random_bytes(sizeof(int64_t)).data());
}

}  // namespace

Destinations destinations_of(Target target, std::string_view id) {
  Destinations destinations;
  for (Table table : all_tables) {
    std::string_view name = schema_of(table).short_name;
    Destination& destination = destinations[static_cast<size_t>(table)];
    destination.name = target == Target::batch ? fmt::format("{}.{}", id, name)
                                               : fmt::format("streaming-{}-{}", id, name);
    destination.partition_key = "partition-1";
  }
  return destinations;
}

Destinations shared_stream_destinations(std::string_view stream, std::string_view id) {
  Destinations destinations;
  for (Table table : all_tables) {
    destinations[static_cast<size_t>(table)] = {
        std::string(stream), fmt::format("{}.{}", id, schema_of(table).short_name)};
  }
  return destinations;
}

Rounds::Rounds(Options options, Source& source)
    : options_(std::move(options)),
      source_(source),
      random_(options_.seed ? *options_.seed : fresh_seed()) {}

Status Rounds::count_rows() {
  Result<uint64_t> rows = source_.count(Table::pin);
  if (!rows) return rows.error().with(source_.description());
  if (*rows == 0) return Error(Code::invalid, source_.description() + " has no rows to post");
  rows_ = *rows;
  if (options_.order == Order::once) options_.rounds_max = std::min(options_.rounds_max, rows_);
  return {};
}

void Rounds::draw(Round& round) {
  round.number = next_++;
  round.sleep_s = random_.randrange(0, 2);
  if (options_.order != Order::random) {
    round.index = round.number % rows_;
    return;
  }
  int64_t last = rows_ == classic_rows ? classic_last_index : static_cast<int64_t>(rows_ - 1);
  round.index = static_cast<uint64_t>(random_.randint(0, last));
}

void Rounds::write_body(const Row& row, Table table, std::string& body) const {
  body.clear();
  if (options_.target == Target::batch) return append_rest_body(body, row, options_.style);
  const Destination& to = options_.destinations[static_cast<size_t>(table)];
  append_stream_body(body, row, {to.name, to.partition_key}, options_.style);
}

Status Rounds::render(std::span<Round> run) {
  for (Table table : all_tables) {
    auto at = static_cast<size_t>(table);
    size_t done = 0;
    Status read =
        source_.read_range(table, run.front().index, run.size(), row_, [&](const Row& row) {
          write_body(row, table, run[done].bodies[at]);
          return ++done < run.size();
        });
    if (!read) return read.error().with(source_.description());
    if (done < run.size()) {
      return Error(Code::not_found,
                   fmt::format("{}: {} lacks a row between {} and {}", source_.description(),
                               schema_of(table).name, run.front().index, run.back().index));
    }
  }
  return {};
}

Result<size_t> Rounds::fill(std::span<Round> into) {
  if (rows_ == 0) {
    Status counted = count_rows();
    if (!counted) return counted.error();
  }
  size_t filled = 0;
  while (filled < into.size() && next_ < options_.rounds_max) draw(into[filled++]);
  for (size_t begin = 0; begin < filled;) {
    size_t end = begin + 1;
    while (end < filled && into[end].index == into[end - 1].index + 1) ++end;
    Status rendered = render(into.subspan(begin, end - begin));
    if (!rendered) return rendered.error();
    begin = end;
  }
  return filled;
}

}  // namespace pinpipe::source
