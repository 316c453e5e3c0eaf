#include "sink/object_sink.h"

#include <charconv>
#include <fmt/format.h>

#include "base/log_line.h"
#include "codec/compression.h"
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
    : parts_(parts), config_(std::move(config)), tasks_(static_cast<size_t>(config_.tasks_max)) {}
ObjectSink::~ObjectSink() = default;

io::Task<> ObjectSink::run() {
  io::Scope scope(parts_.loop);
  scope_ = &scope;
  scope.spawn("sink commits", commit_all());
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
  scope_ = nullptr;
}

void ObjectSink::discover() {
  for (const broker::TopicFacts& topic : parts_.topics.list()) {
    if (topic.internal || !config_.wants(topic.name)) continue;
    for (int partition = 0; partition < topic.partitions; ++partition) {
      auto& slot = followers_[{topic.name, partition}];
      if (slot && slot->incarnation == topic.id) continue;
      int task = slot ? slot->task : next_task_++ % config_.tasks_max;
      if (slot) abandon(*slot);
      slot = std::make_shared<Follower>();
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
  held_bytes_ -= follower.file.bytes.size();
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
  progress_.notify_all();
}

io::Task<> ObjectSink::follow(std::shared_ptr<Follower> follower) {
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
    co_await wait_for_room(follower);
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
  FollowedAs how{follower.incarnation, config_.boundary_rule()};
  if (!*last || !(**last == how)) {
    Status clear = co_await check_incarnation(follower, same_topic);
    // Files that were uploaded but not committed under another rule would overlap the new ones.
    if (clear && *last && same_topic) clear = co_await remove_uncommitted(follower);
    if (clear)
      clear = co_await parts_.disk.run([&] { return parts_.state.follow(follower.who, how); });
    if (!clear) co_return clear;
  }
  auto ends = co_await parts_.disk.run([&] { return parts_.state.boundaries(follower.who); });
  if (!ends) co_return ends.error();
  follower.known_ends = std::move(*ends);
  follower.begun = true;
  co_return Status{};
}

io::Task<Status> ObjectSink::check_incarnation(Follower& follower, bool same_topic) {
  if (same_topic) co_return Status{};
  objects::ListQuery any;
  any.prefix = config_.directory_of(follower.who.topic, follower.who.partition);
  any.count_max = 1;
  auto there = co_await parts_.objects.list(config_.bucket, any);
  if (!there) co_return there.error();
  if (there->objects.empty()) co_return Status{};
  co_return Error(Code::conflict,
                  fmt::format("the topic was removed and created again, and its new objects would "
                              "replace those of the old one; move or remove {}/{} and restart",
                              config_.bucket, any.prefix));
}

io::Task<Status> ObjectSink::remove_uncommitted(Follower& follower) {
  objects::ListQuery query;
  query.prefix = config_.directory_of(follower.who.topic, follower.who.partition);
  if (follower.durable > 0)
    query.after = config_.key_of(follower.who.topic, follower.who.partition, follower.durable - 1);
  while (true) {
    auto page = co_await parts_.objects.list(config_.bucket, query);
    if (!page) co_return page.error();
    for (const objects::ObjectFacts& object : page->objects) {
      std::string key = object.key;
      Status removed = co_await parts_.objects.remove(config_.bucket, std::move(key));
      if (!removed) co_return removed;
    }
    if (!page->truncated) co_return Status{};
    query.after = page->next_after;
  }
}

io::Task<> ObjectSink::wait_for_room(std::shared_ptr<Follower> follower) {
  while (held_bytes_ >= held_bytes_max || uploads_ >= uploads_max) {
    uint64_t seen = control_.version();
    // When open files alone fill the memory, this one is closed before its time.
    if (uploads_ == 0) close_file(follower, true);
    if (uploads_ == 0) co_return;
    if (!co_await control_.wait_beyond(seen, io::never)) co_return;
  }
}

io::Task<Status> ObjectSink::take(std::shared_ptr<Follower> follower, broker::Fetched fetched) {
  Follower& f = *follower;
  f.high_watermark = fetched.range.high_watermark;
  for (const broker::RecordOut& record : fetched.records) {
    if (auto end = f.known_ends.find(f.file.from);
        end != f.known_ends.end() && record.offset >= end->second) {
      close_file(follower, false);
    }
    if (uploads_ >= uploads_max || held_bytes_ >= held_bytes_max) {
      co_await wait_for_room(follower);
      if (is_stopped(f) || co_await io::cancelled()) co_return Status{};
    }
    size_t before = f.file.bytes.size();
    std::string reason;
    if (!record.value) {
      reason = "a record without a value (tombstone)";
    } else if (auto value = scanner_.scan(*record.value); !value) {
      reason = "the value is not JSON: " + value.error().text();
    } else {
      value->append_compact(f.file.bytes);
      f.file.bytes += '\n';
    }
    if (!reason.empty()) {
      Status skipped = co_await refuse(f, record, std::move(reason));
      if (!skipped || is_stopped(f)) co_return skipped;
      ++f.file.skipped;
    } else {
      if (f.file.records++ == 0) {
        f.file.first = record.offset;
        f.opened_wall_ms = parts_.clock.wall_ms();
        f.opened_steady_ms = parts_.clock.steady_ms();
      }
      held_bytes_ += f.file.bytes.size() - before;
    }
    f.file.end = record.offset + 1;
    f.next = record.offset + 1;
    bool is_full = f.file.records >= config_.flush_size ||
                   (config_.file_bytes_max > 0 &&
                    static_cast<int64_t>(f.file.bytes.size()) >= config_.file_bytes_max);
    if (is_full) close_file(follower, false);
  }
  f.next = fetched.next;
  if (f.flush_to && f.next >= *f.flush_to) {
    f.flush_to.reset();
    close_file(follower, true);
  }
  if (f.file.records == 0) advance(f);
  co_return Status{};
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
  upload->by_clock = by_clock;
  upload->boundaries_before = f.boundaries;
  if (by_clock) ++f.boundaries;
  f.uploads.push_back(upload);
  ++uploads_;
  scope_->spawn("sink upload", this->upload(follower, std::move(upload)));
}

}  // namespace pinpipe::sink
