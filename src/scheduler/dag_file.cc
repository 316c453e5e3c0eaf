#include "scheduler/dag_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <map>
#include <tuple>

#include "base/clock.h"
#include "scheduler/cron.h"
#include "scheduler/dag_reader.h"

namespace pinpipe::scheduler {
namespace {

using Kind = Value::Kind;

// A name that Airflow accepts for DAGs and tasks, and a file system too.
bool is_legal_id(std::string_view id) {
  constexpr size_t id_bytes_max = 250;
  auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !id.empty() && id.size() <= id_bytes_max && std::ranges::all_of(id, fits);
}

std::string shown(const Value& value) {
  return value.kind == Kind::unknown || value.kind == Kind::symbol ? value.text : "this value";
}

}  // namespace

DagFile read_dag_file(std::string name, std::string_view source, const NotebookJobs& jobs) {
  return DagReader(std::move(name), jobs).read(source);
}

DagReader::DagReader(std::string name, const NotebookJobs& jobs)
    : jobs_(jobs),
      evaluator_([this](const std::string& callee, const Value& owner, Arguments& arguments,
                        int line) { return call(callee, owner, arguments, line); },
                 [this](const Value& left, const Value& right, bool forward, int line) {
                   link(forward ? left : right, forward ? right : left, line);
                 }) {
  file_.name = std::move(name);
}

DagFile DagReader::read(std::string_view source) {
  auto tree = python_tree(source);
  if (!tree) {
    std::string_view text = tree.error().text();
    int line = 0;
    text.remove_prefix(std::string_view("line ").size());
    auto end = std::from_chars(text.data(), text.data() + text.size(), line);
    text.remove_prefix(std::min(text.size(), static_cast<size_t>(end.ptr - text.data()) + 2));
    file_.problems.push_back({line, "this is no Python: " + std::string(text), true});
    return std::move(file_);
  }
  walk(*tree);
  attach_tasks();
  for (size_t i = 0; i < dags_.size(); ++i) check(i);
  for (Draft& draft : dags_) {
    if (!draft.refused) file_.dags.push_back(std::move(draft.spec));
  }
  if (dags_.empty() && file_.problems.empty()) warn(0, "no DAG is defined in this file");
  std::ranges::sort(file_.problems, [](const DagFileProblem& a, const DagFileProblem& b) {
    return std::tie(a.line, a.sentence) < std::tie(b.line, b.sentence);
  });
  return std::move(file_);
}

void DagReader::warn(int line, std::string sentence) {
  file_.problems.push_back({line, std::move(sentence), false});
}

void DagReader::refuse(std::optional<size_t> dag, int line, std::string sentence) {
  file_.problems.push_back({line, std::move(sentence), true});
  if (dag) {
    dags_[*dag].refused = true;
    return;
  }
  for (Draft& draft : dags_) draft.refused = true;
}

void DagReader::walk(const std::vector<Statement>& statements) {
  for (const Statement& statement : statements) follow(statement);
}

void DagReader::follow(const Statement& statement) {
  switch (statement.kind) {
    case Statement::Kind::import:
      for (size_t i = 0; i < statement.names.size(); ++i) {
        std::string name = statement.names[i].substr(statement.names[i].rfind('.') + 1);
        evaluator_.variables[statement.targets[i]] = {
            .kind = Kind::symbol, .text = std::move(name), .line = statement.line};
      }
      return;
    case Statement::Kind::assign: {
      Value value = evaluator_.evaluate(statement.value);
      for (const std::string& name : statement.targets) evaluator_.variables[name] = value;
      for (const std::string& place : statement.mentions) {
        if (place.ends_with(".doc_md") || place.ends_with(".doc")) continue;
        warn(statement.line, fmt::format("the assignment to `{}` is not followed", place));
      }
      return;
    }
    case Statement::Kind::expression:
      (void)evaluator_.evaluate(statement.value);
      return;
    case Statement::Kind::with:
      return enter(statement);
    case Statement::Kind::function:
      if (!statement.text.empty()) {
        refuse(inside_.empty() ? std::nullopt : std::optional(inside_.back()), statement.line,
               fmt::format("`@{}` makes tasks by running Python, which is not done here",
                           statement.text));
      }
      evaluator_.variables[statement.targets.front()] = {
          .kind = Kind::unknown, .text = statement.targets.front(), .line = statement.line};
      return;
    case Statement::Kind::other:
      return pass_over(statement);
  }
}

void DagReader::enter(const Statement& with) {
  size_t depth = inside_.size();
  for (size_t i = 0; i < with.items.size(); ++i) {
    Value value = evaluator_.evaluate(with.items[i]);
    if (value.kind == Kind::dag) {
      inside_.push_back(static_cast<size_t>(value.number));
    } else {
      std::optional<size_t> dag = inside_.empty() ? std::nullopt : std::optional(inside_.back());
      refuse(dag, with.line,
             fmt::format("`with {}` is not read; write its tasks without it",
                         described(with.items[i])));
    }
    if (!with.targets[i].empty()) evaluator_.variables[with.targets[i]] = value;
  }
  walk(with.body);
  inside_.resize(depth);
}

// Control flow is not followed. Where it has to do with tasks, the DAG would have holes; otherwise
// what it mentions is not known any more.
void DagReader::pass_over(const Statement& other) {
  auto mentions = [&](auto&& fits) { return std::ranges::any_of(other.mentions, fits); };
  if (mentions([](const std::string& name) { return name == "__name__"; })) return;
  bool about_tasks = mentions([&](const std::string& name) {
    auto known = evaluator_.variables.find(name);
    bool is_task = known != evaluator_.variables.end() &&
                   (known->second.kind == Kind::task || known->second.kind == Kind::dag);
    return is_task || is_operator(name) || name == "DAG" || name == ">>" || name == "<<";
  });
  if (about_tasks) {
    refuse(inside_.empty() ? std::nullopt : std::optional(inside_.back()), other.line,
           fmt::format("`{}` is not followed: write the tasks out one by one", other.text));
    return;
  }
  for (const std::string& name : other.mentions) {
    auto known = evaluator_.variables.find(name);
    if (known == evaluator_.variables.end() || known->second.kind == Kind::symbol) continue;
    known->second = {.kind = Kind::unknown, .text = name, .line = other.line};
  }
  warn(other.line, fmt::format("`{}` is not followed", other.text));
}

std::optional<Value> DagReader::call(const std::string& callee, const Value& owner,
                                     Arguments& arguments, int line) {
  if (owner.kind == Kind::task) {
    for (const Value& other : arguments.by_position) {
      if (callee == "set_downstream") link(owner, other, line);
      if (callee == "set_upstream") link(other, owner, line);
    }
    return Value{.kind = Kind::none, .line = line};
  }
  if (callee == "DAG") return make_dag(arguments, line);
  if (callee == "chain") {
    chain(arguments.by_position, line);
    return Value{.kind = Kind::none, .line = line};
  }
  if (callee == "cross_downstream" && arguments.by_position.size() == 2) {
    link(arguments.by_position[0], arguments.by_position[1], line);
    return Value{.kind = Kind::none, .line = line};
  }
  if (is_operator(callee)) return make_task(callee, arguments, line);
  return std::nullopt;
}

std::optional<Value> DagReader::take(Asked& asked, std::string_view name) {
  auto value = asked.arguments.take(name);
  if (value && value->kind == Kind::none) return std::nullopt;
  return value;
}

void DagReader::wrong(Asked& asked, std::string_view name, const Value& value,
                      std::string_view wanted, bool essential) {
  bool open = value.kind == Kind::unknown || value.kind == Kind::symbol;
  std::string sentence =
      open ? fmt::format("`{}` is not evaluated; write the value of {} itself", shown(value), name)
           : fmt::format("{} of the {} should be {}", name, asked.what, wanted);
  int line = value.line != 0 ? value.line : asked.line;
  if (essential) {
    refuse(asked.dag, line, std::move(sentence));
  } else {
    warn(line, std::move(sentence));
  }
}

std::optional<std::string> DagReader::text(Asked& asked, std::string_view name, bool essential) {
  auto value = take(asked, name);
  if (!value) return std::nullopt;
  if (value->kind == Kind::text) return std::move(value->text);
  wrong(asked, name, *value, "a text", essential);
  return std::nullopt;
}

std::optional<int64_t> DagReader::integer(Asked& asked, std::string_view name) {
  auto value = take(asked, name);
  if (!value) return std::nullopt;
  if (value->kind == Kind::integer && value->number >= 0) return value->number;
  wrong(asked, name, *value, "a whole number", false);
  return std::nullopt;
}

std::optional<bool> DagReader::boolean(Asked& asked, std::string_view name) {
  auto value = take(asked, name);
  if (!value) return std::nullopt;
  if (value->kind == Kind::boolean) return value->number != 0;
  wrong(asked, name, *value, "True or False", false);
  return std::nullopt;
}

std::optional<int64_t> DagReader::span_ms(Asked& asked, std::string_view name) {
  auto value = take(asked, name);
  if (!value) return std::nullopt;
  if (value->kind == Kind::span && value->number >= 0) return value->number;
  // Airflow takes a plain number of seconds too.
  if (value->kind == Kind::integer && value->number >= 0 && value->number < INT32_MAX) {
    return value->number * 1000;
  }
  wrong(asked, name, *value, "a timedelta", false);
  return std::nullopt;
}

std::optional<Value> DagReader::make_dag(Arguments& arguments, int line) {
  if (dags_.size() >= DagFile::dags_per_file_max) {
    refuse(std::nullopt, line, "there are too many DAGs in this file");
    return std::nullopt;
  }
  constexpr std::array<std::string_view, 4> positions = {"dag_id", "description", "schedule",
                                                         "start_date"};
  for (size_t i = 0; i < arguments.by_position.size() && i < positions.size(); ++i) {
    arguments.by_name.emplace_back(positions[i], arguments.by_position[i]);
  }
  size_t index = dags_.size();
  dags_.emplace_back();
  Draft& draft = dags_.back();
  draft.line = line;
  draft.spec.file = file_.name;
  Asked asked{arguments, index, line, "DAG"};
  if (auto id = text(asked, "dag_id", true)) {
    draft.spec.id = *id;
    if (!is_legal_id(*id)) {
      refuse(
          index, line,
          fmt::format("\"{}\" is no name for a DAG: letters, digits, . _ - and at most 250", *id));
    }
  } else if (!draft.refused) {
    refuse(index, line, "the DAG has no dag_id");
  }
  if (auto defaults = take(asked, "default_args")) {
    if (defaults->kind == Kind::dict) {
      draft.default_args = std::move(*defaults);
    } else {
      wrong(asked, "default_args", *defaults, "a dict", true);
    }
  }
  draft.spec.description = text(asked, "description", false).value_or("");
  read_start(asked, draft);
  read_schedule(asked, draft.spec);
  read_dag_limits(asked, draft.spec);
  note_leftovers(asked,
                 {"default_view", "orientation", "doc_md", "owner_links", "access_control",
                  "template_searchpath", "user_defined_macros", "user_defined_filters",
                  "render_template_as_native_obj", "dag_display_name", "jinja_environment_kwargs"});
  return Value{.kind = Kind::dag, .number = static_cast<int64_t>(index), .line = line};
}

void DagReader::read_schedule(Asked& asked, project::DagSpec& spec) {
  bool given = false;
  for (std::string_view name : {"schedule", "schedule_interval", "timetable"}) {
    auto value = asked.arguments.take(name);
    if (!value) continue;
    given = true;
    if (value->kind == Kind::none) continue;
    if (value->kind == Kind::span && value->number >= 1000) {
      spec.schedule = fmt::format("@every {}s", value->number / 1000);
    } else if (value->kind == Kind::text && value->text == "@continuous") {
      refuse(asked.dag, asked.line, "the schedule @continuous is not supported");
    } else if (value->kind == Kind::text) {
      spec.schedule = value->text == "None" ? "" : value->text;
      bool cron = !spec.schedule.empty() && spec.schedule != "@once";
      if (!cron) continue;
      if (auto parsed = Cron::parse(spec.schedule); !parsed) {
        refuse(asked.dag, value->line, fmt::format("schedule: {}", parsed.error().text()));
      }
    } else {
      wrong(asked, name, *value, "a cron text, a preset, a timedelta or None", true);
    }
  }
  if (!given) {
    warn(asked.line,
         "the DAG has no schedule: it runs by hand only (Airflow 2 ran such DAGs daily)");
  }
}

void DagReader::read_start(Asked& asked, Draft& draft) {
  auto start = take(asked, "start_date");
  const Value* by_default = draft.default_args.find("start_date");
  if (!start && by_default != nullptr) start = *by_default;
  if (!start) return;
  if (start->kind != Kind::moment) {
    return wrong(asked, "start_date", *start, "a datetime", false);
  }
  if (start->number < 1970) {
    std::string likely =
        start->number < 100 ? fmt::format("; was {} meant?", 2000 + start->number) : ".";
    return warn(start->line, fmt::format("start_date lies in the year {}{} It is left out: the DAG "
                                         "starts with its next due moment",
                                         start->number, likely));
  }
  draft.spec.start_date = start->text;
  if (!start->zone.empty()) draft.spec.timezone = start->zone;
}

void DagReader::read_dag_limits(Asked& asked, project::DagSpec& spec) {
  constexpr int64_t limit_max = 10'000;
  spec.catchup = boolean(asked, "catchup").value_or(false);
  if (auto most = integer(asked, "max_active_runs")) {
    spec.max_active_runs = static_cast<int>(std::clamp<int64_t>(*most, 1, limit_max));
  }
  for (std::string_view name : {"max_active_tasks", "concurrency"}) {
    if (auto most = integer(asked, name)) {
      spec.max_active_tasks = static_cast<int>(std::clamp<int64_t>(*most, 1, limit_max));
    }
  }
  spec.run_timeout_ms = span_ms(asked, "dagrun_timeout").value_or(0);
  if (auto tags = take(asked, "tags")) {
    for (const Value& tag : tags->items) {
      if (tag.kind == Kind::text) spec.tags.push_back(tag.text);
    }
  }
  if (auto params = take(asked, "params")) {
    for (size_t i = 0; i + 1 < params->items.size(); i += 2) {
      auto json = params->items[i + 1].json();
      if (!json) {
        wrong(asked, "params", params->items[i + 1], "plain values", false);
        continue;
      }
      auto text = json->as_string();
      spec.params[params->items[i].text] = text ? std::string(*text) : codec::to_json(*json);
    }
  }
}

std::vector<size_t> DagReader::tasks_in(const Value& value, int line) {
  if (value.kind == Kind::task) return {static_cast<size_t>(value.number)};
  std::vector<size_t> tasks;
  if (value.kind == Kind::list) {
    for (const Value& item : value.items) {
      for (size_t task : tasks_in(item, line)) tasks.push_back(task);
    }
    return tasks;
  }
  refuse(inside_.empty() ? std::nullopt : std::optional(inside_.back()), line,
         fmt::format("`{}` is no task that is known here", shown(value)));
  return tasks;
}

void DagReader::link(const Value& before, const Value& after, int line) {
  std::vector<size_t> earlier = tasks_in(before, line);
  for (size_t task : tasks_in(after, line))
    tasks_[task].after.insert(earlier.begin(), earlier.end());
}

// Neighbouring lists of equal length are linked pair by pair, as Airflow does.
void DagReader::chain(const std::vector<Value>& values, int line) {
  for (size_t i = 0; i + 1 < values.size(); ++i) {
    const Value& a = values[i];
    const Value& b = values[i + 1];
    if (a.kind != Kind::list || b.kind != Kind::list) {
      link(a, b, line);
    } else if (a.items.size() != b.items.size()) {
      refuse(inside_.empty() ? std::nullopt : std::optional(inside_.back()), line,
             "chain links lists of the same length only");
    } else {
      for (size_t k = 0; k < a.items.size(); ++k) link(a.items[k], b.items[k], line);
    }
  }
}

void DagReader::attach_tasks() {
  // A task that names no DAG belongs to that of a task it is linked with.
  for (bool changed = true; changed;) {
    changed = false;
    for (TaskDraft& task : tasks_) {
      for (size_t earlier : task.after) {
        TaskDraft& before = tasks_[earlier];
        if (task.dag.has_value() == before.dag.has_value()) continue;
        (task.dag ? before.dag : task.dag) = task.dag ? task.dag : before.dag;
        changed = true;
      }
    }
  }
  for (TaskDraft& task : tasks_) {
    if (!task.dag) {
      warn(task.line, fmt::format("task {} belongs to no DAG", task.spec.id));
      continue;
    }
    for (size_t earlier : task.after) {
      if (tasks_[earlier].dag != task.dag) {
        refuse(task.dag, task.line,
               fmt::format("task {} comes after one of another DAG", task.spec.id));
        continue;
      }
      task.spec.after.push_back(tasks_[earlier].spec.id);
    }
    Draft& draft = dags_[*task.dag];
    for (const project::TaskSpec& other : draft.spec.tasks) {
      if (other.id != task.spec.id) continue;
      refuse(task.dag, task.line, fmt::format("there are two tasks named {}", other.id));
    }
    if (!is_legal_id(task.spec.id) && !draft.refused) {
      refuse(task.dag, task.line,
             fmt::format("\"{}\" is no name for a task: letters, digits, . _ - and at most 250",
                         task.spec.id));
    }
    draft.spec.tasks.push_back(task.spec);
  }
}

void DagReader::check(size_t index) {
  Draft& draft = dags_[index];
  if (draft.refused) return;
  for (size_t other = 0; other < index; ++other) {
    if (dags_[other].spec.id != draft.spec.id) continue;
    return refuse(
        index, draft.line,
        fmt::format("DAG {} is defined in line {} already", draft.spec.id, dags_[other].line));
  }
  if (draft.spec.tasks.size() > project::DagSpec::tasks_max) {
    return refuse(index, draft.line, "the DAG has too many tasks");
  }
  if (draft.spec.tasks.empty()) {
    return refuse(index, draft.line, fmt::format("DAG {} has no task", draft.spec.id));
  }
  check_circle(draft);
}

void DagReader::check_circle(const Draft& draft) {
  std::map<std::string_view, std::vector<size_t>> followers;
  std::vector<size_t> waits_for;
  std::vector<size_t> ready;
  const auto& tasks = draft.spec.tasks;
  for (size_t i = 0; i < tasks.size(); ++i) {
    for (const std::string& name : tasks[i].after) followers[name].push_back(i);
    waits_for.push_back(tasks[i].after.size());
    if (tasks[i].after.empty()) ready.push_back(i);
  }
  size_t done = 0;
  for (; done < ready.size(); ++done) {
    for (size_t follower : followers[tasks[ready[done]].id]) {
      if (--waits_for[follower] == 0) ready.push_back(follower);
    }
  }
  if (done == tasks.size()) return;
  refuse(static_cast<size_t>(&draft - dags_.data()), draft.line,
         fmt::format("tasks of DAG {} wait for each other in a circle", draft.spec.id));
}

}  // namespace pinpipe::scheduler
