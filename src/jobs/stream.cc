#include "jobs/stream.h"

#include "io/scope.h"
#include "jobs/stream_follower.h"

namespace pinpipe::jobs {

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
  }
  return "";
}

StreamJob::StreamJob(Options options)
    : options_(std::move(options)), engine_(std::make_unique<WarmEngine>(options_.engine)) {
  std::vector<const project::Dataset*> streamed;
  for (const project::Dataset& dataset : options_.project->datasets) {
    bool has_stream = !dataset.stream.empty() || !options_.shared_stream.empty();
    if (has_stream && !dataset.tables.stream.empty()) streamed.push_back(&dataset);
  }
  std::vector<std::string> sharing;
  if (!options_.shared_stream.empty()) {
    for (const project::Dataset* dataset : streamed) sharing.push_back(dataset->name);
  }
  for (size_t i = 0; i < streamed.size(); ++i) {
    RecordFilter filter{.datasets = sharing, .own = sharing.empty() ? 0 : i};
    followers_.push_back(std::make_unique<StreamFollower>(options_, *streamed[i], std::move(filter),
                                                          *engine_, progress_));
  }
}
StreamJob::~StreamJob() = default;

io::Task<> StreamJob::run() {
  io::Scope scope(*options_.loop);
  for (auto& follower : followers_) scope.spawn("stream follower", follower->run());
  io::Signal nothing;
  while (!co_await io::cancelled())
    (void)co_await nothing.wait_beyond(nothing.version(), io::never);
  for (auto& follower : followers_) follower->stop();
  scope.cancel();
  co_await scope.join();
}

template <class F>
io::Task<Result<std::invoke_result_t<F>>> StreamJob::on_own_loop(F function) {
  using Value = std::invoke_result_t<F>;
  io::OneShot<Value> done;
  options_.loop->post([done, function = std::move(function)]() mutable { done.set(function()); });
  co_return co_await done.wait();
}

io::Task<std::vector<StreamStatus>> StreamJob::status() {
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

io::Task<Status> StreamJob::wait_until_reached(std::vector<Target> targets, io::Instant deadline) {
  while (true) {
    uint64_t seen = progress_.version();
    auto look = [this, targets] { return has_reached(targets); };
    auto reached = co_await on_own_loop(look);
    if (!reached) co_return reached.error();
    if (!*reached) co_return reached->error();
    if (**reached) co_return Status{};
    Status waited = co_await progress_.wait_beyond(seen, deadline);
    if (!waited) co_return waited.error().with("the stream job has not caught up");
  }
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
  Status reached = co_await wait_until_reached(std::move(*wanted), deadline);
  (void)co_await on_own_loop(end);
  if (!reached) co_return reached.error();
  co_return co_await status();
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
