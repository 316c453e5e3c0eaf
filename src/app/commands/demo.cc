// `pinpipe demo`: the whole pipeline on generated posts through the real doors, then the answers of
// both paths, the accounting and the report. Safe to repeat, and to end at any moment: what the log
// has already is not posted again.
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <sstream>

#include "app/accounting.h"
#include "app/command.h"
#include "app/emulation.h"
#include "app/house.h"
#include "app/operations/list.h"
#include "app/stored_posts.h"
#include "io/scope.h"

namespace pinpipe::app {
namespace {

constexpr size_t answer_rows_shown = 5;
constexpr size_t answer_width_max = 58;  // two beside each other fit 118 columns
constexpr Millis settle_timeout{120'000};
constexpr int steps = 8;
constexpr uint64_t stream_rounds_max = 2000;
constexpr const char* run_name = "demo";

// One line a step, with the seconds it took.
class Narration {
 public:
  void begin(std::string_view name) {
    name_ = name;
    begin_ms_ = system_clock().steady_ms();
  }
  void end(const std::string& text) {
    double seconds = static_cast<double>(system_clock().steady_ms() - begin_ms_) / 1000.0;
    fmt::print("[{}/{}] {:<10} {}  {:.1f} s\n", ++step_, steps, name_, text, seconds);
    std::fflush(stdout);
  }

 private:
  int step_ = 1;  // the start is the first
  std::string name_;
  int64_t begin_ms_ = 0;
};

// What was posted by one path in this run, and what its topics or streams got meanwhile.
struct Posted {
  source::Tally tally;
  int64_t stored = 0;
  uint64_t before = 0;  // posts that were there
};

class Demo {
 public:
  Demo(House& house, uint64_t rows) : house_(house), rows_(rows) {}

  Status run();
  bool closes() const { return closes_; }

 private:
  Status post();
  Status settle();
  Status stream();
  Result<jobs::BatchReport> run_dag();
  Status batch();
  Status answer();
  Status account();
  Status report_page();
  Result<Posted> post_rest(source::Target target, uint64_t rounds);
  Result<int64_t> records(source::Target target);
  Result<int64_t> sunk();
  void say(std::string_view path, const Posted& posted);
  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(house_.runtime().loop(0), std::move(task));
  }

  House& house_;
  uint64_t rows_;
  Narration narration_;
  Posted by_topic_;
  Posted by_stream_;
  bool closes_ = false;
};

// In all topics, or all streams, of the emulator.
Result<int64_t> Demo::records(source::Target target) {
  int64_t sum = 0;
  for (const auto& destination : source::destinations_of(target, house_.user_id())) {
    auto topic = house_.topics().find(destination.name);
    if (!topic) continue;
    for (broker::PartitionId p = 0; p < topic->partitions; ++p) {
      auto range = wait(house_.topics().range(destination.name, p));
      if (!range) return range.error();
      sum += range->high_watermark;
    }
  }
  return sum;
}

// Of the emulator's topics: those that the connector has in durable objects.
Result<int64_t> Demo::sunk() {
  int64_t sum = 0;
  for (const sink::SinkStatus& connector : wait(house_.connector_status())) {
    if (connector.name != house_.connector_name()) continue;
    for (const sink::TaskStatus& task : connector.tasks) {
      if (task.state == "FAILED")
        return Error(Code::unavailable, "connector " + connector.name + ": " + task.trace);
      for (const sink::PartitionStatus& partition : task.partitions) sum += partition.committed;
    }
  }
  return sum;
}

Result<Posted> Demo::post_rest(source::Target target, uint64_t rounds) {
  auto destinations = source::destinations_of(target, house_.user_id());
  auto stored = wait(StoredPosts::find(house_.topics(), target, destinations, run_name, rounds));
  if (!stored) return stored.error();
  auto before = records(target);
  if (!before) return before.error();
  Posted posted{.tally = {}, .before = stored->count()};
  if (posted.before < rounds * destinations.size()) {
    auto emulation =
        emulate(house_.runtime(), {.target = target,
                                   .base_url = "http://" + house_.endpoints().gateway + "/demo",
                                   .user_id = house_.user_id(),
                                   .rows = rows_,
                                   .rounds = rounds,
                                   .concurrency = 32,
                                   .run = run_name,
                                   .is_stored = [&](uint64_t n) { return stored->has(n); }});
    if (!emulation) return emulation.error();
    posted.tally = std::move(emulation->tally);
  }
  auto after = records(target);
  if (!after) return after.error();
  posted.stored = *after - *before;
  return posted;
}

void Demo::say(std::string_view path, const Posted& posted) {
  const source::Tally& t = posted.tally;
  std::string already =
      posted.before > 0 ? fmt::format("{} were there already; ", posted.before) : "";
  if (t.sent == 0) {
    narration_.end(fmt::format("{}nothing left to post over {}", already, path));
    return;
  }
  narration_.end(
      fmt::format("{}{} posts over {}: {} acknowledged, {} failed, {} unknown, {} retried", already,
                  t.sent, path, t.acknowledged, t.failed, t.unknown, t.retried));
}

Status Demo::post() {
  narration_.begin("posts");
  auto posted = post_rest(source::Target::batch, rows_);
  if (!posted) return posted.error();
  by_topic_ = std::move(*posted);
  say("REST", by_topic_);
  return {};
}

Status Demo::settle() {
  narration_.begin("connector");
  if (Status flushed = house_.flush_connectors(); !flushed) return flushed;
  auto wanted = records(source::Target::batch);
  if (!wanted) return wanted.error();
  io::Instant deadline = io::after(settle_timeout);
  while (true) {
    auto there = sunk();
    if (!there) return there.error();
    if (*there >= *wanted) {
      narration_.end(fmt::format("{} records are in objects of s3://user-{}-bucket/topics/", *there,
                                 house_.user_id()));
      return {};
    }
    if (std::chrono::steady_clock::now() > deadline)
      return Error(Code::timeout, fmt::format("the connector has {} of {} records in objects and "
                                              "does not go on",
                                              *there, *wanted));
    (void)wait(io::sleep_for(Millis(20)));
  }
}

// The first posts once more, by the Kinesis mapping, into the stream job's tables.
Status Demo::stream() {
  narration_.begin("stream");
  auto posted = post_rest(source::Target::stream, std::min(rows_, stream_rounds_max));
  if (!posted) return posted.error();
  by_stream_ = std::move(*posted);
  auto drained = wait(house_.stream_job().drain(io::after(settle_timeout)));
  if (!drained) return drained.error();
  say("the Kinesis mapping", by_stream_);
  return {};
}

// Triggers the project's DAG; without one the batch job runs by itself.
Result<jobs::BatchReport> Demo::run_dag() {
  if (house_.project().dags.empty())
    return wait(house_.batch().run({.name = manual_run_name(system_clock())}));
  std::string dag = dag_of(house_, codec::Json::object());
  // What a demo that was killed has left would be tried again after its delay, and this run would
  // wait for that.
  auto earlier = wait(house_.scheduler().list_runs({.dag_id = dag, .limit = 100}));
  if (!earlier) return earlier.error();
  for (const scheduler::DagRun& left : earlier->runs) {
    bool is_open =
        left.state == scheduler::RunState::queued || left.state == scheduler::RunState::running;
    if (!is_open || left.triggered_by != "demo") continue;
    if (Status done = wait(house_.scheduler().cancel(dag, left.run_id)); !done) return done.error();
  }
  auto run = wait(house_.scheduler().trigger({.dag_id = dag, .triggered_by = "demo"}));
  if (!run) return run.error();
  std::string id = run->run_id;
  run = wait(house_.scheduler().wait_run(dag, id, io::after(settle_timeout)));
  if (!run) return run.error().with(fmt::format("DAG {}, run {}", dag, id));
  auto reports = wait(house_.batch().reports(1));
  if (!reports) return reports.error();
  if (run->state != scheduler::RunState::success || reports->empty())
    return Error(Code::invalid, fmt::format("DAG {}, run {} ended as {}", dag, id,
                                            scheduler::name_of(run->state)));
  return std::move(reports->front());
}

Status Demo::batch() {
  narration_.begin("DAG");
  auto report = run_dag();
  if (!report) return report.error();
  if (report->state == jobs::BatchReport::State::failed) return Error(Code::invalid, report->error);
  uint64_t rows = 0;
  uint64_t clean = 0;
  for (const jobs::DatasetCount& c : report->counts) {
    rows += c.rows;
    clean += c.clean;
  }
  narration_.end(
      fmt::format("{}: {} rows loaded, {} clean; load {} ms, clean {} ms, questions {} ms",
                  report->run, rows, clean, report->load_ms, report->clean_ms, report->ask_ms));
  return {};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Two tables, the one on the left of the other.
std::string beside(const std::string& left, const std::string& right) {
  std::vector<std::string> lefts = lines_of(left);
  std::vector<std::string> rights = lines_of(right);
  size_t width = 0;
  for (const std::string& line : lefts) width = std::max(width, display_width(line));
  std::string text;
  for (size_t i = 0; i < std::max(lefts.size(), rights.size()); ++i) {
    std::string line = i < lefts.size() ? lefts[i] : "";
    if (i < rights.size()) line += std::string(width + 2 - display_width(line), ' ') + rights[i];
    text += line + "\n";
  }
  return text;
}

Status Demo::answer() {
  narration_.begin("answers");
  auto batch = wait(house_.questions().ask(""));
  if (!batch) return batch.error();
  auto tables = wait(house_.stream_job().pin_tables());
  if (!tables) return tables.error();
  auto stream = wait(house_.questions().ask_over("", std::move(*tables)));
  if (!stream) return stream.error();
  narration_.end(
      fmt::format("{} tables by each path: of the batch tables, and beside them of the "
                  "stream's, over its first posts",
                  batch->size()));
  for (size_t i = 0; i < batch->size(); ++i) {
    Answer left = answer_of((*batch)[i]);
    Answer right = answer_of((*stream)[i]);
    fmt::print("\n{}\n", left.title);
    left.title.clear();
    right.title.clear();
    auto text = [](const Answer& answer) {
      return render(answer, Form::table, answer_width_max, answer_rows_shown);
    };
    fmt::print("{}", beside(text(left), text(right)));
  }
  fmt::print("\n");
  std::fflush(stdout);
  return {};
}

Status Demo::account() {
  narration_.begin("accounting");
  auto counts = wait(count_paths(house_));
  if (!counts) return counts.error();
  Answer answer = answer_of(*counts);
  std::vector<std::string> findings;
  std::string unknown;  // a table whose log has been cleaned can only be asked how far it is
  for (const PathCount& count : *counts) {
    // All has settled: what is still on its way is lost.
    for (const Finding& finding : audit(count)) {
      if (finding.kind == Finding::Kind::unknown) unknown += "not known: " + finding.text + "\n";
      if (finding.kind != Finding::Kind::unknown) findings.push_back(finding.text);
    }
  }
  std::string posts;
  for (const auto& [path, posted] : {std::pair{"REST", &by_topic_}, {"mapping", &by_stream_}}) {
    for (const Finding& finding : audit(posted->tally, static_cast<uint64_t>(posted->stored)))
      findings.push_back(fmt::format("{}: {}", path, finding.text));
    const source::Tally& t = posted->tally;
    posts += fmt::format("{}: sent {} = acknowledged {} + failed {} + unknown {}; stored {}\n",
                         path, t.sent, t.acknowledged, t.failed, t.unknown, posted->stored);
  }
  closes_ = findings.empty();
  narration_.end(closes_ ? "closes: what each hop has is what the hop before it handed on"
                         : "does NOT close");
  fmt::print("\n{}{}{}", render(answer, Form::table), posts, unknown);
  for (const std::string& finding : findings) fmt::print("does not close: {}\n", finding);
  fmt::print("\n");
  return {};
}

Status Demo::report_page() {
  narration_.begin("report");
  auto report = std::ranges::find(operations(), "report", &Operation::verb);
  auto page = house_.call(*report, codec::Json::object());
  if (!page) return page.error();
  std::string path = house_.directory().path() + "/report.html";
  Status written = io::posix_files().replace(path, first_cells(*page));
  if (!written) return written;
  narration_.end(path);
  return {};
}

Status Demo::run() {
  for (Status (Demo::*step)() : {&Demo::post, &Demo::settle, &Demo::stream, &Demo::batch,
                                 &Demo::answer, &Demo::account, &Demo::report_page}) {
    if (Status done = (this->*step)(); !done) return done;
  }
  return {};
}

}  // namespace

ExitCode run_demo(const Invocation& invocation) {
  auto rows = integer_argument(invocation.arguments, "rows");
  if (rows < 1) return report(Error(Code::invalid, "--rows is at least 1"));
  int64_t begin_ms = system_clock().steady_ms();
  OpenedHouse opened =
      open_house(invocation, {.any_ports = text_argument(invocation.arguments, "ports") == "auto"});
  if (!opened.house) return opened.code;
  House& house = *opened.house;
  const Endpoints& at = house.endpoints();
  fmt::print("[1/{}] {:<10} kafka {}  gateway {}  aws {}  console {}  {:.1f} s\n", steps, "start",
             at.kafka, at.gateway, at.aws, at.console,
             static_cast<double>(system_clock().steady_ms() - begin_ms) / 1000.0);
  std::fflush(stdout);
  Demo demo(house, static_cast<uint64_t>(rows));
  if (Status done = demo.run(); !done) return report(done.error());
  std::string self = command_of(invocation);
  fmt::print(
      "\nAll of it in {:.1f} s, in {}: log/ buckets/ lake/ state/. Nothing left this machine.\n"
      "Next:\n"
      "  {} up                 keep it running; the console's address is printed\n"
      "  {} ask q1             one answer, whole; -o csv, --from stream\n"
      "  {} trace 7528         one post through every hop\n",
      static_cast<double>(system_clock().steady_ms() - begin_ms) / 1000.0, house.directory().path(),
      self, self, self);
  return demo.closes() ? ExitCode::ok : ExitCode::failed;
}

}  // namespace pinpipe::app
