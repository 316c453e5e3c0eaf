#include "objects/journal.h"

#include <array>
#include <charconv>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/hash.h"

namespace pinpipe::objects {
namespace {

constexpr std::string_view magic("PPOJ\0\0\0\2", 8);
constexpr std::string_view ending = ".journal";
constexpr size_t record_head_bytes = 8;

void append_string(std::string& to, std::string_view text) {
  append_uvarint(to, text.size());
  to += text;
}

std::string_view take_string(Reader& reader) {
  uint64_t size = reader.uvarint();
  if (size > reader.remaining()) reader.mark_failed();
  return reader.take(static_cast<int64_t>(size));
}

// The next whole record, or false at the end of what can be trusted.
bool take_record(std::string_view& rest, JournalRecord& record) {
  Reader head(rest);
  auto size = head.be<uint32_t>();
  auto crc = head.be<uint32_t>();
  std::string_view payload = head.take(size);
  if (head.failed() || size == 0 || crc32c(payload) != crc) return false;
  rest.remove_prefix(record_head_bytes + size);
  Reader reader(payload);
  record.kind = static_cast<JournalRecord::Kind>(reader.be<uint8_t>());
  record.bucket = take_string(reader);
  record.key = take_string(reader);
  record.attributes = take_string(reader);
  record.temporary = take_string(reader);
  record.bytes = take_string(reader);
  return !reader.failed();
}

uint64_t number_of(std::string_view name) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  bool good = error == std::errc() && std::string_view(end, name.data() + name.size()) == ending;
  return good ? number : 0;
}

}  // namespace

void append_record(std::string& to, const JournalRecord& record) {
  size_t at = to.size();
  to.append(record_head_bytes, '\0');
  to += static_cast<char>(record.kind);
  append_string(to, record.bucket);
  append_string(to, record.key);
  append_string(to, record.attributes);
  append_string(to, record.temporary);
  append_string(to, record.bytes);
  std::string_view payload = std::string_view(to).substr(at + record_head_bytes);
  uint32_t crc = crc32c(payload);
  store_be(&to[at], static_cast<uint32_t>(payload.size()));
  store_be(&to[at + 4], crc);
}

Result<std::vector<std::string>> Journal::segments() {
  auto entries = files_.list(directory_);
  if (!entries) return entries.error();
  std::vector<std::string> paths;
  for (const io::DirEntry& entry : *entries) {  // fixed width: name order is number order
    uint64_t number = number_of(entry.name);
    if (number == 0) continue;
    next_number_ = std::max(next_number_, number + 1);
    paths.push_back(directory_ + "/" + entry.name);
  }
  return paths;
}

Result<std::vector<std::string>> Journal::replay(
    const std::function<Status(const JournalRecord&)>& take) {
  auto paths = segments();
  if (!paths) return paths.error();
  for (const std::string& path : *paths) {
    auto bytes = files_.read_all(path);
    if (!bytes) return bytes.error();
    std::string_view rest = *bytes;
    bool is_of_another = rest.size() >= magic.size() && rest.starts_with(magic.substr(0, 7)) &&
                         rest[7] != magic[7] && rest[7] != '\0';
    if (is_of_another)
      return Error(Code::invalid, path +
                                      " was written by another version of pinpipe: start that "
                                      "one and stop it, which empties its journal");
    if (!rest.starts_with(magic)) continue;  // its first append never completed
    rest.remove_prefix(magic.size());
    JournalRecord record;
    while (take_record(rest, record)) {
      if (Status done = take(record); !done) return done.error();
    }
  }
  return paths;
}

Status Journal::begin_segment() {
  path_ = fmt::format("{}/{:012}{}", directory_, next_number_++, ending);
  auto file = files_.open(path_, io::OpenMode::create_new);
  if (!file) return file.error();
  file_ = std::move(*file);
  if (Status written = file_->write_at(magic, 0); !written) return written;
  end_ = magic.size();
  return files_.sync_directory(directory_);
}

Status Journal::append(std::string_view records) {
  if (!file_) {
    if (Status begun = begin_segment(); !begun) return begun;
  }
  static const std::string zeros(zeroed_bytes, '\0');
  uint64_t end = end_ + records.size();
  std::array<std::string_view, 2> pieces = {records, {}};
  if (end > zeroed_end_ && records.size() <= small_bytes_max) {
    pieces[1] = zeros;
    zeroed_end_ = end + zeros.size();
  }
  if (Status written = file_->write_at(pieces, end_); !written) return written;
  if (Status synced = file_->sync(); !synced) return synced;
  end_ = end;
  return {};
}

std::vector<std::string> Journal::close_segment() {
  if (!file_) return {};
  file_.reset();
  end_ = zeroed_end_ = 0;
  return {std::move(path_)};
}

Status Journal::remove_segments(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    if (Status removed = files_.remove(path); !removed) return removed;
  }
  return files_.sync_directory(directory_);
}

}  // namespace pinpipe::objects
