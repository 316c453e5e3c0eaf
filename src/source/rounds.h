// What the emulator posts, in order: rounds of one index each, read from the source and rendered as
// the three request bodies pin, geo, user. Blocks: used on the work pool, by one caller at a time.
// Bounds: holds no rows; the caller brings the rounds to be filled, and their buffers are reused.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "source/payload.h"
#include "source/python_random.h"
#include "source/source.h"

namespace pinpipe::source {

enum class Target : uint8_t {
  batch,   // POST {base}/topics/{name}
  stream,  // PUT {base}/streams/{name}/record
};

enum class Order : uint8_t {
  random,      // with replacement, drawn as the classic script draws
  sequential,  // 0, 1, 2 …, and after the last from the beginning
  once,        // 0, 1, 2 …, each index once
};

// Where a table's rows go: a topic, or a stream with its partition key.
struct Destination {
  std::string name;
  std::string partition_key;
};
using Destinations = std::array<Destination, all_tables.size()>;

// The names of user `id`: topics <id>.pin …, or streams streaming-<id>-pin … with key partition-1.
Destinations destinations_of(Target target, std::string_view id);
// The later cohorts' way: one stream for all tables, told apart by the keys <id>.pin ….
Destinations shared_stream_destinations(std::string_view stream, std::string_view id);

struct Round {
  uint64_t number = 0;  // 0, 1, 2 … in the order of drawing
  uint64_t index = 0;
  int64_t sleep_s = 0;  // what the classic script would sleep before it
  std::array<std::string, all_tables.size()> bodies;
};

class Rounds {
 public:
  struct Options {
    Target target = Target::batch;
    Destinations destinations;
    PayloadStyle style;
    Order order = Order::random;
    std::optional<int64_t> seed;  // of the random order; without it every run differs
    uint64_t rounds_max = UINT64_MAX;
  };

  // `source` must outlive the rounds.
  Rounds(Options options, Source& source);

  // Fills rounds from the front of `into`; fewer than fit only at the end. A source without rows,
  // or one that cannot be read, is an error.
  Result<size_t> fill(std::span<Round> into);

 private:
  Status count_rows();
  void draw(Round& round);
  // The bodies of rounds whose indexes follow each other, read in one go for each table.
  Status render(std::span<Round> run);
  void write_body(const Row& row, Table table, std::string& body) const;

  Options options_;
  Source& source_;
  PythonRandom random_;
  uint64_t rows_ = 0;
  uint64_t next_ = 0;
  Row row_;
};

}  // namespace pinpipe::source
