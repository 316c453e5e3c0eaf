// The key stream_job, of pinpipe.yaml for all data sets and of a data set for itself.
#include <array>
#include <fmt/format.h>
#include <utility>

#include "base/clock.h"
#include "project/readers.h"

namespace pinpipe::project {
namespace {

using Settings = StreamJobSettings;

constexpr std::array<std::pair<Settings::Trigger, std::string_view>, 3> triggers = {
    {{Settings::Trigger::continuous, "continuous"},
     {Settings::Trigger::available_now, "available-now"},
     {Settings::Trigger::once, "once"}}};

constexpr int64_t day_ms = 86'400'000;

void read_start(Fields& fields, Settings& settings, Diagnostics& out) {
  if (!fields.has("start")) return;
  std::string text = fields.text("start");
  auto start = stream_start_of(text);
  if (!start) {
    out.add(problems::out_of_range, fields.place("start"),
            fmt::format("start is earliest, latest or a time such as 2026-01-02T10:15:00Z, not "
                        "\"{}\"",
                        text),
            {.length = text.size()});
    return;
  }
  settings.start = start->start;
  settings.start_ms = start->start_ms;
}

}  // namespace

std::string_view name_of(Settings::Trigger trigger) {
  for (const auto& [known, name] : triggers) {
    if (known == trigger) return name;
  }
  return "";
}

std::optional<Settings::Trigger> stream_trigger_named(std::string_view name) {
  for (const auto& [trigger, known] : triggers) {
    if (known == name) return trigger;
  }
  return std::nullopt;
}

std::optional<StreamStart> stream_start_of(std::string_view text) {
  if (text == "earliest") return StreamStart{};
  if (text == "latest") return StreamStart{.start = Settings::Start::latest};
  auto time_ms = from_rfc3339(text);
  if (!time_ms) return std::nullopt;
  return StreamStart{.start = Settings::Start::timestamp, .start_ms = *time_ms};
}

void read_stream_job(const Node& node, Settings& settings, Diagnostics& out) {
  Fields fields(node, "stream_job", out);
  std::string input = settings.input == Settings::Input::stream ? "stream" : "topic";
  input = fields.choice("input", input, {"stream", "topic"});
  settings.input = input == "stream" ? Settings::Input::stream : Settings::Input::topic;
  std::string trigger = fields.choice("trigger", std::string(name_of(settings.trigger)),
                                      {"continuous", "available-now", "once"});
  settings.trigger = stream_trigger_named(trigger).value_or(settings.trigger);
  settings.interval_ms = fields.seconds_as_ms("interval", settings.interval_ms,
                                              {Settings::interval_ms_min, 3'600'000});
  read_start(fields, settings, out);
  settings.batch_rows = fields.integer("batch_rows", settings.batch_rows, {1, 1'000'000});
  settings.batch_bytes = fields.bytes("batch_bytes", settings.batch_bytes, {64 << 10, 256 << 20});
  settings.skip_lost = fields.choice("lost_records", settings.skip_lost ? "skip" : "fail",
                                     {"fail", "skip"}) == "skip";
  settings.history_ms =
      fields.seconds_as_ms("history", settings.history_ms, {600'000, 3'650 * day_ms});
  fields.finish();
}

std::string Project::stream_input(const Dataset& dataset) const {
  if (dataset.tables.stream.empty()) return "";
  if (dataset.stream_job.input == Settings::Input::topic) return dataset.topic;
  return shared_stream.empty() ? dataset.stream : shared_stream;
}

}  // namespace pinpipe::project
