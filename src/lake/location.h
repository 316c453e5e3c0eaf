// Where a table lives in a store, and the names of its files.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lake/action.h"

namespace pinpipe::lake {

struct Location {
  std::string bucket;
  std::string prefix;  // "0e90e0175553_pin_table"; empty: the bucket itself

  std::string key(std::string_view path) const {
    return prefix.empty() ? std::string(path) : prefix + "/" + std::string(path);
  }
  std::string log_directory() const { return key("_delta_log/"); }
  std::string commit_key(Version version) const;
  std::string checkpoint_key(Version version) const;
  std::string checksum_key(Version version) const;
  std::string sidecar_key(std::string_view name) const {
    return key("_delta_log/_sidecars/") + std::string(name);
  }
  std::string last_checkpoint_key() const { return key("_delta_log/_last_checkpoint"); }
  // For messages.
  std::string text() const { return bucket + "/" + prefix; }

  bool operator==(const Location&) const = default;
};

// The name of a file in the log directory, understood.
struct LogName {
  enum class Kind { commit, checkpoint, checkpoint_part, checkpoint_v2, compacted, checksum };
  Kind kind = Kind::commit;
  Version version = 0;
  int part = 1;  // of a multi-part checkpoint, from 1
  int parts = 1;
  Version last = 0;      // of a compaction: versions version..last
  bool is_json = false;  // of a V2 checkpoint; otherwise it is Parquet
};

// Nothing for names that are not ours to read: temporary files and the like.
std::optional<LogName> parse_log_name(std::string_view name);

// "part-00000-<uuid>.c000.zstd.parquet"
std::string new_data_file_name(int number);

}  // namespace pinpipe::lake
