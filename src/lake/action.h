// The lines of a Delta log: one JSON object each, whose only member names the action.
// Promise: unknown actions and unknown members are ignored, as the protocol asks; anything
// malformed is `corrupt` with the line's number, never a guess. What encode() writes decodes to an
// equal value. Bounds: a commit is at most commit_bytes_max.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/json_scan.h"

namespace pinpipe::lake {

using Version = int64_t;

inline constexpr size_t commit_bytes_max = size_t{256} << 20;

struct Protocol {
  int min_reader_version = 1;
  int min_writer_version = 2;
  // Present exactly with reader version 3 and writer version 7.
  std::optional<std::vector<std::string>> reader_features = {};
  std::optional<std::vector<std::string>> writer_features = {};
  bool operator==(const Protocol&) const = default;
};

struct Metadata {
  std::string id = {};
  std::optional<std::string> name = {};
  std::optional<std::string> description = {};
  std::string schema_string = {};
  std::vector<std::string> partition_columns = {};
  std::map<std::string, std::string> configuration = {};
  std::optional<int64_t> created_ms = {};
  bool operator==(const Metadata&) const = default;
};

using PartitionValues = std::vector<std::pair<std::string, std::optional<std::string>>>;

// Text that nearly never is there: a pointer in each of a million files instead of a string.
class RareText {
 public:
  RareText() = default;
  RareText(std::string text)  // NOLINT(google-explicit-constructor): it is a text
      : text_(text.empty() ? nullptr : std::make_shared<const std::string>(std::move(text))) {}
  RareText(const char* text) : RareText(std::string(text)) {}  // NOLINT: likewise
  operator std::string_view() const {                          // NOLINT: likewise
    return text_ ? std::string_view(*text_) : std::string_view();
  }
  bool empty() const { return text_ == nullptr; }
  bool operator==(const RareText& other) const {
    return std::string_view(*this) == std::string_view(other);
  }

 private:
  std::shared_ptr<const std::string> text_;
};

struct AddFile {
  std::string path = {};  // percent-encoded once, as in the log
  PartitionValues partition_values = {};
  int64_t size = 0;
  int64_t modified_ms = 0;
  bool data_change = true;
  std::string stats = {};         // JSON text, or empty
  RareText tags = {};             // a JSON object, or empty
  RareText deletion_vector = {};  // a JSON object, or empty
  RareText deletion_vector_id = {};

  bool operator==(const AddFile&) const = default;
};

struct RemoveFile {
  std::string path = {};
  std::optional<int64_t> deleted_ms = {};
  bool data_change = true;
  std::optional<int64_t> size = {};
  PartitionValues partition_values = {};
  RareText deletion_vector = {};
  RareText deletion_vector_id = {};

  bool operator==(const RemoveFile&) const = default;
};

// A file's identity: two references with equal keys are to the same rows.
template <class File>
std::string key_of(const File& file) {
  if (file.deletion_vector_id.empty()) return file.path;
  return file.path + '\n' + std::string(file.deletion_vector_id);
}

struct Txn {
  std::string app_id = {};
  int64_t version = 0;
  std::optional<int64_t> updated_ms = {};
  bool operator==(const Txn&) const = default;
};

// How far a source has been read by a commit: for people, the truth is in `txn`.
struct SourcePosition {
  std::string source = {};  // "topic/incarnation/partition", or a key prefix
  std::string from = {};
  std::string to = {};
  bool operator==(const SourcePosition&) const = default;
};

// Free-form in the protocol; these are the members that we write and show.
struct CommitInfo {
  int64_t timestamp_ms = 0;
  std::optional<int64_t> in_commit_ms = {};
  std::string operation = {};
  std::map<std::string, std::string> parameters = {};  // other values than text as JSON
  std::optional<Version> read_version = {};
  std::string isolation_level = {};
  std::optional<bool> is_blind_append = {};
  std::map<std::string, std::string> metrics = {};
  std::string user_metadata = {};
  std::string engine = {};
  std::string txn_id = {};
  std::vector<SourcePosition> positions = {};
  std::string project_sql_sha256 = {};
  bool operator==(const CommitInfo&) const = default;
};

// The actions of one commit, or of a run of checkpoint rows.
struct Actions {
  std::optional<Protocol> protocol;
  std::optional<Metadata> metadata;
  std::vector<AddFile> adds;
  std::vector<RemoveFile> removes;
  std::vector<Txn> txns;
  std::vector<std::string> sidecars;  // of a V2 checkpoint: names below _delta_log/_sidecars
  std::string commit_info;            // JSON text of the commitInfo, or empty
};

void encode(const Protocol& protocol, std::string& out);
void encode(const Metadata& metadata, std::string& out);
void encode(const AddFile& add, std::string& out);
void encode(const RemoveFile& remove, std::string& out);
void encode(const Txn& txn, std::string& out);
void encode(const CommitInfo& info, std::string& out);

// Adds the action of one line to `into`. The scanner only lends its buffers.
Status decode_line(codec::JsonScanner& scanner, std::string_view line, Actions& into);
// All lines of a commit. A commit without any action, or one that does not end in a whole line's
// JSON, was torn by its writer: `corrupt`.
Result<Actions> decode_commit(codec::JsonScanner& scanner, std::string_view bytes);
Result<CommitInfo> decode_commit_info(std::string_view json);

// "a%20b" → "a b"; refuses what would lead outside the table: absolute paths, URIs and "..".
Result<std::string> decode_path(std::string_view path);
// Percent-encodes what a URI may not hold; "/" stays.
std::string encode_path(std::string_view path);

}  // namespace pinpipe::lake
