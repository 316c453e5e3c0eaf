#include "broker/consumer.h"

#include <algorithm>
#include <regex>

#include "broker/broker.h"
#include "broker/names.h"

namespace pinpipe::broker {
namespace {

// The flag is libstdc++'s: matching takes time in proportion to pattern times name, where its usual
// way may take exponential time. What it cannot do so (back references) it refuses.
constexpr auto regex_flags = std::regex::ECMAScript | std::regex_constants::__polynomial;

std::string text_of(const TopicPartition& where) {
  return where.topic + "-" + std::to_string(where.partition);
}

Error exclusive() {
  return {Code::conflict, "Subscription to topics, partitions and pattern are mutually exclusive"};
}

Error not_assigned(const TopicPartition& where) {
  return {Code::conflict, "No current assignment for partition " + text_of(where)};
}

}  // namespace

Consumer::Consumer(ConsumerSpec spec, auth::Principal owner, Broker& broker, const Clock& clock,
                   std::shared_ptr<io::Signal> unsaved)
    : spec_(std::move(spec)),
      owner_(std::move(owner)),
      clock_(clock),
      unsaved_(std::move(unsaved)),
      topics_(broker.as(owner_)),
      cluster_(broker.cluster_as(owner_)),
      touched_ms_(clock.steady_ms()),
      committed_ms_(clock.steady_ms()) {}
Consumer::~Consumer() = default;

void Consumer::touch() {
  std::lock_guard lock(mutex_);
  touched_ms_ = clock_.steady_ms();
}

int64_t Consumer::touched_ms() const {
  std::lock_guard lock(mutex_);
  return touched_ms_;
}

// A topic that is not there yet may be subscribed to: its partitions come when it does.
Status Consumer::check_readable(const std::vector<std::string>& topics) const {
  for (const std::string& topic : topics) {
    auto found = cluster_->find(topic);
    if (!found && found.error().code() == Code::denied) return found.error();
  }
  return {};
}

Status Consumer::subscribe(std::vector<std::string> topics) {
  if (Status may = check_readable(topics); !may) return may;
  std::lock_guard lock(mutex_);
  if (plan_.is_by_hand) return exclusive();
  plan_.topics = std::move(topics);
  plan_.pattern.clear();
  changed_.notify_all();
  return {};
}

Status Consumer::subscribe_to_pattern(std::string pattern) {
  if (pattern.size() > pattern_bytes_max)
    return Error(Code::invalid, "a pattern has at most 1024 characters");
  try {
    std::regex probe(pattern, regex_flags);
  } catch (const std::regex_error& wrong) {
    return Error(Code::invalid, "'" + pattern + "' is no regular expression: " + wrong.what());
  }
  std::lock_guard lock(mutex_);
  if (plan_.is_by_hand) return exclusive();
  plan_.topics.clear();
  plan_.pattern = std::move(pattern);
  changed_.notify_all();
  return {};
}

io::Task<Status> Consumer::unsubscribe() {
  // Others may have the partitions by now; the subscription is ended all the same.
  if (spec_.auto_commit) (void)co_await commit();
  std::lock_guard lock(mutex_);
  plan_ = {};
  places_.clear();
  changed_.notify_all();
  co_return Status{};
}

// What the consumer reads, by name: for a pattern, the topics that match it now.
std::vector<std::string> Consumer::wanted_topics() const {
  ConsumerPlan plan = this->plan();
  if (plan.pattern.empty()) {
    std::ranges::sort(plan.topics);
    return plan.topics;
  }
  std::vector<std::string> topics;
  const std::regex pattern(plan.pattern, regex_flags);
  for (const auto& topic : cluster_->list()) {
    if (!topic->facts.internal && std::regex_match(topic->facts.name, pattern))
      topics.push_back(topic->facts.name);
  }
  return topics;
}

std::vector<std::string> Consumer::subscription() const {
  ConsumerPlan plan = this->plan();
  return plan.pattern.empty() ? plan.topics : wanted_topics();
}

ConsumerPlan Consumer::plan() const {
  std::lock_guard lock(mutex_);
  return plan_;
}

void Consumer::restore(ConsumerPlan plan, SavedPositions positions) {
  std::lock_guard lock(mutex_);
  plan_ = std::move(plan);
  saved_ = std::move(positions);
  for (const TopicPartition& where : plan_.by_hand) places_[where] = {};
}

SavedPositions Consumer::positions_now() const {
  std::lock_guard lock(mutex_);
  SavedPositions positions;
  for (const auto& [where, place] : places_) {
    if (place.next >= 0) positions[where] = {place.next, clock_.wall_ms()};
  }
  return positions;
}

bool Consumer::take_dirty() {
  std::lock_guard lock(mutex_);
  return std::exchange(is_dirty_, false);
}

bool Consumer::wants_membership() const {
  std::lock_guard lock(mutex_);
  return !is_closed_ && plan_.subscribes();
}

io::Task<Status> Consumer::assign(std::vector<TopicPartition> partitions) {
  for (const TopicPartition& where : partitions) {
    auto log = cluster_->partition(where.topic, where.partition, auth::Action::read);
    if (!log) co_return log.error();
  }
  std::set<TopicPartition> now(partitions.begin(), partitions.end());
  {
    std::lock_guard lock(mutex_);
    if (plan_.subscribes()) co_return exclusive();
    plan_.is_by_hand = !partitions.empty();
    plan_.by_hand = std::move(partitions);
    std::erase_if(places_, [&](const auto& entry) { return !now.contains(entry.first); });
    for (const TopicPartition& where : now) places_.try_emplace(where);
  }
  for (const TopicPartition& where : now) {
    auto first = co_await first_position(where);
    // With no position and no rule for one, reading tells; a seek may come first.
    if (first) place(where, *first);
  }
  changed_.notify_all();
  co_return Status{};
}

std::vector<TopicPartition> Consumer::assignment() const {
  std::lock_guard lock(mutex_);
  std::vector<TopicPartition> partitions;
  for (const auto& [where, place] : places_) partitions.push_back(where);
  return partitions;
}

// Sets a position that was not known; one that is known stays.
void Consumer::place(const TopicPartition& where, Offset next) {
  std::lock_guard lock(mutex_);
  auto found = places_.find(where);
  if (found == places_.end() || found->second.next >= 0) return;
  found->second.next = next;
  is_dirty_ = true;
  unsaved_->notify_all();
}

// The group's position, or this consumer's own if it is newer, or what the reset rule says.
io::Task<Result<Offset>> Consumer::first_position(const TopicPartition& where) {
  std::vector<TopicPartition> which{where};
  auto committed = co_await topics_->committed(spec_.group, std::move(which));
  if (!committed) co_return committed.error();
  std::optional<SavedPosition> saved;
  {
    std::lock_guard lock(mutex_);
    auto found = places_.find(where);
    if (found != places_.end() && found->second.next >= 0) co_return found->second.next;
    if (auto at = saved_.find(where); at != saved_.end()) {
      saved = at->second;
      saved_.erase(at);
    }
  }
  auto at = committed->find(where);
  bool is_newer = saved && (at == committed->end() || at->second.committed_ms < saved->saved_ms);
  if (is_newer) co_return saved->offset;
  if (at != committed->end()) co_return at->second.offset;
  co_return co_await reset_position(where);
}

io::Task<Result<Offset>> Consumer::reset_position(const TopicPartition& where) {
  if (spec_.reset == OffsetReset::none) {
    co_return Error(Code::invalid, "Undefined offset with no reset policy for partitions: [" +
                                       text_of(where) + "]");
  }
  auto range = co_await topics_->range(where.topic, where.partition);
  if (!range) co_return range.error();
  co_return spec_.reset == OffsetReset::earliest ? range->start : range->high_watermark;
}

bool Consumer::is_known_by_all(const std::set<TopicPartition>& which) const {
  std::lock_guard lock(mutex_);
  return std::ranges::all_of(which, [&](const auto& where) { return places_.contains(where); });
}

// Right after a subscription the group is still being formed: a seek waits for that, for a moment.
io::Task<Status> Consumer::wait_for_assignment(std::set<TopicPartition> which) {
  const io::Instant deadline = io::after(join_wait);
  while (wants_membership()) {
    uint64_t version = changed_.version();
    if (is_known_by_all(which)) break;
    {
      std::lock_guard lock(mutex_);
      if (membership_.generation >= 0) break;
    }
    if (!co_await changed_.wait_beyond(version, deadline)) break;
  }
  std::lock_guard lock(mutex_);
  for (const TopicPartition& where : which) {
    if (!places_.contains(where)) co_return not_assigned(where);
  }
  co_return Status{};
}

io::Task<Status> Consumer::seek(std::map<TopicPartition, Offset> to) {
  touch();
  std::set<TopicPartition> which;
  for (const auto& [where, offset] : to) {
    if (offset < 0) co_return Error(Code::invalid, "seek offset must not be a negative number");
    which.insert(where);
  }
  Status assigned = co_await wait_for_assignment(std::move(which));
  if (!assigned) co_return assigned;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [where, offset] : to) {
      auto found = places_.find(where);
      if (found == places_.end()) co_return not_assigned(where);
      found->second.next = offset;
      ++found->second.moves;
    }
    is_dirty_ = true;
  }
  unsaved_->notify_all();
  changed_.notify_all();
  co_return Status{};
}

