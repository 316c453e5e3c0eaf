#include "lake/checkpoint.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <map>
#include <utility>
#include <vector>

#include "codec/json.h"
#include "io/files.h"
#include "lake/checksum.h"

namespace pinpipe::lake {
namespace {

constexpr size_t json_write_bytes = size_t{1} << 20;
constexpr int64_t day_ms = 86'400'000;

// The columns as the protocol names them, with the DuckDB types that yield its Parquet types.
constexpr std::string_view checkpoint_columns =
    "{'txn': 'STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)', "
    "'add': 'STRUCT(path VARCHAR, partitionValues MAP(VARCHAR, VARCHAR), size BIGINT, "
    "modificationTime BIGINT, dataChange BOOLEAN, tags MAP(VARCHAR, VARCHAR), stats VARCHAR)', "
    "'remove': 'STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, "
    "extendedFileMetadata BOOLEAN, partitionValues MAP(VARCHAR, VARCHAR), size BIGINT)', "
    "'metaData': 'STRUCT(id VARCHAR, name VARCHAR, description VARCHAR, format STRUCT(provider "
    "VARCHAR, options MAP(VARCHAR, VARCHAR)), schemaString VARCHAR, partitionColumns VARCHAR[], "
    "configuration MAP(VARCHAR, VARCHAR), createdTime BIGINT)', "
    "'protocol': 'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER, readerFeatures "
    "VARCHAR[], writerFeatures VARCHAR[])'}";

// Lines of JSON into a file, a megabyte at a time: a checkpoint of a million files is not held
// twice.
class LineFile {
 public:
  static Result<LineFile> create(const std::string& path) {
    auto file = io::posix_files().open(path, io::OpenMode::create_new);
    if (!file) return file.error();
    return LineFile(std::move(*file));
  }
  template <class Action>
  Status write(const Action& action) {
    size_t before = buffer_.size();
    encode(action, buffer_);
    return count_line(before);
  }
  Status write_line(std::string_view line) {
    size_t before = buffer_.size();
    buffer_ += line;
    return count_line(before);
  }
  Status flush() {
    auto written = file_->write_at(std::string_view(buffer_), offset_);
    offset_ += buffer_.size();
    buffer_.clear();
    return written;
  }
  int64_t lines() const { return lines_; }
  size_t longest() const { return longest_; }

 private:
  explicit LineFile(std::unique_ptr<io::File> file) : file_(std::move(file)) {}

  Status count_line(size_t begin) {
    longest_ = std::max(longest_, buffer_.size() - begin);
    ++lines_;
    return buffer_.size() < json_write_bytes ? Status{} : flush();
  }

