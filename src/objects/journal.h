// The bucket store's journal: what was promised to callers and may not be on the disk as files yet.
//   segment  = "PPOJ" u32 version=2 · record*
//   record   = u32 size · u32 crc32c(payload) · payload
//   payload  = u8 kind · string bucket · string key · string attributes (as text)
//              · string temporary · string bytes      (string = unsigned varint length · bytes)
// A segment ends in zeros, which no record begins with.
// Promise: append() returns ok when all its records survive a power cut. Reading stops at the first
// record that is not whole: it was never promised.
// Bounds: segment_bytes_max + one group + zeroed_bytes per segment. One writer at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/files.h"

namespace pinpipe::objects {

struct JournalRecord {
  // adopt_checked: the file was synced together with the record. Where its MD5 is not the ETag, the
  // power went before both were, and nothing was promised.
  enum class Kind : uint8_t { put = 1, adopt = 2, remove = 3, adopt_checked = 4 };
  Kind kind = Kind::put;
  std::string_view bucket;
  std::string_view key;
  std::string_view attributes;
  std::string_view temporary;  // adopt: a name of the file in the store's directory of temporaries
  std::string_view bytes;      // put
};

void append_record(std::string& to, const JournalRecord& record);

class Journal {
 public:
  static constexpr uint64_t segment_bytes_max = 32ULL << 20;
  // Written behind small records, for those to come: a sync of bytes that a file has already does
  // not wait for the file system's own journal (2.2 ms against 0.05 ms where this was measured).
  static constexpr size_t zeroed_bytes = 1 << 20;
  // Larger records would be written twice for little.
  static constexpr size_t small_bytes_max = 64 * 1024;

  Journal(io::Files& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  // Must exist, durably, before the first replay.
  const std::string& directory() const { return directory_; }
  // Gives every whole record of every segment to `take`, oldest first; then the segments' paths.
  // `invalid` for a segment of another version.
  Result<std::vector<std::string>> replay(const std::function<Status(const JournalRecord&)>& take);
  // Encoded records, durable when ok. After an error the journal must not be used any more.
  Status append(std::string_view records);
  bool is_full() const { return end_ >= segment_bytes_max; }
  // Closes the present segment: the next append begins another. Gives the closed one's path.
  std::vector<std::string> close_segment();
  // Durably: what they named may be removed afterwards.
  Status remove_segments(const std::vector<std::string>& paths);

 private:
  Result<std::vector<std::string>> segments();
  Status begin_segment();

  io::Files& files_;
  std::string directory_;
  std::string path_;
  std::unique_ptr<io::File> file_;
  uint64_t end_ = 0;
  uint64_t zeroed_end_ = 0;
  uint64_t next_number_ = 1;
};

}  // namespace pinpipe::objects
