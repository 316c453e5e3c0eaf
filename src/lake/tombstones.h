// The files that a table's former versions had, kept until their retention has passed: as lines of
// the log, side by side in blocks. A stream's table leaves thirty a second behind and keeps them
// for a week; a few hundred bytes here and there would each hold a page of the heap.
// Copies share their blocks. Bounds: some 250 bytes for a file; blocks are of block_bytes, unless a
// line alone is longer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lake/action.h"

namespace pinpipe::lake {

struct FileKey {
  std::string_view path;
  std::string_view deletion_vector_id;
  bool operator==(const FileKey&) const = default;
};

struct FileKeyHash {
  size_t operator()(const FileKey& key) const {
    std::hash<std::string_view> hash;
    return hash(key.path) ^ (hash(key.deletion_vector_id) << 1);
  }
};

class Tombstones {
 public:
  static constexpr size_t block_bytes = size_t{64} << 10;

  struct Line {
    std::string_view text;   // a `remove`, with its end of line
    int64_t deleted_ms = 0;  // 0: its writer did not say
  };

  size_t size() const { return count_; }
  bool contains(const FileKey& key) const { return find(key) != none; }
  void put(const RemoveFile& remove);  // in place of what is there of the same file
  void erase(const FileKey& key);
  bool has_any_until(int64_t ms) const;
  void forget(int64_t until_ms);  // files removed up to then

  // In no order.
  template <class Visit>
  void each(Visit visit) const {
    for (const Slot& slot : slots_) {
      if (slot.place != empty) visit(line_at(slot.place));
    }
  }

 private:
  struct Slot {
    uint64_t hash = 0;
    uint64_t place = empty;
  };
  struct Head;  // before each line
  static constexpr uint64_t empty = UINT64_MAX;
  static constexpr size_t none = SIZE_MAX;
  static constexpr size_t slots_min = 16;
  static constexpr size_t garbage_lines_min = 64;  // that are not worth writing the blocks anew

  size_t find(const FileKey& key) const;
  Line line_at(uint64_t place) const;
  bool is_of(uint64_t place, const FileKey& key) const;
  uint64_t append(const Line& line);
  void insert(uint64_t hash, uint64_t place);
  void erase_slot(size_t at);
  void resize(size_t slots);
  size_t home_of(uint64_t hash) const { return hash & (slots_.size() - 1); }
  size_t after(size_t at) const { return (at + 1) & (slots_.size() - 1); }

  // As many as a power of two, at most three quarters in use; a line is in the first free slot from
  // its hash on.
  std::vector<Slot> slots_;
  std::vector<std::shared_ptr<std::string>> blocks_;
  size_t count_ = 0;
  size_t lines_ = 0;  // in the blocks, also those that nobody finds any more
};

}  // namespace pinpipe::lake
