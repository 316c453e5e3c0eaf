// Directories by time, as Confluent's TimeBasedPartitioner makes them: which time a record belongs
// to, and the directory of that time.
// Promise: the same record gives the same directory, except with the wall clock.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/json_scan.h"
#include "sink/path_format.h"

namespace pinpipe::sink {

// Seconds east of Greenwich at an instant (seconds since 1970), in one zone.
using ZoneOffset = std::function<int32_t(int64_t)>;
// The zone of that name. The room that knows time zones is handed in by whoever builds a connector.
using Zones = std::function<Result<ZoneOffset>(const std::string& name)>;
// Knows UTC alone.
Result<ZoneOffset> utc_only(const std::string& name);

struct TimeLayout {
  enum class Extractor { wallclock, record, field };

  PathFormat format;
  ZoneOffset offset;
  int64_t duration_ms = 0;
  Extractor extractor = Extractor::wallclock;
  std::string field;  // dotted

  // Of the start of the duration that the instant lies in.
  std::string path_of(int64_t timestamp_ms) const;
  // What the record's field says: milliseconds since 1970 or ISO 8601 text.
  Result<int64_t> timestamp_in(const codec::JsonCursor& value) const;
};

// "2026-01-02", "2026-01-02T10:15:00", with or without fraction and zone; without one it is UTC.
Result<int64_t> parse_instant(std::string_view text);

}  // namespace pinpipe::sink
