// dags/*.yaml
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>

#include "base/clock.h"
#include "project/nearest.h"
#include "project/readers.h"

namespace pinpipe::project {
namespace {

constexpr int64_t year_ms = 366LL * 86'400'000;

constexpr std::array<std::string_view, 11> rule_names = {
    "all_success", "all_failed", "all_done",    "all_skipped",  "one_success",
    "one_failed",  "one_done",   "none_failed", "none_skipped", "none_failed_min_one_success",
    "always"};

TriggerRule read_rule(Fields& fields, TriggerRule fallback, Diagnostics& out) {
  std::string name = fields.text("trigger_rule", std::string(name_of(fallback)));
  if (auto rule = trigger_rule_named(name)) return *rule;
  std::vector<std::string> known(rule_names.begin(), rule_names.end());
  out.add(problems::out_of_range, fields.place("trigger_rule"),
          fmt::format("\"{}\" is no trigger rule", name),
          {.hint = did_you_mean(name, known),
           .help = fmt::format("there are {}", fmt::join(known, ", ")),
           .length = name.size()});
  return fallback;
}

// The keys that `defaults` and every task share.
void read_task_fields(Fields& fields, TaskSpec& task, Diagnostics& out) {
  task.retries = static_cast<int>(fields.integer("retries", task.retries, {0, 1000}));
  task.retry_delay_ms = fields.seconds_as_ms("retry_delay_secs", task.retry_delay_ms, {0, year_ms});
  task.exponential_backoff = fields.boolean("retry_exponential_backoff", task.exponential_backoff);
  task.retry_delay_max_ms =
      fields.seconds_as_ms("max_retry_delay_secs", task.retry_delay_max_ms, {0, year_ms});
  task.execution_timeout_ms =
      fields.seconds_as_ms("execution_timeout_secs", task.execution_timeout_ms, {0, year_ms});
  task.trigger_rule = read_rule(fields, task.trigger_rule, out);
  task.pool = fields.text("pool", task.pool);
  task.pool_slots = static_cast<int>(fields.integer("pool_slots", task.pool_slots, {1, 10'000}));
}

void read_deadline(Fields& fields, DagSpec& dag, Diagnostics& out) {
  const Node* node = fields.find("deadline");
  if (node == nullptr) return;
  Fields inner(*node, "deadline", out);
  dag.deadline_from_logical_date =
      inner.choice("from", "queued_at", {"queued_at", "logical_date"}) == "logical_date";
  dag.deadline_ms = inner.seconds_as_ms("within_secs", 0, {1, year_ms});
  if (!inner.has("within_secs")) (void)inner.required_text("within_secs");
  inner.finish();
}

void read_notices(Fields& fields, DagSpec& dag, Diagnostics& out) {
  const Node* list = fields.find("notify");
  if (list == nullptr) return;
  if (list->kind != Node::Kind::sequence) {
    out.add(problems::wrong_type, list->at, "notify is a list", {});
    return;
  }
  for (const Node& item : list->items) {
    Fields inner(item, "notify", out);
    Notice notice;
    notice.on = inner.texts("on");
    if (notice.on.empty()) notice.on = {"failure"};
    const std::vector<std::string> known = {"success", "failure", "deadline"};
    for (const std::string& event : notice.on) {
      if (std::ranges::find(known, event) != known.end()) continue;
      out.add(problems::out_of_range, inner.place("on"),
              fmt::format("\"{}\" is nothing to be told of", event),
              {.hint = did_you_mean(event, known), .help = "there are success, failure, deadline"});
    }
    notice.webhook = inner.text("webhook");
    notice.command = inner.text("command");
    inner.finish();
    if (notice.webhook.empty() == notice.command.empty()) {
      out.add(problems::missing_key, item.at, "a notice has either a webhook or a command", {});
    }
    dag.notify.push_back(std::move(notice));
  }
}

struct Placed {
  TaskSpec task;
  Position at;
  std::vector<Position> after_at;
};

Placed read_task(const Node::Entry& entry, const TaskSpec& defaults, Diagnostics& out) {
  Placed placed{defaults, entry.at, {}};
  TaskSpec& task = placed.task;
  task.id = entry.key;
  check_name(NameOf::task, task.id, entry.at, out);
  if (entry.value.kind == Node::Kind::scalar) {  // `batch: batch`: a task that is only a job
    task.job = entry.value.text;
    return placed;
  }
  Fields fields(entry.value, "task " + task.id, out);
  task.job = fields.required_text("job");
  task.after = fields.texts("after");
  for (const std::string& name : task.after) {
    Position at = fields.place("after");
    if (const Node* list = entry.value.find("after"); list->kind == Node::Kind::sequence) {
      for (const Node& item : list->items) {
        if (item.text == name) at = item.at;
      }
    }
    placed.after_at.push_back(at);
  }
  read_task_fields(fields, task, out);
  task.params = read_params(fields, "params", out);
  fields.finish();
  return placed;
}

// Every `after` leads to a task, and nobody waits for himself in the end.
void check_graph(const std::vector<Placed>& tasks, Diagnostics& out) {
  std::map<std::string, size_t> by_id;
  std::vector<std::string> names;
  for (size_t i = 0; i < tasks.size(); ++i) {
    by_id.emplace(tasks[i].task.id, i);
    names.push_back(tasks[i].task.id);
  }
  std::vector<size_t> waits_for(tasks.size(), 0);
  std::vector<std::vector<size_t>> followers(tasks.size());
  for (size_t i = 0; i < tasks.size(); ++i) {
    for (size_t k = 0; k < tasks[i].task.after.size(); ++k) {
      const std::string& name = tasks[i].task.after[k];
      auto found = by_id.find(name);
      if (found == by_id.end()) {
        out.add(problems::unknown_name, tasks[i].after_at[k],
                fmt::format("task {} comes after {}, which is no task", tasks[i].task.id, name),
                {.hint = did_you_mean(name, names), .length = name.size()});
        continue;
      }
      ++waits_for[i];
      followers[found->second].push_back(i);
    }
  }
  std::vector<size_t> ready;
  for (size_t i = 0; i < tasks.size(); ++i) {
    if (waits_for[i] == 0) ready.push_back(i);
  }
  size_t done = 0;
  while (!ready.empty()) {
    size_t task = ready.back();
    ready.pop_back();
    ++done;
    for (size_t follower : followers[task]) {
      if (--waits_for[follower] == 0) ready.push_back(follower);
    }
  }
  if (done == tasks.size()) return;
  std::vector<std::string> stuck;
  Position at;
  for (size_t i = 0; i < tasks.size(); ++i) {
    if (waits_for[i] == 0) continue;
    if (stuck.empty()) at = tasks[i].at;
    stuck.push_back(tasks[i].task.id);
  }
  out.add(problems::cycle, at,
          fmt::format("these tasks wait for each other in a circle: {}", fmt::join(stuck, ", ")));
}

// "2026-01-01" or "2026-01-01T06:00:00", a day that exists, not before 1970: `datetime(24, 7, 29)`
// occurs in the wild and means nobody's intention.
void check_start_date(const std::string& text, const Position& at, Diagnostics& out) {
  std::string whole = text.size() == 10 ? text + "T00:00:00" : text;
  auto moment = from_rfc3339(whole.ends_with('Z') ? whole : whole + "Z");
  if (!moment) {
    out.add(problems::wrong_type, at,
            fmt::format("start_date is a day such as 2026-01-01, not \"{}\"", text),
            {.length = text.size()});
  } else if (*moment < 0) {
    out.add(problems::out_of_range, at, "start_date lies before 1970", {.length = text.size()});
  }
}

}  // namespace

std::string_view name_of(TriggerRule rule) {
  return rule_names[static_cast<size_t>(rule)];
}

std::optional<TriggerRule> trigger_rule_named(std::string_view name) {
  for (size_t i = 0; i < rule_names.size(); ++i) {
    if (rule_names[i] == name) return static_cast<TriggerRule>(i);
  }
  return std::nullopt;
}

Params read_params(Fields& fields, std::string_view key, Diagnostics& out) {
  Params params;
  fields.each(key, [&](const Node::Entry& entry) {
    if (entry.value.kind == Node::Kind::scalar || entry.value.kind == Node::Kind::null) {
      params[entry.key] = entry.value.text;
    } else {
      out.add(problems::wrong_type, entry.value.at,
              fmt::format("{} is a single value, not {}", entry.key, kind_name(entry.value)));
    }
  });
  return params;
}

void read_dag(const Node& tree, Project& project, Diagnostics& out) {
  Fields fields(tree, "a DAG", out);
  DagSpec dag;
  dag.id = fields.required_text("dag");
  if (!dag.id.empty()) check_name(NameOf::dag, dag.id, fields.place("dag"), out);
  dag.description = fields.text("description");
  dag.schedule = fields.text("schedule");
  dag.schedule_at = fields.place("schedule");
  dag.timezone = fields.text("timezone", "UTC");
  dag.timezone_at = fields.place("timezone");
  dag.start_date = fields.text("start_date");
  if (!dag.start_date.empty()) check_start_date(dag.start_date, fields.place("start_date"), out);
  dag.catchup = fields.boolean("catchup", false);
  dag.max_active_runs = static_cast<int>(fields.integer("max_active_runs", 16, {1, 10'000}));
  dag.max_active_tasks = static_cast<int>(fields.integer("max_active_tasks", 16, {1, 10'000}));
  dag.run_timeout_ms = fields.seconds_as_ms("dagrun_timeout_secs", 0, {0, year_ms});
  dag.interval_dates =
      fields.choice("cron_semantics", "trigger", {"trigger", "interval"}) == "interval";
  constexpr int64_t day_ms = 86'400'000;
  dag.history_ms = day_ms * fields.integer("history_days", dag.history_ms / day_ms, {0, 36'500});
  read_deadline(fields, dag, out);
  read_notices(fields, dag, out);
  dag.tags = fields.texts("tags");
  dag.params = read_params(fields, "params", out);
  dag.file = tree.at.source != nullptr ? tree.at.source->name : "";
  TaskSpec defaults;
  if (const Node* node = fields.find("defaults")) {
    Fields inner(*node, "defaults", out);
    read_task_fields(inner, defaults, out);
    inner.finish();
  }
  std::vector<Placed> tasks;
  if (!fields.has("tasks")) (void)fields.required_text("tasks");
  fields.each("tasks",
              [&](const Node::Entry& entry) { tasks.push_back(read_task(entry, defaults, out)); });
  fields.finish();
  check_graph(tasks, out);
  for (Placed& placed : tasks) dag.tasks.push_back(std::move(placed.task));
  for (const DagSpec& other : project.dags) {
    if (other.id != dag.id) continue;
    out.add(problems::duplicate_name, fields.place("dag"),
            fmt::format("DAG {} is defined in {} already", dag.id, other.file),
            {.length = dag.id.size()});
  }
  project.dags.push_back(std::move(dag));
}

}  // namespace pinpipe::project
