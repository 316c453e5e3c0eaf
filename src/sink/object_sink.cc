#include "sink/object_sink.h"

#include <charconv>
#include <fmt/format.h>

#include "base/log_line.h"
#include "sink/follower.h"

namespace pinpipe::sink {
namespace {

constexpr Millis fetch_wait{30'000};
constexpr Millis first_pause{50};

}  // namespace

bool is_passing(Code code) {
  return code == Code::busy || code == Code::unavailable || code == Code::timeout ||
         code == Code::internal;
}

std::string Totals::text() const {
  return fmt::format("records={} objects={} skipped={}", records, objects, skipped);
}

Totals Totals::of_text(std::string_view text) {
  Totals totals;
  auto number = [&](std::string_view name) {
    int64_t value = 0;
    size_t at = text.find(name);
    if (at != std::string_view::npos)
      std::from_chars(text.data() + at + name.size(), text.data() + text.size(), value);
    return value;
  };
  totals.records = number("records=");
  totals.objects = number("objects=");
  totals.skipped = number("skipped=");
  return totals;
}

ObjectSink::ObjectSink(Parts parts, SinkConfig config)
    : parts_(std::move(parts)),
      config_(std::move(config)),
      tasks_(static_cast<size_t>(config_.tasks_max)) {
  if (!parts_.memory) parts_.memory = std::make_shared<Memory>();
}
ObjectSink::~ObjectSink() = default;

io::Task<> ObjectSink::run() {
  io::Scope scope(parts_.loop);
  io::Scope finishing(parts_.loop);
  scope_ = &scope;
  finishing_ = &finishing;
  parts_.memory->join(*this);
  finishing.spawn("sink commits", commit_all());
  scope.spawn("sink clock", watch_clock());
  uint64_t seen = 0;
  while (true) {
    discover();
    auto changed = co_await parts_.topics.wait_for_topic_change(seen, io::never);
    if (!changed && changed.error().code() == Code::cancelled) break;
    if (changed) {
      seen = *changed;
    } else if (!co_await io::sleep_for(Millis(config_.retry_backoff_ms))) {
      break;
    }
  }
  scope.cancel();
  co_await scope.join();
  // An upload or a commit whose waiter alone was ended could still happen after another sink has
  // looked at the bucket and the position.
  stopping_ = true;
  control_.notify_all();
  durable_.notify_all();
  co_await finishing.join();
  for (const auto& [where, follower] : followers_) abandon(*follower);
  parts_.memory->leave(*this);
  scope_ = finishing_ = nullptr;
  ended_ = true;
  progress_.notify_all();
}

void ObjectSink::discover() {
  for (const broker::TopicFacts& topic : parts_.topics.list()) {
    if (topic.internal || !config_.wants(topic.name)) continue;
    for (int partition = 0; partition < topic.partitions; ++partition) {
      auto& slot = followers_[{topic.name, partition}];
      if (slot && slot->incarnation == topic.id) continue;
      int task = slot ? slot->task : next_task_++ % config_.tasks_max;
      auto predecessor = std::move(slot);
      if (predecessor) abandon(*predecessor);
      slot = std::make_shared<Follower>();
      slot->predecessor = std::move(predecessor);
      slot->who = {config_.name, topic.name, partition};
      slot->incarnation = topic.id;
      slot->task = task;
      scope_->spawn("sink follower", follow(slot));
    }
  }
}

// Its uploads go on, but nothing more comes of it.
void ObjectSink::abandon(Follower& follower) {
  follower.abandoned = true;
  parts_.memory->give_back(follower.file.bytes);
  follower.file = Upload{};
}

bool ObjectSink::is_stopped(const Follower& follower) const {
  return follower.abandoned || tasks_[static_cast<size_t>(follower.task)].failed;
}

void ObjectSink::fail(Follower& follower, const Error& error) {
  if (is_stopped(follower) || error.code() == Code::cancelled) return;
  TaskState& task = tasks_[static_cast<size_t>(follower.task)];
  task.failed = true;
  task.trace =
      fmt::format("{} partition {}: {}", follower.who.topic, follower.who.partition, error.text());
  log_error("sink", "a connector's task failed",
            {{"connector", config_.name}, {"reason", task.trace}});
  // A restart reads again what was in their open files.
  for (const auto& [where, one] : followers_) {
    if (one->task != follower.task) continue;
    parts_.memory->give_back(one->file.bytes);
    one->file = Upload{};
  }
  progress_.notify_all();
}

io::Task<> ObjectSink::follow(std::shared_ptr<Follower> follower) {
  // Its uploads could replace ours otherwise, and its boundaries would come too late.
  while (follower->predecessor && follower->predecessor->uploading > 0) {
    uint64_t seen = follower->predecessor->idle.version();
    if (!co_await follower->predecessor->idle.wait_beyond(seen, io::never)) co_return;
  }
  follower->predecessor.reset();
  Status going = co_await begin(*follower);
  while (!going && is_passing(going.error().code()) && !is_stopped(*follower)) {
    if (!co_await io::sleep_for(Millis(config_.retry_backoff_ms))) co_return;
    going = co_await begin(*follower);
  }
  while (going && !is_stopped(*follower)) {
    uint64_t seen = control_.version();
    if (paused_) {
      going = co_await control_.wait_beyond(seen, io::never);
      continue;
    }
    going = co_await parts_.memory->wait_for_room();
    if (!going || is_stopped(*follower)) continue;
    auto fetched =
        co_await parts_.topics.fetch(follower->who.topic, follower->who.partition, follower->next,
                                     fetch_bytes_max, io::after(fetch_wait));
    if (is_stopped(*follower) || paused_) continue;  // read again when it goes on
    if (fetched) {
      going = co_await take(follower, std::move(*fetched));
    } else if (fetched.error().code() == Code::not_found) {
      // The topic was removed: what was read of it is stored. A new one of its name gets a follower
      // of its own.
      close_file(follower, true);
      co_return;
    } else if (is_passing(fetched.error().code())) {
      going = co_await io::sleep_for(Millis(config_.retry_backoff_ms));
    } else {
      going = fetched.error();
    }
  }
  if (!going) fail(*follower, going.error());
}

// Where to begin, and that nothing is in the way of beginning there.
io::Task<Status> ObjectSink::begin(Follower& follower) {
  auto range = co_await parts_.topics.range(follower.who.topic, follower.who.partition);
  if (!range && range.error().code() == Code::not_found) {
    follower.abandoned = true;  // removed since it was listed
    co_return Status{};
  }
  if (!range) co_return range.error();
  broker::TopicPartition where{follower.who.topic, follower.who.partition};
  std::vector<broker::TopicPartition> which{where};
  auto positions = co_await parts_.topics.committed(group(), which);
  if (!positions) co_return positions.error();
  auto last = co_await parts_.disk.run([&] { return parts_.state.followed(follower.who); });
  if (!last) co_return last.error();
  bool same_topic = !*last || (*last)->incarnation == follower.incarnation;
  auto position = positions->find(where);
  int64_t start = range->start;
  if (position != positions->end() && same_topic) {
    follower.durable_totals = Totals::of_text(position->second.metadata);
    if (position->second.offset < range->start)
      co_return Error(Code::invalid,
                      fmt::format("records {}..{} were removed from the topic before they were "
                                  "stored; longer retention or a faster store would have kept them",
                                  position->second.offset, range->start - 1));
    start = position->second.offset;
  }
  follower.next = follower.durable = follower.committed = follower.file.from = start;
  follower.committed_totals = follower.durable_totals;
  follower.high_watermark = range->high_watermark;
  FollowedAs how = followed_as(follower);
  if (!*last || !(**last == how)) {
    Status clear = co_await check_incarnation(follower, same_topic);
    // Files that were uploaded but not committed under another rule would overlap the new ones.
    if (clear && *last && same_topic) clear = co_await remove_uncommitted(follower, **last);
    if (clear)
      clear = co_await parts_.disk.run([&] { return parts_.state.follow(follower.who, how); });
    if (!clear) co_return clear;
  }
  auto ends = co_await parts_.disk.run([&] { return parts_.state.boundaries(follower.who); });
  if (!ends) co_return ends.error();
  for (auto& [from, boundary] : *ends) follower.known_ends[boundary.end] = std::move(boundary.path);
  follower.begun = true;
  progress_.notify_all();  // a flush may wait for what was committed before this run
  co_return Status{};
}

FollowedAs ObjectSink::followed_as(const Follower& follower) const {
  const auto& [connector, topic, partition] = follower.who;
  std::string stem = config_.stem_of(topic, partition);
  std::string prefix = config_.time ? config_.topics_dir + config_.directory_delimiter + topic +
                                          config_.directory_delimiter
                                    : config_.directory_of(topic, partition) + stem;
  return {follower.incarnation, config_.boundary_rule(), config_.bucket, std::move(prefix),
          std::move(stem)};
}

io::Task<Status> ObjectSink::check_incarnation(Follower& follower, bool same_topic) {
  if (same_topic) co_return Status{};
  objects::ListQuery any;
  any.prefix = followed_as(follower).prefix;
  any.count_max = 1;
  auto there = co_await parts_.objects.list(config_.bucket, any);
  if (!there) co_return there.error();
  if (there->objects.empty()) co_return Status{};
  co_return Error(Code::conflict,
                  fmt::format("the topic was removed and created again, and its new objects would "
                              "replace those of the old one; move or remove {}/{}* and restart",
                              config_.bucket, any.prefix));
}

// What the connector stored as it was before, from the committed position on.
io::Task<Status> ObjectSink::remove_uncommitted(const Follower& follower, FollowedAs last) {
  objects::ListQuery query;
  query.prefix = last.prefix;
  while (!last.stem.empty()) {
    auto page = co_await parts_.objects.list(last.bucket, query);
    if (!page && page.error().code() == Code::not_found) co_return Status{};
    if (!page) co_return page.error();
    for (const objects::ObjectFacts& object : page->objects) {
      size_t at = object.key.rfind(last.stem);
      int64_t offset = -1;
      if (at != std::string::npos)
        std::from_chars(object.key.data() + at + last.stem.size(),
                        object.key.data() + object.key.size(), offset);
      if (offset < follower.durable) continue;
      std::string key = object.key;
      Status removed = co_await parts_.objects.remove(last.bucket, std::move(key));
      if (!removed) co_return removed;
    }
    if (!page->truncated) break;
    query.after = page->next_after;
  }
  co_return Status{};
}

io::Task<Status> ObjectSink::take(std::shared_ptr<Follower> follower, broker::Fetched fetched) {
  Follower& f = *follower;
  f.high_watermark = fetched.range.high_watermark;
  for (const broker::RecordOut& record : fetched.records) {
    if (auto end = f.known_ends.upper_bound(f.file.from);
        end != f.known_ends.end() && record.offset >= end->first)
      close_file(follower, false);
    if (parts_.memory->is_full()) {
      Status room = co_await parts_.memory->wait_for_room();
      if (!room || is_stopped(f)) co_return Status{};
    }
    if (Status added = add(follower, record); !added) {
      Status skipped = co_await refuse(f, record, added.error().text());
      if (!skipped || is_stopped(f)) co_return skipped;
      ++f.file.skipped;
    }
    f.file.end = f.next = record.offset + 1;
    if (is_full(f.file)) close_file(follower, false);
  }
  f.next = fetched.next;
  if (f.flush_to && f.next >= *f.flush_to) {
    f.flush_to.reset();
    close_file(follower, true);
  }
  if (f.file.records == 0) advance(f);
  co_return Status{};
}

// Puts the record into the file it belongs to, or says why none can take it.
Status ObjectSink::add(const std::shared_ptr<Follower>& follower, const broker::RecordOut& record) {
  Follower& f = *follower;
  if (!record.value) return Error(Code::invalid, "a record without a value (tombstone)");
  auto value = scanner_.scan(*record.value);
  if (!value) return Error(Code::invalid, "the value is not JSON: " + value.error().text());
  std::string path;
  int64_t at_ms = 0;
  if (config_.time) {
    auto time = time_of(record, *value);
    if (!time) return time.error();
    at_ms = *time;
    path = path_at(f, at_ms);
    if (f.file.records > 0 && must_part(f.file, at_ms, path)) close_file(follower, false);
  }
  if (f.file.records == 0) {
    f.opened_wall_ms = parts_.clock.wall_ms();
    f.opened_steady_ms = parts_.clock.steady_ms();
    f.file.first_ms = at_ms;
  }
  OpenFile& file = f.file.files[path];
  if (file.records++ == 0) file.first = record.offset;
  size_t before = file.bytes.size();
  value->append_compact(file.bytes);
  file.bytes += '\n';
  f.file.bytes += file.bytes.size() - before;
  parts_.memory->hold(file.bytes.size() - before);
  ++f.file.records;
  f.file.last_path = std::move(path);
  return {};
}

Result<int64_t> ObjectSink::time_of(const broker::RecordOut& record,
                                    const codec::JsonCursor& value) const {
  switch (config_.time->extractor) {
    case TimeLayout::Extractor::wallclock:
      return parts_.clock.wall_ms();
    case TimeLayout::Extractor::record:
      return record.timestamp_ms;
    case TimeLayout::Extractor::field:
      return config_.time->timestamp_in(value);
  }
  return Error(Code::internal, "no such extractor");
}

bool ObjectSink::goes_by_wall_clock() const {
  return config_.time && config_.time->extractor == TimeLayout::Extractor::wallclock;
}

// Records that are read again go where they went by the wall clock of then.
std::string ObjectSink::path_at(const Follower& follower, int64_t at_ms) const {
  auto end = follower.known_ends.upper_bound(follower.file.from);
  if (goes_by_wall_clock() && end != follower.known_ends.end()) return end->second;
  return config_.time->path_of(at_ms);
}

// Whether a record of this time and path begins new files.
bool ObjectSink::must_part(const Upload& file, int64_t at_ms, std::string_view path) const {
  if (path == file.last_path)
    return !goes_by_wall_clock() && config_.rotate_interval_ms > 0 &&
           at_ms - file.first_ms >= config_.rotate_interval_ms;
  return goes_by_wall_clock() || config_.rotate_interval_ms > 0;
}

bool ObjectSink::is_full(const Upload& file) const {
  return file.records >= config_.flush_size || file.files.size() >= Upload::files_max ||
         (config_.file_bytes_max > 0 && static_cast<int64_t>(file.bytes) >= config_.file_bytes_max);
}

io::Task<Status> ObjectSink::refuse(Follower& follower, const broker::RecordOut& record,
                                    std::string reason) {
  if (!record.value && config_.on_null == OnNull::ignore) co_return Status{};
  if (!config_.tolerate_errors)
    co_return Error(Code::invalid, fmt::format("offset {}: {}; errors.tolerance=all would skip it",
                                               record.offset, reason));
  log_warn("sink", "a record cannot be stored and is skipped",
           {{"connector", config_.name},
            {"topic", follower.who.topic},
            {"partition", std::to_string(follower.who.partition)},
            {"offset", std::to_string(record.offset)},
            {"reason", reason}});
  if (config_.dead_letter_topic.empty()) co_return Status{};
  co_return co_await send_dead_letter(follower, record, reason);
}

io::Task<Status> ObjectSink::send_dead_letter(const Follower& follower,
                                              const broker::RecordOut& record,
                                              const std::string& reason) {
  std::string partition = std::to_string(follower.who.partition);
  std::string offset = std::to_string(record.offset);
  std::string task = std::to_string(follower.task);
  broker::RecordIn letter;
  letter.key = record.key;
  letter.value = record.value;
  letter.headers = record.headers;
  if (config_.dead_letter_context) {
    letter.headers.push_back({"__connect.errors.topic", follower.who.topic});
    letter.headers.push_back({"__connect.errors.partition", partition});
    letter.headers.push_back({"__connect.errors.offset", offset});
    letter.headers.push_back({"__connect.errors.connector.name", config_.name});
    letter.headers.push_back({"__connect.errors.task.id", task});
    letter.headers.push_back({"__connect.errors.stage", "VALUE_CONVERTER"});
    letter.headers.push_back({"__connect.errors.exception.message", reason});
  }
  auto topic = co_await parts_.topics.find_or_create(config_.dead_letter_topic);
  if (!topic) co_return topic.error();
  while (true) {
    auto placed = co_await parts_.topics.produce(config_.dead_letter_topic, std::span(&letter, 1),
                                                 broker::Acks::committed);
    if (!placed) co_return placed.error();
    if (!placed->front().error) co_return Status{};
    if (placed->front().error->code() != Code::busy) co_return *placed->front().error;
    Status slept = co_await io::sleep_for(first_pause);
    if (!slept) co_return slept;
  }
}

void ObjectSink::close_file(const std::shared_ptr<Follower>& follower, bool by_clock) {
  Follower& f = *follower;
  if (f.file.records == 0) return;
  auto upload = std::make_shared<Upload>(std::move(f.file));
  f.file = Upload{};
  f.file.from = f.file.end = upload->end;
  // What the wall clock decided has to be remembered: the end, or the path.
  upload->by_clock = by_clock || (goes_by_wall_clock() && !f.known_ends.contains(upload->end));
  upload->boundaries_before = f.boundaries;
  if (upload->by_clock) ++f.boundaries;
  f.uploads.push_back(upload);
  ++uploads_;
  ++f.uploading;
  parts_.memory->begin_upload();
  finishing_->spawn("sink upload", this->upload(follower, std::move(upload)));
}

size_t ObjectSink::largest_open_bytes() const {
  size_t most = 0;
  for (const auto& [where, follower] : followers_) most = std::max(most, follower->file.bytes);
  return most;
}

void ObjectSink::close_largest() {
  size_t most = largest_open_bytes();
  for (const auto& [where, follower] : followers_) {
    if (most > 0 && follower->file.bytes == most && !is_stopped(*follower))
      return close_file(follower, true);
  }
}

}  // namespace pinpipe::sink
