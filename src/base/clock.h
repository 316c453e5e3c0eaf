// What time it is: wall time for people and records, steady time for deadlines. Everything that
// needs time takes a Clock, so that tests can own it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pinpipe {

using Millis = std::chrono::milliseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  // Milliseconds since the Unix epoch, UTC. May jump.
  virtual int64_t wall_ms() const = 0;
  // Nanoseconds since some fixed moment. Never goes back.
  virtual int64_t steady_ns() const = 0;

  int64_t steady_ms() const { return steady_ns() / 1'000'000; }
};

// The machine's own clock; lives for ever.
Clock& system_clock();

// "2026-01-02T10:15:00.123Z"
std::string to_rfc3339(int64_t wall_ms);
// Accepts "YYYY-MM-DDTHH:MM:SS[.fff…](Z|±HH:MM)", also with a blank for T; nothing else.
std::optional<int64_t> from_rfc3339(std::string_view text);
// "Wed, 21 Oct 2015 07:28:00 GMT", as HTTP writes dates; nothing else.
std::optional<int64_t> from_http_date(std::string_view text);

// Civil date <-> days since 1970-01-01 (proleptic Gregorian).
int64_t days_from_civil(int year, unsigned month, unsigned day);
struct CivilTime {
  int year;
  unsigned month, day, hour, minute, second, millisecond;
};
CivilTime civil_of(int64_t wall_ms);

}  // namespace pinpipe
