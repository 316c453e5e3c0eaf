#include "scheduler/task_log.h"

#include <array>
#include <utility>

#include "codec/json.h"

namespace pinpipe::scheduler {
namespace {

std::string_view level_name(Level level) {
  constexpr std::array<std::string_view, 4> names = {"debug", "info", "warning", "error"};
  return names[static_cast<size_t>(level)];
}

void append_line(std::string& to, int64_t wall_ms, Level level, std::string_view sentence) {
  codec::JsonWriter writer(to);
  writer.begin_object()
      .field("timestamp", to_rfc3339(wall_ms))
      .field("level", level_name(level))
      .field("event", sentence)
      .end_object();
  to += '\n';
}

}  // namespace

void TaskLog::line(Level level, std::string_view sentence) {
  std::string text;
  append_line(text, clock_.wall_ms(), level, sentence.substr(0, line_bytes_max));
  std::lock_guard lock(mutex_);
  if (written_bytes_ + text.size() > try_bytes_max) {
    ++left_out_;
    return;
  }
  written_bytes_ += text.size();
  pending_ += text;
}

std::string TaskLog::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(pending_, {});
}

void TaskLog::close() {
  std::lock_guard lock(mutex_);
  if (left_out_ == 0) return;
  append_line(pending_, clock_.wall_ms(), Level::warn,
              std::to_string(left_out_) + " further lines were left out: the log is full");
  left_out_ = 0;
}

}  // namespace pinpipe::scheduler