  std::unique_ptr<io::File> file_;
  std::string buffer_;
  uint64_t offset_ = 0;
  int64_t lines_ = 0;
  size_t longest_ = 0;
};

struct WrittenLines {
  int64_t count = 0;
  size_t longest = 0;
};

Result<WrittenLines> write_lines(const Snapshot& snapshot, int64_t now_ms,
                                 const std::string& path) {
  auto lines = LineFile::create(path);
  if (!lines) return lines.error();
  Status written = lines->write(snapshot.protocol());
  if (written) written = lines->write(snapshot.metadata());
  for (const auto& [app_id, txn] : snapshot.txns()) {
    if (written) written = lines->write(txn);
  }
  int64_t oldest_ms = oldest_tombstone_ms(snapshot, now_ms);
  snapshot.tombstones().each([&](const Tombstones::Line& remove) {
    if (written && remove.deleted_ms > oldest_ms) written = lines->write_line(remove.text);
  });
  for (const FilePtr& file : snapshot.files()) {
    if (written) written = lines->write(*file);
  }
  if (written) written = lines->flush();
  if (!written) return written.error();
  return WrittenLines{.count = lines->lines(), .longest = lines->longest()};
}

}  // namespace

int64_t oldest_tombstone_ms(const Snapshot& snapshot, int64_t now_ms) {
  auto retention =
      parse_interval_ms(snapshot.property("delta.deletedFileRetentionDuration", "interval 7 days"));
  return now_ms - retention.value_or(7 * day_ms);
}

std::string to_json(const LastCheckpoint& last) {
  std::string json;
  codec::JsonWriter out(json);
  out.begin_object().field("version", last.version).field("size", last.actions);
  out.field("sizeInBytes", last.bytes).field("numOfAddFiles", last.files).end_object();
  return json;
}

std::optional<LastCheckpoint> parse_last_checkpoint(std::string_view json) {
  auto root = codec::parse_json(json);
  if (!root) return std::nullopt;
  auto version = (*root)["version"].as_int();
  if (!version || *version < 0) return std::nullopt;
  return LastCheckpoint{.version = *version,
                        .actions = (*root)["size"].as_int().value_or(0),
                        .bytes = (*root)["sizeInBytes"].as_int().value_or(0),
                        .files = (*root)["numOfAddFiles"].as_int().value_or(0)};
}

Result<WrittenCheckpoint> write_checkpoint(sql::Connection& connection, const Snapshot& snapshot,
                                           int64_t now_ms, const std::string& temporary) {
  std::string json_path = temporary + ".json";
  auto lines = write_lines(snapshot, now_ms, json_path);
  Result<sql::ParquetFile> file = Error(Code::internal, "nothing written");
  if (lines) {
    // The engine allocates a multiple of the longest line it is told to expect.
    size_t line_bytes_max = std::max(lines->longest + 1, size_t{64} << 10);
    file = connection.copy_to_parquet(
        fmt::format("SELECT * FROM read_json({}, format = 'newline_delimited', "
                    "maximum_object_size = {}, columns = {})",
                    sql::quoted_text(json_path), line_bytes_max, checkpoint_columns),
        temporary);
  }
  Status removed = io::posix_files().remove(json_path);
  if (!lines) return lines.error();
  if (!file) return file.error();
  if (!removed) return removed.error();
  if (file->rows != lines->count) return Error(Code::internal, "the checkpoint lost rows");
  return WrittenCheckpoint{.path = temporary,
                           .facts = {.version = snapshot.version(),
                                     .actions = lines->count,
                                     .bytes = file->bytes,
                                     .files = static_cast<int64_t>(snapshot.files().size())}};
}

io::Task<Result<LastCheckpoint>> publish_checkpoint(const Services& services, Location location,
                                                    std::shared_ptr<const Snapshot> snapshot) {
  std::string temporary = services.store.new_temporary();
  auto work = [&]() -> Result<WrittenCheckpoint> {
    auto connection = services.connect();
    if (!connection) return connection.error();
    auto done = write_checkpoint(**connection, *snapshot, services.clock.wall_ms(), temporary);
    if (!done) (void)io::posix_files().remove(temporary);
    return done;
  };
  auto written = co_await services.work.run(work);
  if (!written) co_return written.error();
  // Racing checkpoints of one version hold the same actions: the last one wins, harmlessly.
  auto adopted = co_await services.store.adopt(
      location.bucket, temporary, location.checkpoint_key(snapshot->version()), {}, {});
  if (!adopted) co_return adopted.error();
  objects::Condition if_absent;
  if_absent.if_absent = true;
  auto counted =
      co_await services.store.put(location.bucket, location.checksum_key(snapshot->version()),
                                  to_checksum(*snapshot), {}, if_absent);
  if (!counted && counted.error().code() != Code::conflict) co_return counted.error();
  auto hinted = co_await services.store.put(location.bucket, location.last_checkpoint_key(),
                                            to_json(written->facts), {}, {});
  if (!hinted) co_return hinted.error();
  co_return written->facts;
}

std::optional<int64_t> parse_interval_ms(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, int64_t>, 7> units = {{{"week", 7 * day_ms},
                                                                          {"day", day_ms},
                                                                          {"hour", 3'600'000},
                                                                          {"minute", 60'000},
                                                                          {"second", 1'000},
                                                                          {"millisecond", 1},
                                                                          {"microsecond", 0}}};
  auto next_word = [&text] {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    return word;
  };
  std::string_view word = next_word();
  if (word == "interval" || word == "INTERVAL") word = next_word();
  if (word.empty()) return std::nullopt;
  int64_t sum_ms = 0;
  for (; !word.empty(); word = next_word()) {
    int64_t count = 0;
    auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), count);
    if (error != std::errc{} || end != word.data() + word.size() || count < 0) return std::nullopt;
    std::string unit(next_word());
    for (char& c : unit) c = static_cast<char>(c | 0x20);
    if (unit.ends_with('s')) unit.pop_back();
    auto at = std::ranges::find(units, unit, &std::pair<std::string_view, int64_t>::first);
    if (at == units.end() || count > INT64_MAX / (7 * day_ms) / 2) return std::nullopt;
    sum_ms += count * at->second;
  }
  return sum_ms;
}

}  // namespace pinpipe::lake
