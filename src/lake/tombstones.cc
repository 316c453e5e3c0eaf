#include "lake/tombstones.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "codec/json_scan.h"

namespace pinpipe::lake {

struct Tombstones::Head {
  int64_t deleted_ms = 0;
  uint64_t bytes = 0;  // of the line behind it
};

Tombstones::Line Tombstones::line_at(uint64_t place) const {
  const char* at = blocks_[place >> 32]->data() + (place & UINT32_MAX);
  Head head;
  std::memcpy(&head, at, sizeof head);
  return {.text = {at + sizeof head, head.bytes}, .deleted_ms = head.deleted_ms};
}

// Equal hashes are nearly always the same file, so this is asked for what is found, not on the way.
bool Tombstones::is_of(uint64_t place, const FileKey& key) const {
  codec::JsonScanner scanner;
  Actions actions;
  Status decoded = decode_line(scanner, line_at(place).text, actions);
  CHECK(decoded && actions.removes.size() == 1, "our own line is a remove");
  const RemoveFile& remove = actions.removes[0];
  return key == FileKey{remove.path, remove.deletion_vector_id};
}

size_t Tombstones::find(const FileKey& key) const {
  if (count_ == 0) return none;
  const uint64_t hash = FileKeyHash()(key);
  for (size_t at = home_of(hash); slots_[at].place != empty; at = after(at)) {
    if (slots_[at].hash == hash && is_of(slots_[at].place, key)) return at;
  }
  return none;
}

// A block that a copy has too stays as it is.
uint64_t Tombstones::append(const Line& line) {
  const Head head{.deleted_ms = line.deleted_ms, .bytes = line.text.size()};
  const size_t more = sizeof head + line.text.size();
  if (blocks_.empty() || blocks_.back()->size() + more > block_bytes)
    blocks_.push_back(std::make_shared<std::string>());
  std::shared_ptr<std::string>& block = blocks_.back();
  if (block.use_count() > 1) block = std::make_shared<std::string>(*block);
  const uint64_t place = (uint64_t{blocks_.size() - 1} << 32) | block->size();
  block->append(reinterpret_cast<const char*>(&head), sizeof head);
  block->append(line.text);
  ++lines_;
  return place;
}

void Tombstones::insert(uint64_t hash, uint64_t place) {
  if (4 * (count_ + 1) > 3 * slots_.size()) resize(std::max(slots_min, 2 * slots_.size()));
  size_t at = home_of(hash);
  while (slots_[at].place != empty) at = after(at);
  slots_[at] = {.hash = hash, .place = place};
  ++count_;
}

void Tombstones::resize(size_t slots) {
  std::vector<Slot> former(slots);
  slots_.swap(former);
  count_ = 0;
  for (const Slot& slot : former) {
    if (slot.place != empty) insert(slot.hash, slot.place);
  }
}

void Tombstones::put(const RemoveFile& remove) {
  erase({remove.path, remove.deletion_vector_id});
  if (lines_ > 2 * count_ + garbage_lines_min) forget(INT64_MIN);
  std::string text;
  encode(remove, text);
  const uint64_t place = append({.text = text, .deleted_ms = remove.deleted_ms.value_or(0)});
  insert(FileKeyHash()({remove.path, remove.deletion_vector_id}), place);
}

void Tombstones::erase(const FileKey& key) {
  if (size_t at = find(key); at != none) erase_slot(at);
}

// What was pushed on by this slot's line moves up, so that it is found without it.
void Tombstones::erase_slot(size_t at) {
  slots_[at].place = empty;
  --count_;
  for (size_t next = after(at); slots_[next].place != empty; next = after(next)) {
    const size_t home = home_of(slots_[next].hash);
    const bool passes_the_gap = at <= next ? home <= at || home > next : home <= at && home > next;
    if (!passes_the_gap) continue;
    slots_[at] = std::exchange(slots_[next], {});
    at = next;
  }
}

bool Tombstones::has_any_until(int64_t ms) const {
  bool found = false;
  each([&](const Line& line) { found |= line.deleted_ms <= ms; });
  return found;
}

void Tombstones::forget(int64_t until_ms) {
  Tombstones kept;
  for (const Slot& slot : slots_) {
    if (slot.place == empty) continue;
    const Line line = line_at(slot.place);
    if (line.deleted_ms > until_ms) kept.insert(slot.hash, kept.append(line));
  }
  *this = std::move(kept);
}

}  // namespace pinpipe::lake
