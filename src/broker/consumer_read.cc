// How a consumer reads: whose turn it is, what is there, and when it counts as read.
#include <algorithm>

#include "broker/consumer.h"
#include "log/partition_log.h"

namespace pinpipe::broker {

Consumer::Reading::~Reading() {
  if (!consumer_) return;
  {
    std::lock_guard lock(consumer_->mutex_);
    consumer_->is_read_ = false;
  }
  consumer_->turn_.notify_all();
}

void Consumer::Reading::cut(size_t count) {
  for (size_t i = records_.size(); i > count; --i) {
    const Record& record = records_[i - 1];
    for (const auto& part : parts_) {
      bool is_its = &part->where.topic == record.topic;
      if (is_its) part->next = std::min(part->next, record.record->offset);
    }
  }
  records_.resize(std::min(count, records_.size()));
}

void Consumer::Reading::accept() {
  if (!consumer_) return;
  std::lock_guard lock(consumer_->mutex_);
  for (const auto& part : parts_) {
    auto found = consumer_->places_.find(part->where);
    bool moved = found == consumer_->places_.end() || found->second.moves != part->moves;
    if (moved || part->next <= found->second.next) continue;
    found->second.next = part->next;
    consumer_->is_dirty_ = true;
  }
  parts_.clear();
  records_.clear();
}

io::Task<bool> Consumer::take_turn(io::Instant deadline) {
  while (true) {
    uint64_t version = turn_.version();
    {
      std::lock_guard lock(mutex_);
      if (!is_read_) {
        is_read_ = true;
        co_return true;
      }
    }
    if (!co_await turn_.wait_beyond(version, deadline)) co_return false;
  }
}

// As Kafka's consumers: positions are committed on the way to the next read, so what the client got
// last is committed only when it comes back for more.
io::Task<Status> Consumer::commit_when_due() {
  {
    std::lock_guard lock(mutex_);
    bool due = clock_.steady_ms() - committed_ms_ >= auto_commit_every.count();
    if (!spec_.auto_commit || !due) co_return Status{};
  }
  co_return co_await commit();
}

// One round over the partitions.
struct Consumer::Look {
  std::vector<io::Signal::Watch> watches;
  std::vector<std::shared_ptr<log::PartitionLog>> logs;  // whose signals are watched
};

io::Task<Status> Consumer::fetch_from(Reading& reading, const TopicPartition& where, Place place,
                                      size_t bytes_max) {
  // Records that an earlier round of this reading gave are not given again.
  for (const auto& part : reading.parts_) {
    if (part->where == where) place.next = std::max(place.next, part->next);
  }
  size_t room = std::max<size_t>(bytes_max - std::min(bytes_max, reading.bytes_), 1);
  auto fetched =
      co_await topics_->fetch(where.topic, where.partition, place.next, room, io::Instant{});
  if (!fetched && fetched.error().code() == Code::invalid) {
    // What was to be read is gone, or the topic was made anew.
    auto reset = co_await reset_position(where);
    if (!reset) co_return reset.error();
    std::map<TopicPartition, Offset> to{{where, *reset}};
    co_return co_await seek(std::move(to));
  }
  if (!fetched) co_return fetched.error();
  if (fetched->next == place.next) co_return Status{};
  auto part = std::unique_ptr<Reading::Part>(new Reading::Part{
      .where = where, .moves = place.moves, .next = fetched->next, .fetched = {}});
  part->fetched = std::move(*fetched);
  for (const RecordOut& record : part->fetched.records) {
    size_t bytes = record.key.value_or("").size() + record.value.value_or("").size();
    if (!reading.records_.empty() && reading.bytes_ + bytes >= bytes_max) {
      part->next = record.offset;
      reading.is_full_ = true;
      break;
    }
    reading.bytes_ += bytes;
    reading.records_.push_back({&part->where.topic, where.partition, &record});
  }
  reading.is_full_ |= reading.bytes_ >= bytes_max;
  reading.parts_.push_back(std::move(part));
  co_return Status{};
}

io::Task<Status> Consumer::look(Reading& reading, Bounds bounds, Look& look) {
  look.watches.push_back({&changed_, changed_.version()});
  std::vector<std::pair<TopicPartition, Place>> places;
  {
    std::lock_guard lock(mutex_);
    places.assign(places_.begin(), places_.end());
    // Every partition has its turn to be the first, so that none starves behind a busy one.
    if (!places.empty()) std::ranges::rotate(places, places.begin() + first_++ % places.size());
  }
  for (auto& [where, place] : places) {
    if (reading.is_full_) break;
    auto log = cluster_->partition(where.topic, where.partition, auth::Action::read);
    if (!log && log.error().code() == Code::not_found) continue;  // deleted meanwhile
    if (!log) co_return log.error();
    look.watches.push_back({&(*log)->grown(), (*log)->grown().version()});
    look.logs.push_back(*log);
    if (place.next < 0) {
      auto first = co_await first_position(where);
      if (!first) co_return first.error();
      this->place(where, *first);
      place.next = *first;
    }
    if (place.next == (*log)->range().high_watermark) continue;
    Status fetched = co_await fetch_from(reading, where, place, bounds.bytes_max);
    if (!fetched) co_return fetched;
  }
  co_return Status{};
}

io::Task<Result<std::unique_ptr<Consumer::Reading>>> Consumer::read(Bounds bounds) {
  touch();
  bounds.bytes_max = std::min(bounds.bytes_max, read_bytes_max);
  const io::Instant deadline = io::after(bounds.wait);
  if (!co_await take_turn(deadline)) co_return std::unique_ptr<Reading>(new Reading(nullptr));
  auto reading = std::unique_ptr<Reading>(new Reading(shared_from_this()));
  // A commit that comes too late, after the partitions went to others, does not hold up reading.
  (void)co_await commit_when_due();
  while (true) {
    Look round;
    Status looked = co_await look(*reading, bounds, round);
    if (!looked && reading->records_.empty()) co_return looked.error();
    bool enough =
        !reading->records_.empty() &&
        (spec_.bytes_min <= 0 || std::cmp_greater_equal(reading->bytes_, spec_.bytes_min));
    if (!looked || enough || reading->is_full_) break;
    Status woken = co_await io::Signal::wait_any(std::move(round.watches), deadline);
    if (!woken) break;
    std::lock_guard lock(mutex_);
    if (is_closed_) break;
  }
  touch();
  co_return reading;
}

}  // namespace pinpipe::broker
