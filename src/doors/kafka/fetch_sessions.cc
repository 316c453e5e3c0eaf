#include "doors/kafka/fetch_sessions.h"

#include <algorithm>
#include <limits>

#include "base/bytes.h"

namespace pinpipe::kafka {
namespace {

int32_t random_id() {
  std::string bytes = random_bytes(sizeof(int32_t));
  return std::max(load_be<int32_t>(bytes.data()) & std::numeric_limits<int32_t>::max(), 1);
}

// 2^31 − 1 is followed by 1: 0 begins a session.
int32_t epoch_after(int32_t epoch) {
  return epoch == std::numeric_limits<int32_t>::max() ? 1 : epoch + 1;
}

}  // namespace

FollowedKey key_of(const FollowedPartition& followed) {
  return {followed.topic, followed.topic_id, followed.partition};
}

void FetchSession::follow(FollowedPartition changed) {
  FollowedKey key = key_of(changed);
  if (auto there = places_.find(key); there != places_.end()) {
    FollowedPartition& followed = *there->second;
    changed.told_start = followed.told_start;
    changed.told_high_watermark = followed.told_high_watermark;
    followed = std::move(changed);
    return;
  }
  partitions_.push_back(std::move(changed));
  places_.emplace(std::move(key), std::prev(partitions_.end()));
}

void FetchSession::forget(const FollowedKey& key) {
  auto there = places_.find(key);
  if (there == places_.end()) return;
  partitions_.erase(there->second);
  places_.erase(there);
}

void FetchSession::move_back(const FollowedPartition& served) {
  auto there = places_.find(key_of(served));
  if (there != places_.end()) partitions_.splice(partitions_.end(), partitions_, there->second);
}

FetchSessions::~FetchSessions() {
  while (!sessions_.empty()) close(sessions_.begin());
}

std::list<FetchSession>::iterator FetchSessions::find(int32_t id) {
  return std::ranges::find(sessions_, id, &FetchSession::id);
}

void FetchSessions::close(int32_t id) {
  if (auto session = find(id); session != sessions_.end()) close(session);
}

void FetchSessions::close(std::list<FetchSession>::iterator session) {
  total_.give_back(session->size());
  sessions_.erase(session);
}

FetchSession* FetchSessions::open(const Request& request) {
  FetchSession session(random_id(), request.by_id);
  for (const FollowedPartition& followed : request.partitions) session.follow(followed);
  bool fits = session.size() > 0 && session.size() <= partitions_max;
  if (!fits || find(session.id()) != sessions_.end()) return nullptr;
  if (sessions_.size() == sessions_max) close(sessions_.begin());
  if (!total_.take(session.size())) return nullptr;
  // Element by element, because the places are iterators into the session's own list.
  sessions_.emplace_back(session.id(), request.by_id);
  sessions_.back().partitions_.swap(session.partitions_);
  sessions_.back().places_.swap(session.places_);
  return &sessions_.back();
}

std::expected<FetchSession*, ErrorCode> FetchSessions::go_on(const Request& request) {
  auto session = find(request.id);
  if (session == sessions_.end()) return std::unexpected(ErrorCode::fetch_session_id_not_found);
  if (session->next_epoch_ != request.epoch)
    return std::unexpected(ErrorCode::invalid_fetch_session_epoch);
  if (session->by_id_ != request.by_id)
    return std::unexpected(ErrorCode::fetch_session_topic_id_error);
  size_t before = session->size();
  for (const FollowedPartition& followed : request.partitions) session->follow(followed);
  for (const FollowedKey& key : request.forgotten) session->forget(key);
  size_t after = session->size();
  total_.give_back(before);
  bool fits = after <= partitions_max && total_.take(after);
  if (!fits) {
    sessions_.erase(session);
    return std::unexpected(ErrorCode::fetch_session_id_not_found);
  }
  session->next_epoch_ = epoch_after(session->next_epoch_);
  sessions_.splice(sessions_.end(), sessions_, session);
  return &sessions_.back();
}

}  // namespace pinpipe::kafka
