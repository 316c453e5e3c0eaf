// JSON objects as rows of a query: a table function whose threads decode pieces straight into the
// vectors the database hands out.
//
// A scan reads `pieces` from the beginning each time a query names its view, in any order and on
// all of the engine's threads. Pieces larger than part_bytes_target are cut at line ends, so that
// one large object keeps every thread busy.
//
// Promise: after a query that read the view to its end, counts() are exact for that query, and
// every refused value was handed to `on_refused` once: by the first scan, later ones only count.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"
#include "columns/json_decoder.h"
#include "columns/schema.h"

namespace pinpipe::sql {

// The bytes of one object, or of a part of it that begins at a line's start.
struct Piece {
  std::string source;  // what to call it in counts, quarantine and errors
  std::string_view bytes;
  uint64_t first_line = 1;
  std::shared_ptr<const void> keep;  // whatever has to live as long as `bytes` are read
};

// Where pieces come from. Called by one database thread at a time; may block.
class Pieces {
 public:
  virtual ~Pieces() = default;
  // Nothing: there are no more. An error fails the query with its text.
  virtual Result<std::optional<Piece>> next() = 0;
};

struct JsonInput {
  std::shared_ptr<const columns::Schema> schema;
  // Opens the pieces anew for each scan.
  std::function<std::unique_ptr<Pieces>()> open;
  // Called by one thread at a time, on a database thread.
  columns::JsonDecoder::OnRefused on_refused = [](const columns::Refused&) {};
  std::stop_token stop;
};

class JsonScan {
 public:
  static constexpr size_t part_bytes_target = size_t{1} << 20;

  virtual ~JsonScan() = default;
  // Of the last scan that began; all zero before the first.
  virtual columns::Counts counts() const = 0;
};

// Pieces from a list in memory.
std::unique_ptr<Pieces> pieces_of(std::vector<Piece> pieces);

}  // namespace pinpipe::sql
