// The bucket store's journal: what was promised to callers and may not be on the disk as files yet.
//   segment  = "PPOJ" u32 version=1 · record*
//   record   = u32 size · u32 crc32c(payload) · payload
//   payload  = u8 kind · string bucket · string key · string attributes (as text) · string
//   temporary
//              · string bytes                         (string = unsigned varint length · bytes)
// Promise: append() returns ok when all its records survive a power cut. Reading stops at the first
// record that is not whole: it was never promised.
// Bounds: segment_bytes_max + one group per segment. One writer at a time.
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
  enum class Kind : uint8_t { put = 1, adopt = 2, remove = 3 };
  Kind kind = Kind::put;
  std::string_view bucket;
  std::string_view key;
  std::string_view attributes;
  std::string_view temporary;  // adopt: the file's name in the store's directory of temporaries
  std::string_view bytes;      // put
};

void append_record(std::string& to, const JournalRecord& record);

class Journal {
 public:
  static constexpr uint64_t segment_bytes_max = 32ULL << 20;

  Journal(io::Files& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  // Must exist, durably, before the first replay.
  const std::string& directory() const { return directory_; }
  // Gives every whole record of every segment to `take`, oldest first; then the segments' paths.
  Result<std::vector<std::string>> replay(const std::function<Status(const JournalRecord&)>& take);
  // Encoded records, durable when ok. After an error the journal must not be used any more.
  Status append(std::string_view records);
  bool is_full() const { return end_ >= segment_bytes_max; }
  // Closes the present segment: the next append begins another. Gives the closed one's path.
  std::vector<std::string> close_segment();
  Status remove_segments(const std::vector<std::string>& paths);

 private:
  Result<std::vector<std::string>> segments();
  Status begin_segment();

  io::Files& files_;
  std::string directory_;
  std::string path_;
  std::unique_ptr<io::File> file_;
  uint64_t end_ = 0;
  uint64_t next_number_ = 1;
};

}  // namespace pinpipe::objects
