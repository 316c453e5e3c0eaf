// `pinpipe demo`: the whole pipeline on generated posts through the real doors, then the eight
// answers and the accounting. Safe to repeat: what was posted before is not posted again.
#include <cstdio>
#include <fmt/format.h>

#include "app/command.h"
#include "app/emulation.h"
#include "app/house.h"
#include "app/operations/list.h"
#include "io/scope.h"

namespace pinpipe::app {
namespace {

constexpr size_t answer_rows_shown = 6;
constexpr Millis settle_timeout{120'000};
constexpr int steps = 7;
constexpr uint64_t stream_rounds_max = 2000;

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

// Where one data set's records are: in its topic, and in objects as the connector has committed.
struct Hop {
  std::string topic;
  int64_t records = 0;
  int64_t sunk = 0;
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
  Status batch();
  Status answer();
  Status answer_from_stream();
  void account();
  Result<std::vector<Hop>> hops();
  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(house_.runtime().loop(0), std::move(task));
  }

  House& house_;
  uint64_t rows_;
  Narration narration_;
  std::optional<Emulation> emulation_;
  int64_t records_before_ = 0;
  jobs::BatchReport report_;
  uint64_t streamed_ = 0;    // acknowledged by the Kinesis mapping in this run
  int64_t stream_rows_ = 0;  // in the stream tables afterwards
  bool closes_ = false;
};

Result<std::vector<Hop>> Demo::hops() {
  std::vector<Hop> all;
  for (const project::Dataset& dataset : house_.project().datasets) {
    auto range = wait(house_.topics().range(dataset.topic, 0));
    if (!range) return range.error();
    broker::TopicPartition where{dataset.topic, 0};
    auto committed = wait(house_.topics().committed("connect-" + house_.connector_name(), {where}));
    if (!committed) return committed.error();
    auto at = committed->find(where);
    all.push_back({.topic = dataset.topic,
                   .records = range->high_watermark,
                   .sunk = at == committed->end() ? 0 : std::max<int64_t>(0, at->second.offset)});
  }
  return all;
}

Status Demo::post() {
  narration_.begin("posts");
  auto before = hops();
  if (!before) return before.error();
  for (const Hop& hop : *before) records_before_ += hop.records;
  if (records_before_ >= static_cast<int64_t>(rows_) * 3) {
    narration_.end(fmt::format(
        "{} records are in the topics already; `make demo-clean` starts anew", records_before_));
    return {};
  }
  auto emulation =
      emulate(house_.runtime(), {.base_url = "http://" + house_.endpoints().gateway + "/demo",
                                 .user_id = house_.user_id(),
                                 .rows = rows_,
                                 .concurrency = 32});
  if (!emulation) return emulation.error();
  emulation_ = std::move(*emulation);
  const source::Tally& t = emulation_->tally;
  narration_.end(
      fmt::format("{} rounds of 3 over REST: {} acknowledged, {} failed, {} unknown, {} retried",
                  t.rounds, t.acknowledged, t.failed, t.unknown, t.retried));
  return {};
}

Status Demo::settle() {
  narration_.begin("connector");
  Status flushed = house_.flush_connectors();
  if (!flushed) return flushed;
  io::Instant deadline = io::after(settle_timeout);
  while (true) {
    auto now = hops();
    if (!now) return now.error();
    bool done = true;
    int64_t sunk = 0;
    for (const Hop& hop : *now) {
      done = done && hop.sunk >= hop.records;
      sunk += hop.sunk;
    }
    if (done) {
      narration_.end(fmt::format("{} records are in objects of s3://user-{}-bucket/topics/", sunk,
                                 house_.user_id()));
      return {};
    }
    if (std::chrono::steady_clock::now() > deadline)
      return Error(Code::timeout,
                   fmt::format("the connector has {} records in objects and does not go on", sunk));
    (void)wait(io::sleep_for(Millis(20)));
  }
}

// The first posts once more, by the Kinesis mapping, into the stream job's tables.
Status Demo::stream() {
  narration_.begin("stream");
  uint64_t rounds = std::min(rows_, stream_rounds_max);
  int64_t there = 0;
  for (const jobs::StreamStatus& status : wait(house_.stream_job().status()))
    there += status.table_rows;
  source::Tally tally;
  if (there == 0) {
    auto emulation =
        emulate(house_.runtime(), {.target = source::Target::stream,
                                   .base_url = "http://" + house_.endpoints().gateway + "/demo",
                                   .user_id = house_.user_id(),
                                   .rows = rows_,
                                   .rounds = rounds,
                                   .concurrency = 32});
    if (!emulation) return emulation.error();
    tally = emulation->tally;
  }
  auto drained = wait(house_.stream_job().drain(io::after(settle_timeout)));
  if (!drained) return drained.error();
  for (const jobs::StreamStatus& status : *drained) stream_rows_ += status.table_rows;
  streamed_ = tally.acknowledged;
  narration_.end(fmt::format(
      "{} rounds of 3 over the Kinesis mapping: {} acknowledged; {} rows in the stream tables",
      tally.rounds, tally.acknowledged, stream_rows_));
  return {};
}

Status Demo::batch() {
  narration_.begin("batch");
  auto report = wait(house_.batch().run({.name = manual_run_name(system_clock())}));
  if (!report) return report.error();
  if (report->state == jobs::BatchReport::State::failed) return Error(Code::invalid, report->error);
  report_ = std::move(*report);
  uint64_t rows = 0;
  uint64_t clean = 0;
  for (const jobs::DatasetCount& c : report_.counts) {
    rows += c.rows;
    clean += c.clean;
  }
  narration_.end(fmt::format("{} rows loaded, {} clean; load {} ms, clean {} ms, questions {} ms",
                             rows, clean, report_.load_ms, report_.clean_ms, report_.ask_ms));
  return {};
}

Status Demo::answer() {
  narration_.begin("answers");
  auto answers = wait(house_.questions().ask(""));
  if (!answers) return answers.error();
  narration_.end(fmt::format("{} tables", answers->size()));
  for (const jobs::QuestionAnswer& question : *answers) {
    Answer shown = answer_of(question);
    fmt::print("\n{}", render(shown, Form::table, 100, answer_rows_shown));
  }
  std::fflush(stdout);
  return {};
}

// The answers that fit a line, beside those of the stream's tables.
Status Demo::answer_from_stream() {
  narration_.begin("beside");
  auto tables = wait(house_.stream_job().pin_tables());
  if (!tables) return tables.error();
  auto answers = wait(house_.questions().ask_over("q5", std::move(*tables)));
  if (!answers) return answers.error();
  narration_.end("the stream's own answer to q5, over its first posts");
  fmt::print("\n{}", render(answer_of(answers->front()), Form::table, 100, answer_rows_shown));
  return {};
}

// sent = acknowledged + failed + unknown; records = rows + refused; rows = clean + filtered +
// quarantined.
void Demo::account() {
  Answer answer;
  answer.title = "\nAccounting";
  answer.columns = {"dataset", "records in topic", "records in objects", "lines loaded", "rows",
                    "refused", "quarantined",      "filtered",           "clean"};
  auto now = hops();
  closes_ = now.has_value();
  int64_t records_after = 0;
  for (size_t i = 0; closes_ && i < report_.counts.size(); ++i) {
    const jobs::DatasetCount& c = report_.counts[i];
    const Hop& hop = (*now)[i];
    records_after += hop.records;
    closes_ =
        hop.records == hop.sunk && static_cast<uint64_t>(hop.sunk) == c.lines &&
        c.lines == c.rows + c.refused &&
        static_cast<int64_t>(c.rows) == static_cast<int64_t>(c.clean + c.quarantined) + c.filtered;
    answer.add_row({c.dataset, hop.records, hop.sunk, c.lines, c.rows, c.refused, c.quarantined,
                    c.filtered, c.clean});
  }
  if (emulation_) {
    const source::Tally& t = emulation_->tally;
    auto stored = static_cast<uint64_t>(records_after - records_before_);
    closes_ = closes_ && t.sent == t.acknowledged + t.failed + t.unknown &&
              t.acknowledged <= stored && stored <= t.acknowledged + t.unknown + t.retried;
    answer.notes.push_back(
        fmt::format("sent {} = acknowledged {} + failed {} + unknown {}; stored {}", t.sent,
                    t.acknowledged, t.failed, t.unknown, stored));
  }
  if (streamed_ > 0) {
    closes_ = closes_ && static_cast<int64_t>(streamed_) == stream_rows_;
    answer.notes.push_back(
        fmt::format("stream: acknowledged {} = rows in its tables {}", streamed_, stream_rows_));
  }
  fmt::print("{}", render(answer, Form::table));
  for (const std::string& note : answer.notes) fmt::print("{}\n", note);
  fmt::print("{}\n", closes_ ? "The accounting closes." : "The accounting does NOT close.");
}

Status Demo::run() {
  for (Status (Demo::*step)() : {&Demo::post, &Demo::settle, &Demo::stream, &Demo::batch,
                                 &Demo::answer, &Demo::answer_from_stream}) {
    if (Status done = (this->*step)(); !done) return done;
  }
  account();
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
  Demo demo(house, static_cast<uint64_t>(rows));
  if (Status done = demo.run(); !done) return report(done.error());
  fmt::print(
      "\nEverything lies in {}. Nothing left this machine. Next:\n"
      "  pinpipe up                      start it again and keep it running\n"
      "  pinpipe ask q1 -o csv           one answer, whole\n"
      "  pinpipe sql \"select * from clean.pin limit 5\"\n",
      house.directory().path());
  return demo.closes() ? ExitCode::ok : ExitCode::failed;
}

}  // namespace pinpipe::app
