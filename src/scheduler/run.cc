#include "scheduler/run.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/check.h"

namespace pinpipe::scheduler {
namespace {

constexpr std::array<std::string_view, 4> run_states = {"queued", "running", "success", "failed"};
constexpr std::array<std::string_view, 3> run_types = {"scheduled", "manual", "backfill"};
constexpr std::array<std::string_view, 11> task_states = {
    "none",         "scheduled",       "queued",  "running",    "success", "failed",
    "up_for_retry", "upstream_failed", "skipped", "restarting", "removed"};

template <class Enum, size_t size>
std::optional<Enum> named(const std::array<std::string_view, size>& names, std::string_view name) {
  for (size_t i = 0; i < size; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(RunState state) {
  return run_states[static_cast<size_t>(state)];
}
std::string_view name_of(RunType type) {
  return run_types[static_cast<size_t>(type)];
}
std::string_view name_of(TaskState state) {
  return task_states[static_cast<size_t>(state)];
}
std::optional<RunState> run_state_named(std::string_view name) {
  return named<RunState>(run_states, name);
}
std::optional<RunType> run_type_named(std::string_view name) {
  return named<RunType>(run_types, name);
}
std::optional<TaskState> task_state_named(std::string_view name) {
  return named<TaskState>(task_states, name);
}

bool has_ended(TaskState state) {
  return state == TaskState::success || state == TaskState::failed ||
         state == TaskState::upstream_failed || state == TaskState::skipped ||
         state == TaskState::removed;
}

int64_t retry_delay_ms(const project::TaskSpec& task, int try_number) {
  int64_t delay = task.retry_delay_ms;
  if (!task.exponential_backoff) return delay;
  for (int i = 1; i < try_number && delay < task.retry_delay_max_ms; ++i) delay *= 2;
  return std::min(delay, task.retry_delay_max_ms);
}

RunMachine::RunMachine(std::shared_ptr<const project::DagSpec> dag, DagRun run)
    : dag_(std::move(dag)), run_(std::move(run)), links_(dag_->tasks.size()) {
  std::map<std::string, TaskRun> stored;
  for (TaskRun& task : run_.tasks) stored.emplace(task.task_id, std::move(task));
  run_.tasks.clear();
  std::map<std::string_view, size_t> by_id;
  for (const project::TaskSpec& spec : dag_->tasks) {
    by_id.emplace(spec.id, run_.tasks.size());
    auto known = stored.extract(spec.id);
    TaskRun task;
    task.task_id = spec.id;
    task.tries_max = spec.retries + 1;
    if (!known.empty()) task = std::move(known.mapped());
    if (task.state == TaskState::removed) task.state = TaskState::none;
    run_.tasks.push_back(std::move(task));
  }
  for (auto& [id, task] : stored) {
    task.state = TaskState::removed;
    run_.tasks.push_back(std::move(task));
  }
  for (size_t i = 0; i < links_.size(); ++i) {
    for (const std::string& name : dag_->tasks[i].after) {
      auto before = by_id.find(name);
      CHECK(before != by_id.end(), "the project was checked: every task in `after` exists");
      links_[i].before.push_back(before->second);
      links_[before->second].after.push_back(i);
    }
  }
  for (size_t i = 0; i < links_.size(); ++i) {
    TaskState state = run_.tasks[i].state;
    if (scheduler::has_ended(state)) {
      count_ended(i, 1);
    } else {
      ++open_;
    }
    if (state == TaskState::scheduled || state == TaskState::queued) ready_.push_back(i);
    if (state == TaskState::up_for_retry) retries_.emplace(run_.tasks[i].retry_at_ms, i);
  }
}

void RunMachine::begin(int64_t now_ms) {
  if (run_.state != RunState::queued) return;
  run_.state = RunState::running;
  if (run_.start_ms == 0) run_.start_ms = now_ms;
  changes_.run = true;
  std::vector<size_t> all(links_.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  examine(std::move(all), now_ms);
}

std::vector<size_t> RunMachine::startable(size_t most,
                                          const std::function<bool(size_t)>& fits) const {
  std::vector<size_t> tasks;
  if (run_.state != RunState::running) return tasks;
  for (size_t task : ready_) {
    if (tasks.size() == most) break;
    // A try that was told to stop may still be on its way out.
    if (!links_[task].busy && (!fits || fits(task))) tasks.push_back(task);
  }
  return tasks;
}

void RunMachine::started(size_t task, int64_t now_ms) {
  auto at = std::find(ready_.begin(), ready_.end(), task);
  CHECK(at != ready_.end() && !links_[task].busy, "only a startable task starts");
  ready_.erase(at);
  links_[task].busy = true;
  ++busy_count_;
  TaskRun& entry = run_.tasks[task];
  entry.state = TaskState::running;
  ++entry.try_number;
  entry.start_ms = now_ms;
  entry.end_ms = 0;
  entry.note.clear();
  changes_.tasks.insert(task);
}

void RunMachine::finished(size_t task, const Outcome& outcome, int64_t now_ms) {
  CHECK(links_[task].busy, "only a started task finishes");
  links_[task].busy = false;
  --busy_count_;
  TaskState state = run_.tasks[task].state;
  if (state == TaskState::restarting) {
    set_state(task, TaskState::none);
    examine({task}, now_ms);
    return;
  }
  if (state != TaskState::running) return;  // cancelled meanwhile
  switch (outcome.kind) {
    case Outcome::Kind::success:
      return settle(task, TaskState::success, outcome.note, now_ms);
    case Outcome::Kind::skipped:
      return settle(task, TaskState::skipped, outcome.note, now_ms);
    case Outcome::Kind::failed:
      return fail_try(task, outcome.note, false, now_ms);
    case Outcome::Kind::failed_for_good:
      return fail_try(task, outcome.note, true, now_ms);
  }
}

void RunMachine::fail_try(size_t task, const std::string& note, bool for_good, int64_t now_ms) {
  TaskRun& entry = run_.tasks[task];
  if (for_good || entry.try_number >= entry.tries_max) {
    return settle(task, TaskState::failed, note, now_ms);
  }
  entry.state = TaskState::up_for_retry;
  entry.end_ms = now_ms;
  entry.note = note;
  entry.retry_at_ms = now_ms + retry_delay_ms(dag_->tasks[task], entry.try_number);
  retries_.emplace(entry.retry_at_ms, task);
  changes_.tasks.insert(task);
}

void RunMachine::tick(int64_t now_ms) {
  if (run_.state != RunState::running) return;
  if (timeout_ms() > 0 && now_ms >= run_.start_ms + timeout_ms()) {
    return cancel("the run took longer than its time limit", now_ms);
  }
  while (!retries_.empty() && retries_.begin()->first <= now_ms) {
    size_t task = retries_.begin()->second;
    retries_.erase(retries_.begin());
    run_.tasks[task].queued_ms = now_ms;
    set_state(task, TaskState::scheduled);
    ready_.push_back(task);
  }
}

std::optional<int64_t> RunMachine::next_due_ms() const {
  std::optional<int64_t> due;
  if (run_.state != RunState::running) return due;
  if (!retries_.empty()) due = retries_.begin()->first;
  if (timeout_ms() > 0) {
    int64_t limit = run_.start_ms + timeout_ms();
    due = due ? std::min(*due, limit) : limit;
  }
  return due;
}

RunMachine::Verdict RunMachine::judge(size_t task) const {
  using Rule = project::TriggerRule;
  const Links& up = links_[task];
  size_t all = up.before.size(), done = up.succeeded + up.failed + up.skipped;
  if (all == 0) return Verdict::run;
  bool over = done == all;
  auto when = [](bool condition, Verdict then) { return condition ? then : Verdict::wait; };
  switch (dag_->tasks[task].trigger_rule) {
    case Rule::all_success:
      if (up.failed > 0) return Verdict::upstream_failed;
      if (up.skipped > 0) return Verdict::skip;
      return when(over, Verdict::run);
    case Rule::all_failed:
      if (up.succeeded + up.skipped > 0) return Verdict::skip;
      return when(over, Verdict::run);
    case Rule::all_done:
      return when(over, Verdict::run);
    case Rule::all_skipped:
      if (up.succeeded + up.failed > 0) return Verdict::skip;
      return when(over, Verdict::run);
    case Rule::one_success:
      if (up.succeeded > 0) return Verdict::run;
      return when(over, up.skipped == all ? Verdict::skip : Verdict::upstream_failed);
    case Rule::one_failed:
      return up.failed > 0 ? Verdict::run : when(over, Verdict::skip);
    case Rule::one_done:
      return up.succeeded + up.failed > 0 ? Verdict::run : when(over, Verdict::skip);
    case Rule::none_failed:
      if (up.failed > 0) return Verdict::upstream_failed;
      return when(over, Verdict::run);
    case Rule::none_skipped:
      if (up.skipped > 0) return Verdict::skip;
      return when(over, Verdict::run);
    case Rule::none_failed_min_one_success:
      if (up.failed > 0) return Verdict::upstream_failed;
      return when(over, up.skipped == all ? Verdict::skip : Verdict::run);
    case Rule::always:
      return Verdict::run;
  }
  return Verdict::wait;
}

// Decides about tasks whose surroundings changed, and about those that follow from that. A work
// list, because a chain may be ten thousand tasks long.
void RunMachine::examine(std::vector<size_t> tasks, int64_t now_ms) {
  for (size_t next = 0; next < tasks.size(); ++next) {
    size_t task = tasks[next];
    if (run_.tasks[task].state != TaskState::none || run_.state != RunState::running) continue;
    Verdict verdict = judge(task);
    if (verdict == Verdict::wait) continue;
    TaskRun& entry = run_.tasks[task];
    changes_.tasks.insert(task);
    if (verdict == Verdict::run) {
      entry.state = TaskState::scheduled;
      entry.queued_ms = now_ms;
      ready_.push_back(task);
      continue;
    }
    entry.state = verdict == Verdict::skip ? TaskState::skipped : TaskState::upstream_failed;
    entry.end_ms = now_ms;
    --open_;
    count_ended(task, 1);
    tasks.insert(tasks.end(), links_[task].after.begin(), links_[task].after.end());
  }
  end_if_done(now_ms);
}

void RunMachine::settle(size_t task, TaskState state, std::string note, int64_t now_ms) {
  TaskRun& entry = run_.tasks[task];
  entry.state = state;
  entry.end_ms = now_ms;
  entry.note = std::move(note);
  changes_.tasks.insert(task);
  --open_;
  count_ended(task, 1);
  examine(links_[task].after, now_ms);
}

void RunMachine::set_state(size_t task, TaskState state) {
  run_.tasks[task].state = state;
  changes_.tasks.insert(task);
}

void RunMachine::count_ended(size_t task, int by) {
  TaskState state = run_.tasks[task].state;
  for (size_t follower : links_[task].after) {
    Links& links = links_[follower];
    size_t& count = state == TaskState::success   ? links.succeeded
                    : state == TaskState::skipped ? links.skipped
                                                  : links.failed;
    count += static_cast<size_t>(by);
  }
}

void RunMachine::end_if_done(int64_t now_ms) {
  if (open_ > 0 || run_.state != RunState::running) return;
  bool failed = false;
  for (size_t i = 0; i < links_.size(); ++i) {
    TaskState state = run_.tasks[i].state;
    bool last = links_[i].after.empty();
    failed |= last && (state == TaskState::failed || state == TaskState::upstream_failed);
  }
  run_.state = failed ? RunState::failed : RunState::success;
  run_.end_ms = now_ms;
  changes_.run = true;
}

std::vector<size_t> RunMachine::reached_from(const std::vector<size_t>& tasks,
                                             bool downstream) const {
  std::set<size_t> reached;
  std::vector<size_t> open = tasks;
  while (!open.empty()) {
    size_t task = open.back();
    open.pop_back();
    if (task >= links_.size() || !reached.insert(task).second) continue;
    if (!downstream) continue;
    open.insert(open.end(), links_[task].after.begin(), links_[task].after.end());
  }
  return {reached.begin(), reached.end()};
}

std::vector<size_t> RunMachine::clear(const std::vector<size_t>& tasks, bool downstream,
                                      int64_t now_ms) {
  std::vector<size_t> cleared = reached_from(tasks, downstream);
  for (size_t task : cleared) {
    TaskRun& entry = run_.tasks[task];
    if (scheduler::has_ended(entry.state)) {
      count_ended(task, -1);
      ++open_;
    }
    std::erase(ready_, task);
    retries_.erase({entry.retry_at_ms, task});
    entry.tries_max = entry.try_number + dag_->tasks[task].retries + 1;
    entry.note = "cleared";
    entry.end_ms = 0;
    set_state(task, links_[task].busy ? TaskState::restarting : TaskState::none);
  }
  if (cleared.empty()) return cleared;
  if (has_ended()) {
    run_.state = RunState::queued;
    // The time limit counts from when the run goes on.
    run_.start_ms = 0;
    run_.end_ms = 0;
    run_.queued_ms = now_ms;
    changes_.run = true;
  } else {
    examine(cleared, now_ms);
  }
  return cleared;
}

void RunMachine::mark(const std::vector<size_t>& tasks, TaskState state, int64_t now_ms) {
  if (tasks.empty()) return;
  // An ended run is open while its tasks are set, so that its end is found again.
  run_.state = RunState::running;
  run_.end_ms = 0;
  if (run_.start_ms == 0) run_.start_ms = now_ms;
  changes_.run = true;
  auto reopen = [&](size_t task) {
    TaskRun& entry = run_.tasks[task];
    if (scheduler::has_ended(entry.state)) {
      count_ended(task, -1);
      ++open_;
    }
    std::erase(ready_, task);
    retries_.erase({entry.retry_at_ms, task});
    set_state(task, TaskState::none);
  };
  std::vector<size_t> stuck;
  if (state == TaskState::success) {
    for (size_t task : reached_from(tasks, true)) {
      if (run_.tasks[task].state == TaskState::upstream_failed) stuck.push_back(task);
    }
  }
  for (size_t task : stuck) reopen(task);
  for (size_t task : tasks) {
    if (task >= links_.size()) continue;
    reopen(task);
    TaskRun& entry = run_.tasks[task];
    entry.state = state;
    entry.end_ms = now_ms;
    entry.note = "marked as " + std::string(name_of(state));
    --open_;
    count_ended(task, 1);
  }
  std::vector<size_t> all(links_.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  examine(std::move(all), now_ms);
}

void RunMachine::set_note(std::string note) {
  run_.note = std::move(note);
  changes_.run = true;
}

void RunMachine::set_deadline_told() {
  run_.deadline_told = true;
  changes_.run = true;
}

void RunMachine::cancel(const std::string& note, int64_t now_ms) {
  if (has_ended()) return;
  for (size_t i = 0; i < links_.size(); ++i) {
    TaskRun& entry = run_.tasks[i];
    if (scheduler::has_ended(entry.state)) continue;
    bool ran = entry.state == TaskState::running || entry.state == TaskState::restarting;
    entry.state = ran ? TaskState::failed : TaskState::skipped;
    entry.end_ms = now_ms;
    entry.note = note;
    changes_.tasks.insert(i);
    count_ended(i, 1);
  }
  open_ = 0;
  ready_.clear();
  retries_.clear();
  run_.state = RunState::failed;
  run_.note = note;
  run_.end_ms = now_ms;
  changes_.run = true;
}

void RunMachine::recover(int64_t now_ms) {
  for (size_t i = 0; i < links_.size(); ++i) {
    TaskRun& entry = run_.tasks[i];
    if (entry.state == TaskState::running) {
      fail_try(i, "the process ended while the task ran", false, now_ms);
    } else if (entry.state == TaskState::restarting) {
      set_state(i, TaskState::none);
      examine({i}, now_ms);
    }
  }
  // What the last process had not come to decide.
  std::vector<size_t> all(links_.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  examine(std::move(all), now_ms);
}

std::vector<size_t> RunMachine::to_stop() const {
  std::vector<size_t> tasks;
  if (busy_count_ == 0) return tasks;
  for (size_t i = 0; i < links_.size(); ++i) {
    if (links_[i].busy && run_.tasks[i].state != TaskState::running) tasks.push_back(i);
  }
  return tasks;
}

std::optional<size_t> RunMachine::find_task(std::string_view id) const {
  for (size_t i = 0; i < links_.size(); ++i) {
    if (run_.tasks[i].task_id == id) return i;
  }
  return std::nullopt;
}

RunMachine::Changes RunMachine::take_changes() {
  return std::exchange(changes_, {});
}

}  // namespace pinpipe::scheduler