io::Task<Status> Consumer::seek_to(End end, std::vector<TopicPartition> which) {
  std::set<TopicPartition> wanted(which.begin(), which.end());
  Status assigned = co_await wait_for_assignment(std::move(wanted));
  if (!assigned) co_return assigned;
  std::map<TopicPartition, Offset> to;
  for (const TopicPartition& where : which) {
    auto range = co_await topics_->range(where.topic, where.partition);
    if (!range) co_return range.error();
    to[where] = end == End::beginning ? range->start : range->high_watermark;
  }
  co_return co_await seek(std::move(to));
}

io::Task<Result<std::optional<Offset>>> Consumer::offset_at(TopicPartition where,
                                                            int64_t timestamp_ms) {
  co_return co_await topics_->offset_at(where.topic, where.partition, timestamp_ms);
}

io::Task<Status> Consumer::commit() {
  std::map<TopicPartition, Position> positions;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [where, place] : places_) {
      if (place.next >= 0) positions[where].offset = place.next;
    }
  }
  co_return co_await commit(std::move(positions));
}

io::Task<Status> Consumer::commit(std::map<TopicPartition, Position> positions) {
  touch();
  Membership membership;
  bool subscribes;
  {
    std::lock_guard lock(mutex_);
    membership = membership_;
    subscribes = plan_.subscribes();
    committed_ms_ = clock_.steady_ms();
  }
  if (positions.empty()) co_return Status{};
  if (!subscribes) co_return co_await topics_->commit(spec_.group, std::move(positions));
  for (const auto& [where, position] : positions) {
    auto log = cluster_->partition(where.topic, where.partition, auth::Action::read);
    if (!log) co_return log.error();
  }
  auto groups = cluster_->groups(spec_.group, auth::Action::read);
  if (!groups) co_return groups.error();
  GroupFault fault = (*groups)->check_commit({.group = spec_.group,
                                              .member_id = membership.member_id,
                                              .instance_id = {},
                                              .generation = membership.generation});
  if (fault != GroupFault::none) {
    co_return Error(Code::conflict,
                    "the group is giving its partitions out anew; what was not committed is read "
                    "again by whoever gets them");
  }
  co_return co_await cluster_->commit(spec_.group, std::move(positions));
}

io::Task<Result<std::map<TopicPartition, Position>>> Consumer::committed(
    std::vector<TopicPartition> which) {
  touch();
  for (const TopicPartition& where : which) {
    auto log = cluster_->partition(where.topic, where.partition, auth::Action::read);
    if (!log) co_return log.error();
  }
  co_return co_await topics_->committed(spec_.group, std::move(which));
}

io::Task<Status> Consumer::close() {
  Status committed;
  if (spec_.auto_commit) committed = co_await commit();
  Membership membership;
  {
    std::lock_guard lock(mutex_);
    is_closed_ = true;
    membership = std::exchange(membership_, {});
  }
  if (!membership.member_id.empty()) {
    if (auto groups = cluster_->groups(spec_.group, auth::Action::read))
      (void)(*groups)->leave(spec_.group, membership.member_id, std::nullopt);
  }
  changed_.notify_all();
  co_return committed;
}

}  // namespace pinpipe::broker
