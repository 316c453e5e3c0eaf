#include "sink/time_layout.h"

#include <fmt/format.h>

#include "base/clock.h"

namespace pinpipe::sink {

Result<ZoneOffset> utc_only(const std::string& name) {
  for (std::string_view known : {"UTC", "GMT", "Etc/UTC", "Z"}) {
    if (name == known) return ZoneOffset([](int64_t) { return 0; });
  }
  return Error(Code::invalid, "time zone '" + name + "' is not known; UTC is");
}

std::string TimeLayout::path_of(int64_t timestamp_ms) const {
  int32_t offset_s = offset(timestamp_ms / 1'000);
  int64_t local = timestamp_ms + offset_s * 1'000LL;
  int64_t rest = local % duration_ms;
  return format.write(local - (rest < 0 ? rest + duration_ms : rest), offset_s);
}

Result<int64_t> TimeLayout::timestamp_in(const codec::JsonCursor& value) const {
  codec::JsonCursor at = value;
  std::string_view rest = field;
  while (!rest.empty()) {
    size_t end = std::min(rest.find('.'), rest.size());
    auto found = at.find(rest.substr(0, end));
    if (!found) return Error(Code::invalid, fmt::format("the record has no field {}", field));
    at = *found;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (auto number = at.as_int()) return *number;
  std::string buffer;
  auto text = at.string(buffer);
  if (!text)
    return Error(Code::invalid, fmt::format("field {} is neither milliseconds nor a time", field));
  return parse_instant(*text);
}

Result<int64_t> parse_instant(std::string_view text) {
  std::string full(text);
  if (full.size() == 10) full += "T00:00:00";
  if (full.size() == 16) full += ":00";
  size_t time = full.find_first_of("T ");
  bool has_zone = time != std::string::npos && full.find_first_of("Z+-", time) != std::string::npos;
  auto instant = from_rfc3339(has_zone ? full : full + "Z");
  if (!instant) return Error(Code::invalid, fmt::format("'{}' is not an ISO 8601 time", text));
  return *instant;
}

}  // namespace pinpipe::sink
