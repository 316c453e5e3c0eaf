// A time zone of the system's own database: which offset holds at an instant, and which instants a
// local time names (none in the hour that spring skips, two in the one that autumn repeats).
// Bounds: rules are followed to the year 2150; later the last offset holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/files.h"

namespace pinpipe::scheduler {

class TimeZone {
 public:
  static TimeZone utc();
  // "Europe/Berlin" from /usr/share/zoneinfo; UTC needs no database. Blocks.
  static Result<TimeZone> find(io::Files& files, const std::string& name);
  // A TZif file's content (RFC 8536).
  static Result<TimeZone> parse(std::string name, std::string_view bytes);

  const std::string& name() const { return name_; }
  // Seconds east of Greenwich.
  int32_t offset_at(int64_t instant) const;
  // The instants (seconds since 1970, UTC) whose local time is `local`, counted as if it were UTC.
  // Ascending; empty when the clock skips that time.
  std::vector<int64_t> instants_of(int64_t local) const;

 private:
  struct Change {
    int64_t at;
    int32_t offset;  // from then on
  };

  Status extend_by_rule(std::string_view rule);

  std::string name_;
  int32_t first_offset_ = 0;
  std::vector<Change> changes_;
};

}  // namespace pinpipe::scheduler
