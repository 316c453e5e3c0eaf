// Lines for the operator, on stderr: text when a person watches, one JSON object a line otherwise.
// Promise: a value registered as secret never appears in a line. The same sentence from one place
// is written at most lines_per_window_max times in a window; then a count of what was left out
// follows.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pinpipe {

enum class Level { debug, info, warn, error };

using Fields = std::vector<std::pair<std::string_view, std::string>>;

// `component` is a room's or door's name; `sentence` is constant text; what varies goes into
// fields.
void log_line(Level level, std::string_view component, std::string_view sentence,
              Fields fields = {});

inline void log_debug(std::string_view component, std::string_view sentence, Fields fields = {}) {
  log_line(Level::debug, component, sentence, std::move(fields));
}
inline void log_info(std::string_view component, std::string_view sentence, Fields fields = {}) {
  log_line(Level::info, component, sentence, std::move(fields));
}
inline void log_warn(std::string_view component, std::string_view sentence, Fields fields = {}) {
  log_line(Level::warn, component, sentence, std::move(fields));
}
inline void log_error(std::string_view component, std::string_view sentence, Fields fields = {}) {
  log_line(Level::error, component, sentence, std::move(fields));
}

enum class LogForm { automatic, text, json };
void set_log_form(LogForm form);
void set_log_level(Level least);
// From now on `secret` is printed as "***" wherever it occurs in a line. Empty secrets are ignored.
void redact_in_logs(std::string secret);

// The line as it would be written; for tests and the console.
std::string format_log_line(LogForm form, Level level, std::string_view component,
                            std::string_view sentence, const Fields& fields, long long wall_ms);

}  // namespace pinpipe
