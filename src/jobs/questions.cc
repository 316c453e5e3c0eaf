#include "jobs/questions.h"

#include <atomic>
#include <condition_variable>
#include <fmt/format.h>
#include <functional>
#include <thread>

#include "base/ascii.h"
#include "io/stoppable.h"
#include "io/timer.h"
#include "jobs/query_sources.h"
#include "project/nearest.h"
#include "sql/lexer.h"

namespace pinpipe::jobs {
namespace {

// The database knows only what a query named well; the names it could have meant are ours.
Error with_nearest(const Error& error, const std::vector<std::string>& names) {
  constexpr std::string_view begin = "Table with name ";
  constexpr std::string_view end = " does not exist";
  size_t at = error.text().find(begin);
  if (at == std::string::npos) return error;
  size_t until = error.text().find(end, at);
  if (until == std::string::npos) return error;
  std::string name = error.text().substr(at + begin.size(), until - at - begin.size());
  // "clean.pni" is told as "pni": the last part decides.
  std::vector<std::string> last_parts;
  for (const std::string& known : names) last_parts.push_back(known.substr(known.rfind('.') + 1));
  std::string meant = project::nearest(name.substr(name.rfind('.') + 1), last_parts);
  std::string what = error.text().substr(0, until + end.size());
  for (size_t i = 0; i < names.size(); ++i) {
    if (!meant.empty() && last_parts[i] == meant)
      return Error(error.code(), fmt::format("{}; did you mean {}?", what, names[i]));
  }
  return Error(error.code(), fmt::format("{}; there are {}", what, fmt::join(names, ", ")));
}

// SHOW TABLES and SHOW ALL TABLES: the session has only what a query names.
bool asks_for_names(std::string_view text) {
  std::string words;
  for (const sql::Token& token : sql::tokens_of(text)) words += std::string(token.text) + " ";
  words = lowered(words);
  while (words.ends_with("; ")) words.resize(words.size() - 2);
  return words == "show tables " || words == "show all tables ";
}

// Stops a query that takes too long, or that its caller gave up. Blocks only in its own thread.
class Deadline {
 public:
  Deadline(Millis time_max, const std::stop_token& caller)
      : caller_(caller, [this] { source_.request_stop(); }),
        thread_([this, time_max](const std::stop_token& ended) {
          std::unique_lock lock(mutex_);
          if (woken_.wait_for(lock, ended, time_max, [] { return false; })) return;
          if (ended.stop_requested()) return;
          passed_ = true;
          source_.request_stop();
        }) {}

  std::stop_token token() const { return source_.get_token(); }
  bool has_passed() const { return passed_; }

