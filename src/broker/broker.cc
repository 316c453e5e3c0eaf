#include "broker/broker.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/bytes.h"
#include "base/id.h"
#include "base/log_line.h"
#include "broker/house.h"
#include "broker/topics_access.h"
#include "io/loop.h"
#include "io/scope.h"
#include "io/timer.h"

namespace pinpipe::broker {
namespace {

constexpr std::array<std::string_view, 1> migrations = {
    "CREATE TABLE topics (name TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, partitions INTEGER NOT "
    "NULL, configs TEXT NOT NULL, internal INTEGER NOT NULL, created_ms INTEGER NOT NULL);"
    "CREATE TABLE numbers (name TEXT PRIMARY KEY, next INTEGER NOT NULL);"
    "CREATE TABLE texts (name TEXT PRIMARY KEY, value TEXT NOT NULL);"};

Result<std::string> cluster_id_of(state::Database& database) {
  return database.write([](state::Connection& c) -> Result<std::string> {
    // 16 bytes in base64 for URLs, without padding, as Kafka's own: it stands in paths.
    std::string fresh = to_base64(random_bytes(16)).substr(0, 22);
    std::ranges::replace(fresh, '+', '-');
    std::ranges::replace(fresh, '/', '_');
    Status put =
        c.run("INSERT OR IGNORE INTO texts (name, value) VALUES ('cluster_id', ?)", {fresh});
    if (!put) return put.error();
    auto rows = c.query("SELECT value FROM texts WHERE name = 'cluster_id'");
    if (rows.next()) return rows.text(0);
    return rows.status() ? Error(Code::internal, "no cluster id") : rows.status().error();
  });
}

}  // namespace

Broker::Broker(std::unique_ptr<House> house) : house_(std::move(house)) {}
Broker::~Broker() = default;

Result<std::unique_ptr<Broker>> Broker::open(Options options, io::Files& files, io::Pool& disk,
                                             const Clock& clock, auth::Policy policy) {
  auto database = state::Database::open(options.state_path, migrations);
  if (!database) return database.error();
  auto house = std::make_unique<House>(std::move(options), files, disk, clock, std::move(policy),
                                       std::move(*database));
  auto cluster_id = cluster_id_of(*house->database);
  if (!cluster_id) return cluster_id.error();
  house->cluster_id = std::move(*cluster_id);
  if (Status opened = house->catalogue.open(); !opened) return opened.error();
  if (Status opened = house->offsets.open(); !opened) return opened.error();
  return std::unique_ptr<Broker>(new Broker(std::move(house)));
}

std::unique_ptr<Topics> Broker::as(auth::Principal principal) {
  return std::make_unique<TopicsAccess>(*house_, std::move(principal));
}

std::unique_ptr<Cluster> Broker::cluster_as(auth::Principal principal) {
  return std::make_unique<Cluster>(*house_, std::move(principal));
}

io::Task<> Broker::compact() {
  for (const TopicPointer& topic : house_->catalogue.list()) {
    if (!topic->settings.compacts) continue;
    for (const auto& log : topic->logs) {
      if (!log->has_dirty_segments()) continue;
      auto answer = log->clean();
      auto cleaned = co_await answer.wait();
      if (!cleaned) co_return;
      bool is_news = !*cleaned && cleaned->error().code() != Code::busy &&
                     cleaned->error().code() != Code::cancelled;
      if (is_news)
        log_warn("broker", "a partition could not be compacted",
                 {{"directory", log->directory()}, {"reason", cleaned->error().text()}});
    }
  }
}

io::Task<> Broker::expire_positions() {
  std::set<std::string, std::less<>> with_members;
  for (const GroupDescription& group : house_->groups.list()) {
    if (!group.members.empty()) with_members.insert(group.name);
  }
  Status expired =
      co_await house_->offsets.expire(house_->options.offsets_retention.count(), with_members);
  if (!expired && expired.error().code() != Code::cancelled)
    log_warn("broker", "positions could not be expired", {{"reason", expired.error().text()}});
}

io::Task<> Broker::keep_compacting() {
  while (co_await io::sleep_for(house_->options.compaction_check_every)) co_await compact();
}

io::Task<> Broker::keep_expiring() {
  while (co_await io::sleep_for(house_->options.offsets_check_every)) co_await expire_positions();
}

io::Task<> Broker::run() {
  // A compaction may take minutes; what must not wait for it has its own task.
  io::Scope scope(io::Loop::current());
  scope.spawn("compaction", keep_compacting());
  scope.spawn("positions", keep_expiring());
  co_await keep_flushing();
  scope.cancel();
  co_await scope.join();
}

io::Task<> Broker::keep_flushing() {
  constexpr Millis tick{100};
  int64_t retention_at_ms =
      house_->clock.steady_ms() + house_->options.retention_check_every.count();
  while (co_await io::sleep_for(tick)) {
    house_->groups.expire();
    int64_t now_ms = house_->clock.steady_ms();
    bool retains = now_ms >= retention_at_ms;
    if (retains) retention_at_ms = now_ms + house_->options.retention_check_every.count();
    for (const TopicPointer& topic : house_->catalogue.list()) {
      const TopicSettings& settings = topic->settings;
      // A topic is flushed on the tick at which its own period comes round.
      bool flushes = settings.log.sync == log::Sync::interval &&
                     now_ms % std::max<int64_t>(settings.flush_ms, tick.count()) < tick.count();
      for (const auto& log : topic->logs) {
        if (flushes && log->has_unsynced()) (void)log->flush();
        if (retains && settings.deletes)
          (void)log->retain(settings.retention_ms, settings.retention_bytes);
      }
    }
  }
}

io::Task<Status> Broker::close() {
  std::vector<io::OneShot<Status>> closing;
  for (const TopicPointer& topic : house_->catalogue.list()) {
    for (const auto& log : topic->logs) closing.push_back(log->close());
  }
  Status outcome;
  for (auto& answer : closing) {
    auto closed = co_await answer.wait();
    if (!closed) co_return closed.error();
    if (!*closed && outcome) outcome = *closed;
  }
  co_return outcome;
}

Result<int64_t> House::next_producer_id() {
  std::lock_guard lock(producer_ids_mutex);
  if (next_id == ids_end) {
    // The block is taken in the database before the first of it is given away.
    auto begin = database->write([](state::Connection& c) -> Result<int64_t> {
      Status put = c.run("INSERT OR IGNORE INTO numbers (name, next) VALUES ('producer_id', 0)");
      if (put)
        put = c.run("UPDATE numbers SET next = next + ? WHERE name = 'producer_id'",
                    {producer_ids_block});
      if (!put) return put.error();
      auto rows = c.query("SELECT next FROM numbers WHERE name = 'producer_id'");
      if (rows.next()) return rows.integer(0) - producer_ids_block;
      return rows.status() ? Error(Code::internal, "no producer ids") : rows.status().error();
    });
    if (!begin) return begin.error();
    next_id = *begin;
    ids_end = *begin + producer_ids_block;
  }
  return next_id++;
}

io::Task<Result<TopicPointer>> House::create(TopicSpec spec) {
  for (const auto& [setting, value] : options.configs_standard)
    spec.configs.try_emplace(setting, value);
  co_return co_await disk.run([this, &spec] { return catalogue.create(std::move(spec), false); });
}

io::Task<Result<TopicPointer>> House::find_or_create(auth::Principal who, std::string name) {
  const io::Instant deadline = io::after(Millis(10'000));
  while (true) {
    uint64_t seen = catalogue.version();
    if (TopicPointer found = catalogue.find(name)) co_return found;
    if (!options.auto_create) co_return catalogue.not_found(name);
    if (Status may = check(who, auth::Action::create, name); !may) co_return may.error();
    TopicSpec spec{.name = name, .partitions = options.partitions_standard, .configs = {}};
    auto created = co_await create(std::move(spec));
    if (created || created.error().code() != Code::conflict) co_return created;
    // Somebody else is creating it and will put it in at any moment.
    Status changed = co_await catalogue.changed().wait_beyond(seen, deadline);
    if (!changed) co_return changed.error();
  }
}

io::Task<Status> House::remove(std::string name) {
  auto removed = co_await disk.run([this, &name] { return catalogue.remove(name); });
  if (!removed) co_return removed.error();
  std::vector<io::OneShot<Status>> abandoned;
  for (const auto& log : (*removed)->logs) abandoned.push_back(log->abandon());
  for (auto& answer : abandoned) (void)co_await answer.wait();
  Status gone =
      co_await disk.run([this, &removed] { return catalogue.remove_directory(**removed); });
  if (!gone)
    log_warn("broker", "the directory of a deleted topic stays until the next start",
             {{"topic", name}, {"reason", gone.error().text()}});
  co_return co_await offsets.forget_topic(std::move(name));
}

}  // namespace pinpipe::broker
