#include "objects/uploads.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/id.h"
#include "objects/attributes_text.h"
#include "objects/key_path.h"

namespace pinpipe::objects {
namespace {

constexpr size_t step_bytes = 1 << 20;
constexpr std::string_view upload_file = "upload";
constexpr std::string_view part_prefix = "part-";

bool is_id(std::string_view id) {
  return id.size() == 32 && std::ranges::all_of(id, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Error no_such(std::string_view id) {
  return {Code::not_found, "upload '" + std::string(id) + "' does not exist"};
}

}  // namespace

Uploads::Uploads(const LocalOptions& options, io::Pool& disk)
    : files_(*options.files),
      clock_(*options.clock),
      disk_(disk),
      root_(options.root + "/" + std::string(reserved_name) + "/uploads") {}

std::string Uploads::directory_of(std::string_view id) const {
  return root_ + "/" + std::string(id);
}

std::string Uploads::part_path(std::string_view id, int number) const {
  return fmt::format("{}/{}{:05}", directory_of(id), part_prefix, number);
}

io::Task<Result<std::string>> Uploads::create(std::string bucket, std::string key,
                                              Attributes attributes) {
  if (Status good = check_key(key); !good) co_return good.error();
  std::string id = to_hex(random_bytes(16));
  ObjectFacts facts;
  facts.modified_ms = clock_.wall_ms();
  facts.etag = "-";
  facts.attributes = std::move(attributes);
  facts.attributes.system[".bucket"] = std::move(bucket);
  facts.attributes.system[".key"] = std::move(key);
  std::string text = to_text(facts);
  Status made = co_await disk_.run([&]() -> Status {
    std::string directory = directory_of(id);
    if (Status there = files_.make_directories(directory); !there) return there;
    Status written = files_.replace(directory + "/" + std::string(upload_file), text);
    if (written) written = files_.sync_directory(root_);
    return written ? files_.sync_directory(io::parent_directory(root_)) : written;
  });
  if (!made) co_return made.error();
  co_return id;
}

Result<UploadFacts> Uploads::read_upload(const std::string& id) {
  if (!is_id(id)) return no_such(id);
  auto text = files_.read_all(directory_of(id) + "/" + std::string(upload_file));
  if (!text) return text.error().code() == Code::not_found ? no_such(id) : text.error();
  auto facts = facts_from_text(*text);
  if (!facts) return Error(Code::corrupt, "upload '" + id + "' cannot be read");
  UploadFacts upload{id, facts->attributes.system[".bucket"], facts->attributes.system[".key"],
                     facts->modified_ms, std::move(facts->attributes)};
  upload.attributes.system.erase(".bucket");
  upload.attributes.system.erase(".key");
  return upload;
}

io::Task<Result<UploadFacts>> Uploads::find(std::string bucket, std::string key, std::string id) {
  auto upload = co_await disk_.run([&] { return read_upload(id); });
  if (upload && (upload->bucket != bucket || upload->key != key)) co_return no_such(id);
  co_return upload;
}

io::Task<Result<std::vector<UploadFacts>>> Uploads::list(std::string bucket) {
  co_return co_await disk_.run([&]() -> Result<std::vector<UploadFacts>> {
    std::vector<UploadFacts> uploads;
    auto entries = files_.list(root_);
    if (!entries && entries.error().code() == Code::not_found) return uploads;
    if (!entries) return entries.error();
    for (const io::DirEntry& entry : *entries) {
      auto upload = read_upload(entry.name);
      if (upload && upload->bucket == bucket) uploads.push_back(std::move(*upload));
    }
    std::ranges::sort(uploads, [](const UploadFacts& a, const UploadFacts& b) {
      return std::tie(a.key, a.created_ms, a.id) < std::tie(b.key, b.created_ms, b.id);
    });
    return uploads;
  });
}

io::Task<Result<PartFacts>> Uploads::put_part(std::string id, PartFacts facts,
                                              std::string temporary_path, std::string bytes) {
  co_return co_await disk_.run([&]() -> Result<PartFacts> {
    auto part = put_part_now(id, facts, temporary_path, bytes);
    if (!part && !temporary_path.empty()) (void)files_.remove(temporary_path);
    return part;
  });
}

Result<PartFacts> Uploads::put_part_now(const std::string& id, PartFacts part,
                                        const std::string& temporary, const std::string& bytes) {
  if (part.number < 1 || part.number > parts_max)
    return Error(Code::invalid, "Part number must be an integer between 1 and 10000, inclusive");
  if (auto upload = read_upload(id); !upload) return upload.error();
  std::string path = part_path(id, part.number);
  // The old part's MD5 goes first: between the two renames the part must not look whole.
  (void)files_.remove(path + ".md5");
  if (temporary.empty()) {
    if (part.md5_hex.empty()) part.md5_hex = to_hex(md5(bytes));
    if (Status written = files_.replace(path, bytes); !written) return written.error();
  } else {
    auto file = files_.open(temporary, io::OpenMode::write);
    if (!file) return file.error();
    if (Status synced = (*file)->sync(); !synced) return synced.error();
    if (Status moved = files_.rename(temporary, path); !moved) return moved.error();
  }
  auto facts = files_.facts(path);
  if (!facts) return facts.error();
  part.size = facts->size;
  part.modified_ms = facts->modified_ms;
  ObjectFacts of_part;
  of_part.size = part.size;
  of_part.modified_ms = part.modified_ms;
  of_part.etag = part.md5_hex;
  of_part.attributes.system = part.checksums;
  if (Status written = files_.replace(path + ".md5", to_text(of_part)); !written)
    return written.error();
  return part;
}

Result<PartFacts> Uploads::read_part(const std::string& id, int number) {
  std::string path = part_path(id, number);
  auto text = files_.read_all(path + ".md5");
  if (!text) return text.error();
  auto facts = facts_from_text(*text);
  auto file = files_.facts(path);
  if (!file) return file.error();
  if (!facts || facts->size != file->size)
    return Error(Code::corrupt,
                 fmt::format("part {} of upload '{}' is not what was stored", number, id));
  return PartFacts{number, facts->size, facts->modified_ms, facts->etag,
                   std::move(facts->attributes.system)};
}

io::Task<Result<std::vector<PartFacts>>> Uploads::parts(std::string id) {
  co_return co_await disk_.run([&]() -> Result<std::vector<PartFacts>> {
    if (auto upload = read_upload(id); !upload) return upload.error();
    auto entries = files_.list(directory_of(id));
    if (!entries) return entries.error();
    std::vector<PartFacts> found;
    for (const io::DirEntry& entry : *entries) {  // in number order, which is name order
      if (!entry.name.starts_with(part_prefix) || entry.name.ends_with(".md5")) continue;
      int number = 0;
      std::string_view digits = std::string_view(entry.name).substr(part_prefix.size());
      auto end = std::from_chars(digits.data(), digits.data() + digits.size(), number).ptr;
      if (end != digits.data() + digits.size()) continue;
      if (auto part = read_part(id, number)) found.push_back(std::move(*part));
    }
    return found;
  });
}

io::Task<Result<std::string>> Uploads::join(std::string id, std::vector<int> numbers,
                                            std::string temporary_path) {
  Status joined = co_await disk_.run([&] { return join_now(id, numbers, temporary_path); });
  if (!joined) co_return joined.error();
  co_return temporary_path;
}

Status Uploads::join_now(const std::string& id, const std::vector<int>& numbers,
                         const std::string& path) {
  auto to = files_.open(path, io::OpenMode::create_new);
  if (!to) return to.error();
  std::string step(step_bytes, '\0');
  uint64_t end = 0;
  Status done;
  for (int number : numbers) {
    auto from = files_.open(part_path(id, number), io::OpenMode::read);
    if (!from) done = from.error();
    for (uint64_t offset = 0; done; offset += step.size()) {
      auto got = (*from)->read_at(step, offset);
      done = got ? (*to)->write_at(std::string_view(step.data(), *got), end) : Status(got.error());
      if (done) end += *got;
      if (done && *got < step.size()) break;
    }
    if (!done) break;
  }
  if (!done) (void)files_.remove(path);
  return done;
}

io::Task<Status> Uploads::remove(std::string id) {
  if (!is_id(id)) co_return no_such(id);
  co_return co_await disk_.run([&] { return remove_now(id); });
}

Status Uploads::remove_now(const std::string& id) {
  // Without its first file it is no upload any more, whatever is interrupted afterwards.
  Status removed = files_.remove(directory_of(id) + "/" + std::string(upload_file));
  if (!removed && removed.error().code() != Code::not_found) return removed;
  if (Status gone = files_.remove_tree(directory_of(id)); !gone) return gone;
  Status synced = files_.sync_directory(root_);
  return !synced && synced.error().code() == Code::not_found ? Status{} : synced;
}

io::Task<Result<size_t>> Uploads::remove_abandoned(int64_t before_ms) {
  co_return co_await disk_.run([&]() -> Result<size_t> {
    auto entries = files_.list(root_);
    if (!entries && entries.error().code() == Code::not_found) return size_t{0};
    if (!entries) return entries.error();
    size_t removed = 0;
    for (const io::DirEntry& entry : *entries) {
      if (!is_id(entry.name)) continue;
      auto upload = read_upload(entry.name);
      // One that cannot be read was interrupted while it was removed or begun.
      auto facts = files_.facts(directory_of(entry.name));
      int64_t begun_ms = upload ? upload->created_ms : facts ? facts->modified_ms : before_ms;
      if (begun_ms >= before_ms) continue;
      if (Status gone = remove_now(entry.name); !gone) return gone.error();
      ++removed;
    }
    return removed;
  });
}

}  // namespace pinpipe::objects