 private:
  std::stop_source source_;
  std::stop_callback<std::function<void()>> caller_;
  std::mutex mutex_;
  std::condition_variable_any woken_;
  std::atomic<bool> passed_{false};
  std::jthread thread_;
};

}  // namespace

Questions::Questions(Options options)
    : options_(std::move(options)), lake_names_(std::make_unique<LakeNames>()) {}
Questions::~Questions() = default;

Result<std::shared_ptr<sql::Engine>> Questions::engine() {
  std::lock_guard lock(mutex_);
  asked_ms_ = options_.clock->steady_ms();
  if (engine_) return engine_;
  auto opened = sql::Engine::open(options_.engine);
  if (!opened) return opened.error();
  engine_ = std::move(*opened);
  opened_ms_ = asked_ms_;
  return engine_;
}

// Opening and giving memory back take a moment that no loop has; sessions under way keep an engine
// open.
io::Task<> Questions::run() {
  while (co_await io::sleep_for(engine_idle)) {
    (void)co_await options_.work->run([this] {
      renew();
      return true;
    });
  }
}

void Questions::renew() {
  std::shared_ptr<sql::Engine> former;
  std::shared_ptr<sql::Engine> next;
  bool is_idle = false;
  {
    std::lock_guard lock(mutex_);
    if (!engine_) return;
    int64_t now_ms = options_.clock->steady_ms();
    is_idle = now_ms - asked_ms_ >= engine_idle.count();
    if (!is_idle && !sql::Engine::is_worn(opened_ms_, now_ms)) return;
  }
  if (!is_idle) {
    auto opened = sql::Engine::open(options_.engine);
    if (!opened) return;  // the one that is there goes on
    next = std::move(*opened);
  }
  std::lock_guard lock(mutex_);
  former = std::exchange(engine_, std::move(next));
  opened_ms_ = options_.clock->steady_ms();
}

io::Task<Result<std::vector<QuestionAnswer>>> Questions::ask(std::string question,
                                                             std::string run) {
  if (Status known = check_question_name(*options_.project, question); !known)
    co_return known.error();
  auto published = co_await options_.batch->published(run);
  if (!published) co_return published.error();
  auto tables = co_await options_.batch->pin_tables(*published);
  if (!tables) co_return tables.error();
  co_return co_await ask_over(std::move(question), std::move(*tables));
}

io::Task<Result<std::vector<QuestionAnswer>>> Questions::ask_over(std::string question,
                                                                  std::vector<PinnedTable> tables) {
  if (Status known = check_question_name(*options_.project, question); !known)
    co_return known.error();
  co_return co_await options_.work->run([&]() -> Result<std::vector<QuestionAnswer>> {
    auto opened = engine();
    if (!opened) return opened.error();
    auto connection = (*opened)->connect();
    if (!connection) return connection.error();
    for (const PinnedTable& table : tables) {
      Status made = (*connection)->create_view({"clean", table.dataset}, table.select());
      if (!made) return made.error();
    }
    if (Status made = make_project_tables(**connection, *options_.project); !made)
      return made.error();
    return answer_questions(**connection, *options_.project, question);
  });
}

io::Task<Result<sql::Table>> Questions::query_once(const std::string& text, size_t rows_max,
                                                   bool& was_live) {
  auto sources = co_await find_sources(options_, *lake_names_, text);
  if (!sources) co_return sources.error();
  was_live = sources->is_live;
  auto ask = [&](const std::stop_token& stop) -> Result<sql::Table> {
    auto opened = engine();
    if (!opened) return opened.error();
    auto connection = (*opened)->connect();
    if (!connection) return connection.error();
    if (Status made = make_project_tables(**connection, *options_.project); !made)
      return made.error();
    if (Status made = sources->make_views(**connection); !made) return made.error();
    Deadline deadline(query_time_max, stop);
    auto answer = (*connection)
                      ->ask(text, {.rows_max = rows_max,
                                   .bytes_max = answer_bytes_max,
                                   .stop = deadline.token(),
                                   .substitutions = sources->substitutions});
    if (!answer && deadline.has_passed())
      return Error(Code::timeout,
                   fmt::format("no answer within {} s", query_time_max.count() / 1000));
    return answer;
  };
  co_return co_await io::run_stoppable(*options_.work, ask);
}

io::Task<Result<sql::Table>> Questions::query(std::string text, size_t rows_max) {
  if (asks_for_names(text)) {
    auto known = co_await names();
    if (!known) co_return known.error();
    sql::Table table{.columns = {{"name", "VARCHAR"}}, .rows = {}};
    for (std::string& name : *known) table.rows.push_back({{.kind = std::move(name)}});
    co_return table;
  }
  bool was_live = false;
  auto table = co_await query_once(text, rows_max, was_live);
  // A record that the SQL cannot take is in quarantine as soon as the job has seen it.
  if (!table && table.error().code() == Code::invalid && was_live) {
    co_await options_.catch_up_live();
    table = co_await query_once(text, rows_max, was_live);
  }
  if (table || table.error().code() != Code::invalid) co_return table;
  auto known = co_await names();
  co_return known ? with_nearest(table.error(), *known) : table.error();
}

io::Task<Result<std::vector<std::string>>> Questions::names() {
  co_return co_await known_names(options_);
}

}  // namespace pinpipe::jobs
