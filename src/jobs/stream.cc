#include "jobs/stream.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>

#include "base/log_line.h"
#include "io/scope.h"
#include "jobs/stream_follower.h"
#include "project/nearest.h"

namespace pinpipe::jobs {
namespace {

// A job that has just begun knows nothing of its tables for as long as it takes to open them.
constexpr Millis look_wait{2'000};

}  // namespace

std::string_view name_of(StreamStatus::State state) {
  switch (state) {
    case StreamStatus::State::starting:
      return "starting";
    case StreamStatus::State::waiting:
      return "waiting";
    case StreamStatus::State::running:
      return "running";
    case StreamStatus::State::failing:
      return "failing";
    case StreamStatus::State::stopped:
      return "stopped";
    case StreamStatus::State::done:
      return "done";
  }
  return "";
}

std::span<const std::string_view> StreamJob::migrations() {
  static constexpr std::array<std::string_view, 1> list = {
      "CREATE TABLE stopped (dataset TEXT PRIMARY KEY)"};
  return list;
}

StreamJob::StreamJob(Options options)
    : options_(std::move(options)),
      engine_(std::make_unique<WarmEngine>(options_.engine, *options_.clock)),
      lake_(std::make_unique<lake::Services>(
          lake::Services{.store = options_.lake->store,
                         .work = options_.lake->work,
                         .clock = options_.lake->clock,
                         .connect = [engine = engine_.get()] { return engine->connect(); }})) {
  std::map<std::string, std::vector<std::string>> sharing;  // by input
  for (const project::Dataset& dataset : options_.project->datasets) {
    std::string input = options_.project->stream_input(dataset);
    if (!input.empty()) sharing[input].push_back(dataset.name);
  }
  for (const project::Dataset& dataset : options_.project->datasets) {
    std::string input = options_.project->stream_input(dataset);
    if (input.empty()) continue;
    RecordFilter filter;
    if (input == options_.project->shared_stream) {
      filter.datasets = sharing[input];
      auto own = std::ranges::find(filter.datasets, dataset.name);
      filter.own = static_cast<size_t>(own - filter.datasets.begin());
    }
    followers_.push_back(std::make_unique<StreamFollower>(options_, dataset, std::move(filter),
                                                          *lake_, *engine_, progress_));
  }
}
StreamJob::~StreamJob() = default;

io::Task<> StreamJob::run() {
  io::Scope scope(*options_.loop);
  Status begun = co_await begin_following();
  if (!begun)
    log_error("jobs", "the stream job does not know what to follow and follows nothing",
              {{"reason", begun.error().text()}});
  for (auto& follower : followers_) scope.spawn("stream follower", follower->run());
  io::Signal nothing;
  while (!co_await io::cancelled())
    (void)co_await nothing.wait_beyond(nothing.version(), io::never);
  for (auto& follower : followers_) follower->stop_work();
  scope.cancel();
  co_await scope.join();
}

io::Task<Status> StreamJob::begin_following() {
  if (!options_.follows) co_return Status{};
  std::set<std::string> stopped;
  if (options_.state != nullptr) {
    auto look = [this]() -> Result<std::set<std::string>> {
      return options_.state->read([](state::Connection& state) -> Result<std::set<std::string>> {
        std::set<std::string> names;
        auto rows = state.query("SELECT dataset FROM stopped");
        while (rows.next()) names.insert(rows.text(0));
        if (!rows.status()) return rows.status().error();
        return names;
      });
    };
    auto known = co_await options_.lake->work.run(look);
    if (!known) co_return known.error();
    stopped = std::move(*known);
  }
  for (auto& follower : followers_) {
    if (stopped.contains(follower->dataset().name)) continue;
    if (Status told = follower->follow_by(std::nullopt); !told) co_return told;
  }
  co_return Status{};
}

io::Task<Status> StreamJob::keep_stopped(std::vector<std::string> datasets, bool stopped) {
  if (options_.state == nullptr) co_return Status{};
  auto keep = [&]() -> Status {
    return options_.state->write([&](state::Connection& state) -> Status {
      Status kept;
      for (const std::string& dataset : datasets) {
        if (!kept) break;
        kept = stopped ? state.run("INSERT OR IGNORE INTO stopped VALUES (?)", {dataset})
                       : state.run("DELETE FROM stopped WHERE dataset = ?", {dataset});
      }
      return kept;
    });
  };
  co_return co_await options_.lake->work.run(keep);
}

Result<StreamJob::Followers> StreamJob::named(const std::string& dataset) const {
  Followers found;
  std::vector<std::string> names;
  for (const auto& follower : followers_) {
    names.push_back(follower->dataset().name);
    if (dataset.empty() || dataset == names.back()) found.push_back(follower.get());
  }
  if (!found.empty() || dataset.empty()) return found;
  std::string near = project::nearest(dataset, names);
  return Error(Code::not_found,
               fmt::format("the stream job has no data set \"{}\"; {}", dataset,
                           near.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                                        : fmt::format("did you mean {}?", near)));
}

Status StreamJob::check_name(const std::string& dataset) const {
  auto known = named(dataset);
  return known ? Status{} : Status(known.error());
}

template <class F>
io::Task<Result<std::invoke_result_t<F>>> StreamJob::on_own_loop(F function) {
  using Value = std::invoke_result_t<F>;
  io::OneShot<Value> done;
  options_.loop->post([done, function = std::move(function)]() mutable { done.set(function()); });
  co_return co_await done.wait();
}

// Until `is_so` says true or fails, asked on the job's loop whenever something changes there.
template <class F>
io::Task<Status> StreamJob::wait_until(F is_so, io::Instant deadline) {
  while (true) {
    uint64_t seen = progress_.version();
    auto answer = co_await on_own_loop(is_so);
    if (!answer) co_return answer.error();
    if (!*answer) co_return answer->error();
    if (**answer) co_return Status{};
    Status waited = co_await progress_.wait_beyond(seen, deadline);
    if (!waited) co_return waited;
  }
}

io::Task<Status> StreamJob::start(std::string dataset, std::optional<Trigger> trigger) {
  auto which = named(dataset);
  if (!which) co_return which.error();
  if (!trigger) {
    std::vector<std::string> names;
    for (const StreamFollower* follower : *which) names.push_back(follower->dataset().name);
    Status kept = co_await keep_stopped(std::move(names), false);
    if (!kept) co_return kept;
  }
  auto tell = [which = *which, trigger]() -> Status {
    for (StreamFollower* follower : which) {
      if (Status told = follower->follow_by(trigger); !told) return told;
    }
    return {};
  };
  auto told = co_await on_own_loop(tell);
  co_return told ? *told : Status(told.error());
}

io::Task<Status> StreamJob::stop(std::string dataset, io::Instant deadline) {
  auto which = named(dataset);
  if (!which) co_return which.error();
  std::vector<std::string> names;
  for (const StreamFollower* follower : *which) names.push_back(follower->dataset().name);
  Status kept = co_await keep_stopped(std::move(names), true);
  if (!kept) co_return kept;
  auto tell = [which = *which] {
    for (StreamFollower* follower : which) follower->rest();
    return true;
  };
  (void)co_await on_own_loop(tell);
  auto rests = [which = *which]() -> Result<bool> {
    return std::ranges::all_of(which, [](StreamFollower* f) { return f->is_resting(); });
  };
  Status waited = co_await wait_until(rests, deadline);
  if (!waited) co_return waited.error().with("the stream job is still at its last batch");
  co_return waited;
}

io::Task<Status> StreamJob::reset(std::string dataset, project::StreamStart start) {
  auto which = named(dataset);
  if (!which) co_return which.error();
  for (StreamFollower* follower : *which) {
    io::OneShot<Status> done;
    options_.loop->post([=] { follower->reset(start, done); });
    auto answer = co_await done.wait();
    if (!answer) co_return answer.error();
    if (!*answer) co_return *answer;
  }
  co_return Status{};
}

io::Task<Status> StreamJob::wait_until_done(std::string dataset, io::Instant deadline) {
  auto which = named(dataset);
  if (!which) co_return which.error();
  auto is_done = [which = *which]() -> Result<bool> {
    bool all = true;
    for (const StreamFollower* follower : which) {
      StreamStatus status = follower->status();
      if (status.state == StreamStatus::State::failing)
        return Error(Code::unavailable,
                     fmt::format("data set {}: {}", status.dataset, status.error));
      all = all && follower->is_resting();
    }
    return all;
  };
  Status waited = co_await wait_until(is_done, deadline);
  if (!waited && waited.error().code() == Code::timeout)
    co_return waited.error().with("the stream job has not come to its end");
  co_return waited;
}

io::Task<std::vector<StreamStatus>> StreamJob::status() {
  auto known = [this]() -> Result<bool> {
    return std::ranges::all_of(followers_, [](const auto& f) { return f->is_known(); });
  };
  (void)co_await wait_until(known, io::after(look_wait));
  auto look = [this] {
    std::vector<StreamStatus> all;
    for (const auto& follower : followers_) all.push_back(follower->status());
    return all;
  };
  auto all = co_await on_own_loop(look);
  co_return all ? std::move(*all) : std::vector<StreamStatus>{};
}

// A shard's end at the moment of asking.
struct StreamJob::Target {
  const StreamFollower* follower;
  Uuid incarnation;
  broker::PartitionId shard;
  broker::Offset end;
};

io::Task<Result<std::vector<StreamJob::Target>>> StreamJob::targets() {
  std::vector<Target> all;
  for (const auto& follower : followers_) {
    auto facts = options_.topics->find(follower->stream());
    if (!facts && facts.error().code() == Code::not_found) continue;
    if (!facts) co_return facts.error();
    for (broker::PartitionId shard = 0; shard < facts->partitions; ++shard) {
      auto range = co_await options_.topics->range(follower->stream(), shard);
      if (!range && range.error().code() == Code::not_found) continue;
      if (!range) co_return range.error();
      all.push_back({follower.get(), facts->id, shard, range->high_watermark});
    }
  }
  co_return all;
}

Result<bool> StreamJob::has_reached(const std::vector<Target>& targets) const {
  bool all = true;
  for (const Target& target : targets) {
    auto done = target.follower->has_committed(target.incarnation, target.shard, target.end);
    if (!done) return done;
    all = all && *done;
  }
  return all;
}

io::Task<Result<std::vector<StreamStatus>>> StreamJob::drain(io::Instant deadline) {
  auto wanted = co_await targets();
  if (!wanted) co_return wanted.error();
  auto begin = [this] {
    for (const auto& follower : followers_) follower->begin_drain();
    return true;
  };
  auto end = [this] {
    for (const auto& follower : followers_) follower->end_drain();
    return true;
  };
  (void)co_await on_own_loop(begin);
  auto look = [this, targets = std::move(*wanted)] { return has_reached(targets); };
  Status reached = co_await wait_until(look, deadline);
  (void)co_await on_own_loop(end);
  if (!reached && reached.error().code() == Code::timeout)
    co_return reached.error().with("the stream job has not caught up");
  if (!reached) co_return reached.error();
  co_return co_await status();
}

// The follower's own, which is the newest while it follows; otherwise as the log says.
io::Task<Result<std::shared_ptr<const lake::Snapshot>>> StreamJob::table_of(
    StreamFollower& follower) {
  auto look = [&]() -> std::shared_ptr<const lake::Snapshot> {
    if (follower.status().state != StreamStatus::State::running) return nullptr;
    return follower.snapshot();
  };
  auto known = co_await on_own_loop(look);
  if (!known) co_return known.error();
  if (*known) co_return std::move(*known);
  auto table =
      co_await lake::Table::open(*lake_, {options_.lake_bucket, follower.dataset().tables.stream});
  if (!table) co_return table.error();
  co_return (*table)->snapshot();
}

io::Task<Result<LiveStream>> StreamJob::live(std::string dataset) {
  auto which = named(dataset);
  if (!which) co_return which.error();
  if (which->size() != 1 || dataset.empty())
    co_return Error(Code::not_found, "live.<data set>: which data set?");
  StreamFollower& follower = *which->front();
  auto table = co_await table_of(follower);
  if (!table) co_return table.error().with("live." + dataset);
  LiveStream live{.dataset = &follower.dataset(),
                  .location = {options_.lake_bucket, follower.dataset().tables.stream},
                  .table = std::move(*table),
                  .stream = follower.stream(),
                  .filter = follower.filter(),
                  .shards = {},
                  .topics = options_.topics,
                  .loop = options_.loop};
  auto facts = options_.topics->find(live.stream);
  if (!facts && facts.error().code() == Code::not_found) co_return live;
  if (!facts) co_return facts.error();
  StreamPositions positions = StreamPositions::of(*live.table, dataset);
  for (broker::PartitionId id = 0; id < facts->partitions; ++id) {
    auto range = co_await options_.topics->range(live.stream, id);
    if (!range && range.error().code() == Code::not_found) continue;
    if (!range) co_return range.error();
    broker::Offset from = std::max(range->start, positions.stored(*live.table, facts->id, id) + 1);
    if (from < range->high_watermark) live.shards.push_back({id, from, range->high_watermark});
  }
  co_return live;
}

io::Task<Result<PinnedTable>> StreamJob::pin_table(const project::Dataset& dataset) {
  lake::Location location{options_.lake_bucket, dataset.tables.stream};
  auto table = co_await lake::Table::open(*options_.lake, location);
  if (!table) co_return table.error();
  auto snapshot = (*table)->snapshot();
  if (Status plain = snapshot->check_plain(); !plain)
    co_return plain.error().with("table " + location.text());
  PinnedTable pinned{.dataset = dataset.name,
                     .version = snapshot->version(),
                     .files = {},
                     .schema = snapshot->schema()};
  for (const lake::FilePtr& file : snapshot->files()) {
    auto path = lake::decode_path(file->path);
    if (!path) co_return path.error().with("table " + location.text());
    auto held =
        co_await options_.lake->store.materialize(options_.lake_bucket, location.key(*path));
    if (!held) co_return held.error().with("table " + location.text());
    pinned.files.push_back(std::move(*held));
  }
  co_return pinned;
}

io::Task<Result<std::vector<PinnedTable>>> StreamJob::pin_tables() {
  std::vector<PinnedTable> tables;
  for (const auto& follower : followers_) {
    auto table = co_await pin_table(follower->dataset());
    if (!table && table.error().code() == Code::not_found) continue;
    if (!table) co_return table.error();
    tables.push_back(std::move(*table));
  }
  if (tables.empty())
    co_return Error(Code::not_found,
                    "there are no stream tables yet; the stream job makes each with its stream");
  co_return tables;
}

}  // namespace pinpipe::jobs
