// Which version of a table is meant: the present one, a numbered one, or the one of a moment.
// What SQL's AT (VERSION => n), AT (TIMESTAMP => t) and VERSION AS OF, and the command line's
// --version and --timestamp, come down to.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "io/task.h"
#include "lake/location.h"
#include "lake/services.h"
#include "lake/snapshot.h"

namespace pinpipe::lake {

struct Moment {
  std::optional<Version> version = {};
  std::optional<int64_t> wall_ms = {};  // the last version committed at or before it
};

// "2026-01-02", "2026-01-02 10:15:00[.123]" (UTC) or RFC 3339 with its zone. Error `invalid`.
Result<int64_t> parse_moment(std::string_view text);

// The table as it was then. Error `not_found`: no such table, or no such version of it.
io::Task<Result<std::shared_ptr<const Snapshot>>> snapshot_at(const Services& services,
                                                              Location location,
                                                              Moment moment = {});

}  // namespace pinpipe::lake
