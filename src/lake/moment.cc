#include "lake/moment.h"

#include <fmt/format.h>

#include "lake/table.h"

namespace pinpipe::lake {

Result<int64_t> parse_moment(std::string_view text) {
  std::string whole(text);
  if (whole.size() == 10) whole += "T00:00:00";
  auto at_ms = from_rfc3339(whole);
  if (!at_ms) at_ms = from_rfc3339(whole + "Z");
  if (at_ms) return *at_ms;
  return Error(Code::invalid, fmt::format("\"{}\" is no moment; one looks like 2026-01-02, "
                                          "2026-01-02 10:15:00 or 2026-01-02T10:15:00.5Z",
                                          text));
}

io::Task<Result<std::shared_ptr<const Snapshot>>> snapshot_at(const Services& services,
                                                              Location location, Moment moment) {
  if (moment.version && moment.wall_ms) {
    co_return Error(Code::invalid, "a version and a moment were given; one of them is enough");
  }
  if (moment.version) {
    LogReader reader(services, std::move(location));
    co_return co_await reader.load(*moment.version);
  }
  auto table = co_await Table::open(services, std::move(location));
  if (!table) co_return table.error();
  if (moment.wall_ms) co_return co_await (*table)->at_time(*moment.wall_ms);
  co_return (*table)->snapshot();
}

}  // namespace pinpipe::lake
