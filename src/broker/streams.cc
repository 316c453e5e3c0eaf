#include "broker/streams.h"

#include <algorithm>

#include "base/check.h"
#include "base/log_line.h"
#include "broker/streams_gate.h"
#include "broker/streams_rows.h"
#include "broker/streams_sequence.h"

namespace pinpipe::broker {
namespace {

// A stream's topic gets its times from the broker; that also tells it from a stranger's.
constexpr std::string_view time_setting = "message.timestamp.type";
constexpr std::string_view time_value = "LogAppendTime";
constexpr int64_t retention_ms_standard = 24LL * 3600 * 1000;
// The largest record of any stream, with its key and headers.
constexpr int64_t message_bytes = (int64_t{record_kib_max} << 10) + 65'536;

// Whole segments are removed, so expired records stay on disk for a 24th of the retention at most.
void set_retention_in(ConfigMap& configs, int64_t retention_ms) {
  configs["retention.ms"] = std::to_string(retention_ms);
  configs["segment.ms"] = std::to_string(std::max<int64_t>(retention_ms / 24, 1));
}

ConfigMap stream_configs() {
  ConfigMap configs = {{std::string(time_setting), std::string(time_value)},
                       {"max.message.bytes", std::to_string(message_bytes)}};
  set_retention_in(configs, retention_ms_standard);
  return configs;
}

bool is_topic_of(const Topic& topic, const stream_rows::Row& row) {
  if (!row.creating) return topic.facts.id == row.stream.id;
  auto set = topic.facts.configs.find(std::string(time_setting));
  return set != topic.facts.configs.end() && set->second == time_value &&
         topic.facts.partitions == static_cast<int32_t>(row.stream.shards.size());
}

Error no_stream(std::string_view name) {
  return Error(Code::not_found, "there is no stream '" + std::string(name) + "'");
}

}  // namespace

std::string shard_id(int32_t number) {
  std::string digits = std::to_string(number);
  return "shardId-" + std::string(12 - std::min<size_t>(12, digits.size()), '0') + digits;
}

std::string Shard::id() const {
  return shard_id(number);
}
std::string Shard::starting_sequence() const {
  return Sequence{created_s, number, 0, created_s}.text();
}
std::optional<std::string> Shard::ending_sequence() const {
  if (!closed) return std::nullopt;
  return Sequence{created_s, number, Sequence::index_max, closed->at_ms / 1000}.text();
}
std::string Shard::sequence_of(Offset offset, int64_t timestamp_ms) const {
  int64_t time_s = std::max<int64_t>(timestamp_ms, 0) / 1000;
  return Sequence{created_s, number, static_cast<uint64_t>(offset) + 1, time_s}.text();
}
std::string Shard::sequence_before(Offset offset, int64_t now_ms) const {
  return offset == 0 ? starting_sequence() : sequence_of(offset - 1, now_ms);
}

const Shard* Stream::find_shard(int32_t number) const {
  if (number < 0 || static_cast<size_t>(number) >= shards.size()) return nullptr;
  return &shards[static_cast<size_t>(number)];
}
void Stream::set_shards(std::vector<Shard> all) {
  shards = std::move(all);
  open.clear();
  for (const Shard& shard : shards) {
    if (shard.is_open()) open.push_back(shard.number);
  }
  std::ranges::sort(open, {}, [&](int32_t number) { return find_shard(number)->range.first; });
}
const Shard& Stream::open_shard_of(HashKey key) const {
  auto beyond = std::ranges::upper_bound(
      open, key, {}, [&](int32_t number) { return find_shard(number)->range.first; });
  CHECK(beyond != open.begin(), "open shards cover all hash keys");
  const Shard& found = *find_shard(*std::prev(beyond));
  CHECK(found.range.has(key), "open shards cover all hash keys");
  return found;
}
bool Stream::is_changing() const {
  return gate->is_shut();
}
std::vector<const Shard*> Stream::children_of(int32_t number) const {
  std::vector<const Shard*> children;
  for (const Shard& shard : shards) {
    if (shard.has_parent(number)) children.push_back(&shard);
  }
  return children;
}

Streams::Streams(Options options, Broker& broker, io::Pool& disk, const Clock& clock,
                 std::unique_ptr<state::Database> database)
    : options_(std::move(options)),
      broker_(broker),
      disk_(disk),
      clock_(clock),
      database_(std::move(database)) {}
Streams::~Streams() = default;

Result<std::unique_ptr<Streams>> Streams::open(Options options, Broker& broker, io::Pool& disk,
                                               const Clock& clock) {
  auto database = state::Database::open(options.state_path, stream_rows::migrations());
  if (!database) return database.error();
  std::unique_ptr<Streams> streams(
      new Streams(std::move(options), broker, disk, clock, std::move(*database)));
  if (Status loaded = streams->load(); !loaded) return loaded.error();
  return streams;
}

Status Streams::load() {
  auto key = stream_rows::ticket_key(*database_);
  if (!key) return key.error();
  ticket_key_ = std::move(*key);
  auto rows = stream_rows::read_all(*database_);
  if (!rows) return rows.error();
  auto cluster = broker_.cluster_as(auth::service_principal("streams"));
  for (stream_rows::Row& row : *rows) {
    auto topic = cluster->find(row.stream.name);
    if (!topic || !is_topic_of(**topic, row)) {
      log_info("streams", "forgetting a stream without its topic", {{"stream", row.stream.name}});
      if (Status gone = stream_rows::remove(*database_, row.stream.name); !gone) return gone;
      continue;
    }
    row.stream.id = (*topic)->facts.id;
    if (row.creating) {
      Status active = stream_rows::activate(*database_, row.stream.name, row.stream.id);
      if (!active) return active;
    }
    row.stream.gate = std::make_shared<StreamGate>();
    put(std::make_shared<Stream>(std::move(row.stream)));
  }
  return {};
}

StreamAccess Streams::as(auth::Principal principal) {
  return StreamAccess(*this, std::move(principal));
}

StreamPointer Streams::find(std::string_view name) const {
  std::lock_guard lock(mutex_);
  auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

void Streams::put(StreamPointer stream) {
  std::lock_guard lock(mutex_);
  by_name_[stream->name] = std::move(stream);
}

void Streams::drop(const Stream& stream) {
  std::lock_guard lock(mutex_);
  auto found = by_name_.find(stream.name);
  if (found != by_name_.end() && found->second->id == stream.id) by_name_.erase(found);
}

int32_t Streams::open_shards() const {
  std::lock_guard lock(mutex_);
  int32_t open = 0;
  for (const auto& [name, stream] : by_name_) open += stream->open_shards();
  return open;
}

StreamAccess::StreamAccess(Streams& streams, auth::Principal principal)
    : streams_(streams),
      topics_(streams.broker_.as(principal)),
      cluster_(streams.broker_.cluster_as(std::move(principal))) {}

Result<StreamPointer> StreamAccess::find(std::string_view name) const {
  auto topic = cluster_->find(name);
  if (!topic && topic.error().code() != Code::not_found) return topic.error();
  StreamPointer stream = streams_.find(name);
  if (!topic || !stream || stream->id != (*topic)->facts.id) return no_stream(name);
  return stream;
}

std::vector<StreamPointer> StreamAccess::list() const {
  std::vector<StreamPointer> found;
  for (const auto& topic : cluster_->list()) {
    StreamPointer stream = streams_.find(topic->facts.name);
    if (stream && stream->id == topic->facts.id) found.push_back(std::move(stream));
  }
  return found;
}

Status StreamAccess::check(const Stream& stream, auth::Action action) const {
  auto allowed = cluster_->partition(stream.name, 0, action);
  return allowed ? Status{} : allowed.error();
}

io::Task<Status> StreamAccess::forget(const Stream& stream) {
  Status gone = co_await streams_.disk_.run(
      [&] { return stream_rows::remove(*streams_.database_, stream.name); });
  if (gone) streams_.drop(stream);
  co_return gone;
}

io::Task<Result<StreamPointer>> StreamAccess::create(StreamSpec spec) {
  TopicSpec topic{.name = spec.name, .partitions = spec.shards, .configs = stream_configs()};
  auto allowed = co_await cluster_->create(topic, true);
  if (!allowed) co_return allowed.error();
  if (streams_.open_shards() + spec.shards > streams_.options_.shards_max)
    co_return Error(Code::busy, "there may be no more shards");
  // A stream whose topic was deleted by other means is in nobody's way.
  if (StreamPointer old = streams_.find(spec.name)) {
    if (Status gone = co_await forget(*old); !gone) co_return gone.error();
  }
  auto stream = std::make_shared<Stream>();
  stream->name = spec.name;
  stream->created_ms = streams_.clock_.wall_ms();
  stream->on_demand = spec.on_demand;
  stream->record_kib = spec.record_kib;
  stream->tags = std::move(spec.tags);
  stream->gate = std::make_shared<StreamGate>();
  std::vector<Shard> shards;
  for (const HashRange& range : even_ranges(spec.shards)) {
    shards.push_back({.number = static_cast<int32_t>(shards.size()),
                      .created_s = stream->created_ms / 1000,
                      .range = range,
                      .parent = {},
                      .adjacent_parent = {},
                      .closed = {}});
  }
  stream->set_shards(std::move(shards));
  state::Database& database = *streams_.database_;
  Status inserted =
      co_await streams_.disk_.run([&] { return stream_rows::insert(database, *stream); });
  if (!inserted) co_return inserted.error();
  auto created = co_await topics_->create(std::move(topic));
  if (!created) {
    Status gone =
        co_await streams_.disk_.run([&] { return stream_rows::remove(database, stream->name); });
    if (!gone) log_warn("streams", "a row without a stream stays until the next start");
    co_return created.error();
  }
  stream->id = created->id;
  Status active = co_await streams_.disk_.run(
      [&] { return stream_rows::activate(database, stream->name, stream->id); });
  if (!active) co_return active.error();
  streams_.put(stream);
  co_return StreamPointer(stream);
}

io::Task<Status> StreamAccess::remove(StreamPointer stream) {
  if (Status gone = co_await topics_->remove(stream->name); !gone) co_return gone;
  co_return co_await forget(*stream);
}

int64_t StreamAccess::retention_ms(const Stream& stream) const {
  auto topic = cluster_->find(stream.id);
  return topic ? (*topic)->settings.retention_ms : retention_ms_standard;
}

io::Task<Status> StreamAccess::set_retention(StreamPointer stream, int64_t retention_ms) {
  auto topic = cluster_->find(stream->id);
  if (!topic) co_return topic.error();
  ConfigMap configs = (*topic)->facts.configs;
  set_retention_in(configs, retention_ms);
  co_return co_await cluster_->set_configs(stream->name, std::move(configs), false);
}

io::Task<Status> StreamAccess::add_tags(StreamPointer stream,
                                        std::map<std::string, std::string> tags) {
  if (Status may = check(*stream, auth::Action::alter); !may) co_return may;
  Status put = co_await streams_.disk_.run(
      [&] { return stream_rows::add_tags(*streams_.database_, stream->name, tags); });
  if (!put) co_return put;
  streams_.change(*stream, [&](Stream& next) {
    for (auto& [key, value] : tags) next.tags[key] = value;
  });
  co_return Status{};
}

io::Task<Status> StreamAccess::remove_tags(StreamPointer stream, std::vector<std::string> keys) {
  if (Status may = check(*stream, auth::Action::alter); !may) co_return may;
  Status gone = co_await streams_.disk_.run(
      [&] { return stream_rows::remove_tags(*streams_.database_, stream->name, keys); });
  if (!gone) co_return gone;
  streams_.change(*stream, [&](Stream& next) {
    for (const std::string& key : keys) next.tags.erase(key);
  });
  co_return Status{};
}

io::Task<Status> StreamAccess::set_mode(StreamPointer stream, bool on_demand) {
  if (Status may = check(*stream, auth::Action::alter); !may) co_return may;
  Status set = co_await streams_.disk_.run(
      [&] { return stream_rows::set_mode(*streams_.database_, stream->name, on_demand); });
  if (set) streams_.change(*stream, [&](Stream& next) { next.on_demand = on_demand; });
  co_return set;
}

io::Task<Status> StreamAccess::set_record_kib(StreamPointer stream, int32_t record_kib) {
  if (Status may = check(*stream, auth::Action::alter); !may) co_return may;
  Status set = co_await streams_.disk_.run(
      [&] { return stream_rows::set_record_kib(*streams_.database_, stream->name, record_kib); });
  if (set) streams_.change(*stream, [&](Stream& next) { next.record_kib = record_kib; });
  co_return set;
}

std::string StreamAccess::seal(Ticket ticket) const {
  ticket.issued_ms = streams_.clock_.wall_ms();
  return broker::seal(ticket, streams_.ticket_key_);
}

Result<Ticket> StreamAccess::read(std::string_view text, Ticket::Kind kind) const {
  auto ticket = read_ticket(text, streams_.ticket_key_);
  if (!ticket || ticket->kind != kind) return Error(Code::invalid, "this is no ticket of ours");
  return std::move(*ticket);
}

}  // namespace pinpipe::broker
