#include "base/log_line.h"

#include <atomic>
#include <fmt/format.h>
#include <mutex>
#include <unistd.h>
#include <unordered_map>

#include "base/clock.h"

namespace pinpipe {
namespace {

constexpr int lines_per_window_max = 20;
constexpr long long window_ms = 10'000;
constexpr size_t window_keys_max = 1000;

struct Window {
  long long start_ms = 0;
  int written = 0;
  int suppressed = 0;
};

struct LogState {
  std::mutex mutex;
  std::atomic<Level> least{Level::info};
  LogForm form = LogForm::automatic;
  std::vector<std::string> secrets;
  std::unordered_map<std::string, Window> windows;
};

LogState& state() {
  static LogState instance;
  return instance;
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
  }
  return "?";
}

void append_json_string(std::string& to, std::string_view text) {
  to += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') {
      to += '\\';
      to += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      to += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      to += c;
    }
  }
  to += '"';
}

void redact(std::string& line, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    for (size_t at = line.find(secret); at != std::string::npos; at = line.find(secret, at + 3))
      line.replace(at, secret.size(), "***");
  }
}

// False when this sentence has had its share of the window; counts what is left out.
bool admit(LogState& log, std::string_view component, std::string_view sentence, long long now_ms,
           int& suppressed_before) {
  if (log.windows.size() > window_keys_max) log.windows.clear();
  Window& window = log.windows[fmt::format("{}\n{}", component, sentence)];
  suppressed_before = 0;
  if (now_ms - window.start_ms >= window_ms) {
    suppressed_before = window.suppressed;
    window = {.start_ms = now_ms};
  }
  if (window.written >= lines_per_window_max) {
    ++window.suppressed;
    return false;
  }
  ++window.written;
  return true;
}

}  // namespace

std::string format_log_line(LogForm form, Level level, std::string_view component,
                            std::string_view sentence, const Fields& fields, long long wall_ms) {
  std::string line;
  if (form == LogForm::json) {
    line = fmt::format(R"({{"ts":"{}","level":"{}","component":)", to_rfc3339(wall_ms),
                       name_of(level));
    append_json_string(line, component);
    line += ",\"msg\":";
    append_json_string(line, sentence);
    for (const auto& [key, value] : fields) {
      line += ',';
      append_json_string(line, key);
      line += ':';
      append_json_string(line, value);
    }
    return line + "}\n";
  }
  line = fmt::format("{} {:<5} {}: {}", to_rfc3339(wall_ms).substr(11, 12), name_of(level),
                     component, sentence);
  for (const auto& [key, value] : fields) line += fmt::format("  {}={}", key, value);
  return line + "\n";
}

void log_line(Level level, std::string_view component, std::string_view sentence, Fields fields) {
  LogState& log = state();
  if (level < log.least.load(std::memory_order_relaxed)) return;
  long long now_ms = system_clock().wall_ms();
  std::lock_guard lock(log.mutex);
  int suppressed = 0;
  if (!admit(log, component, sentence, now_ms, suppressed)) return;
  if (suppressed > 0) fields.emplace_back("suppressed", std::to_string(suppressed));
  LogForm form = log.form;
  if (form == LogForm::automatic) form = isatty(STDERR_FILENO) != 0 ? LogForm::text : LogForm::json;
  std::string line = format_log_line(form, level, component, sentence, fields, now_ms);
  redact(line, log.secrets);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void set_log_form(LogForm form) {
  std::lock_guard lock(state().mutex);
  state().form = form;
}

void set_log_level(Level least) {
  state().least.store(least);
}

void redact_in_logs(std::string secret) {
  if (secret.empty()) return;
  std::lock_guard lock(state().mutex);
  state().secrets.push_back(std::move(secret));
}

}  // namespace pinpipe
