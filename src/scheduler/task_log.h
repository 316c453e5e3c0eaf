// What one try of a task says while it runs: lines as JSON objects, collected until the scheduler
// stores them. From any thread.
// Bounds: try_bytes_max a try; what comes later is counted and reported in one last line.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log_line.h"

namespace pinpipe::scheduler {

class TaskLog {
 public:
  static constexpr size_t try_bytes_max = 1 << 20;
  static constexpr size_t line_bytes_max = 8 * 1024;

  explicit TaskLog(Clock& clock) : clock_(clock) {}

  void line(Level level, std::string_view sentence);
  void info(std::string_view sentence) { line(Level::info, sentence); }
  void warn(std::string_view sentence) { line(Level::warn, sentence); }
  void error(std::string_view sentence) { line(Level::error, sentence); }

  // The lines since the last call: {"timestamp":…,"level":…,"event":…}, each with its newline.
  std::string take();
  // Before the last take(): says how much was left out.
  void close();

 private:
  Clock& clock_;
  std::mutex mutex_;
  std::string pending_;
  size_t written_bytes_ = 0;
  uint64_t left_out_ = 0;
};

}  // namespace pinpipe::scheduler
