// RemoteStore's way with files: multipart uploads, downloads.
#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/log_line.h"
#include "codec/percent.h"
#include "codec/xml.h"
#include "objects/key_path.h"
#include "objects/remote_answer.h"
#include "objects/remote_call.h"

namespace pinpipe::objects {

// "-part.json.gz" of "x/part.json.gz", since readers go by a file's name; empty where it is odd.
static std::string readable_end(std::string_view key) {
  std::string_view name = key.substr(key.rfind('/') + 1);
  bool plain = name.size() <= 100 && std::ranges::all_of(name, [](char c) {
                 return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == '+' ||
                        c == '=';
               });
  return plain ? "-" + std::string(name) : std::string();
}

std::string RemoteStore::new_temporary() {
  std::lock_guard lock(mutex_);
  return options_.temporary_directory + "/" + to_hex(random_bytes(8)) + "-" +
         std::to_string(++temporaries_);
}

io::Task<Result<ObjectFacts>> RemoteStore::adopt(std::string bucket, std::string temporary_path,
                                                 std::string key, Attributes attributes,
                                                 Condition condition, std::string /*etag*/) {
  auto source = std::make_shared<Source>();
  auto load = [&]() -> Status {
    auto file = files_.open(temporary_path, io::OpenMode::read);
    // The open file keeps its bytes; its name is ours to remove, whatever becomes of the upload.
    (void)files_.remove(temporary_path);
    if (!file) return file.error();
    auto size = (*file)->size();
    if (!size) return size.error();
    source->size = *size;
    source->file = std::move(*file);
    if (*size > part_bytes) return {};
    auto bytes = source->read(0, *size);
    if (!bytes) return bytes.error();
    source->bytes = std::move(*bytes);
    return {};
  };
  Status loaded = co_await disk_.run(load);
  if (!loaded) co_return loaded.error();
  if (source->size <= part_bytes)
    co_return co_await put(std::move(bucket), std::move(key), std::move(source->bytes),
                           std::move(attributes), std::move(condition));
  if (Status good = check_key(key); !good) co_return good.error();
  Call call{.method = "PUT", .bucket = std::move(bucket), .key = std::move(key)};
  add_attributes(call.headers, attributes);
  add_condition(call.headers, condition);
  call.repeatable = !condition.if_absent && !condition.if_etag;
  co_return co_await put_parts(std::move(call), std::move(source));
}

// A failed upload is aborted, so that its parts are not paid for.
io::Task<Result<ObjectFacts>> RemoteStore::put_parts(Call call, std::shared_ptr<Source> source) {
  Call begin{.method = "POST", .bucket = call.bucket, .key = call.key, .query = "uploads="};
  begin.headers = call.headers;
  begin.headers.remove("If-Match");
  begin.headers.remove("If-None-Match");
  auto begun = co_await send(std::move(begin));
  if (!begun) co_return begun.error();
  auto xml = codec::parse_xml(begun->body);
  if (!xml || xml->text_of("UploadId").empty())
    co_return Error(Code::unavailable, "the store began no upload");
  std::string id(xml->text_of("UploadId"));
  std::string upload = "uploadId=" + codec::percent_encode(id);
  auto etag = co_await upload_parts(call, id, *source);
  if (etag) {
    ObjectFacts facts;
    facts.key = call.key;
    facts.size = source->size;
    facts.etag = std::move(*etag);
    co_return facts;
  }
  Call abort{.method = "DELETE", .bucket = call.bucket, .key = call.key, .query = upload};
  auto aborted = co_await send(std::move(abort));
  if (!aborted && aborted.error().code() != Code::not_found)
    log_warn("objects", "an upload could not be aborted",
             {{"key", call.key}, {"reason", aborted.error().text()}});
  co_return etag.error();
}

io::Task<Result<std::string>> RemoteStore::upload_parts(const Call& call, const std::string& id,
                                                        Source& source) {
  uint64_t step = std::max(part_bytes, (source.size + parts_max - 1) / parts_max);
  std::string upload = "uploadId=" + codec::percent_encode(id);
  Call complete{.method = "POST", .bucket = call.bucket, .key = call.key, .query = upload};
  complete.repeatable = false;
  for (std::string_view condition : {"If-Match", "If-None-Match"}) {
    if (auto value = call.headers.find(condition)) complete.headers.set(condition, *value);
  }
  codec::XmlWriter writer(complete.body);
  writer.begin("CompleteMultipartUpload");
  std::string digests;
  int number = 0;
  for (uint64_t offset = 0; offset < source.size; offset += step) {
    auto bytes = co_await disk_.run(
        [&] { return source.read(offset, std::min(step, source.size - offset)); });
    if (!bytes) co_return bytes.error();
    ++number;
    digests += md5(*bytes);
    Call part{.method = "PUT", .bucket = call.bucket, .key = call.key};
    part.query = "partNumber=" + std::to_string(number) + "&" + upload;
    part.body = std::move(*bytes);
    auto stored = co_await send(std::move(part));
    if (!stored) co_return stored.error();
    writer.begin("Part").element("PartNumber", number);
    writer.element("ETag", stored->headers.find("ETag").value_or("")).end();
  }
  writer.end();
  auto completed = co_await send(std::move(complete));
  if (completed) {
    auto xml = codec::parse_xml(completed->body);
    if (!xml) co_return xml.error();
    co_return without_quotes(xml->text_of("ETag"));
  }
  // Its answer may have been lost.
  std::string mine = to_hex(md5(digests)) + "-" + std::to_string(number);
  auto is_there = co_await was_mine(call.bucket, call.key, mine);
  if (is_there && *is_there) co_return mine;
  co_return completed.error();
}

io::Task<Status> RemoteStore::download(std::string bucket, std::string key, std::string path) {
  auto opened = co_await open(std::move(bucket), std::move(key));
  if (!opened) co_return opened.error();
  std::unique_ptr<io::File> file;
  auto create = [&]() -> Status {
    auto made = files_.open(path, io::OpenMode::create_new);
    if (!made) return made.error();
    file = std::move(*made);
    return {};
  };
  Status made = co_await disk_.run(create);
  if (!made) co_return made;
  uint64_t size = (*opened)->facts().size;
  std::string step(std::min(size, open_bytes_max), '\0');
  for (uint64_t at = 0; at < size;) {
    std::span<char> into(step.data(), std::min<uint64_t>(step.size(), size - at));
    auto got = co_await (*opened)->read_at(into, at);
    if (!got) co_return got.error();
    std::string_view bytes(step.data(), *got);
    Status written = co_await disk_.run([&] { return file->write_at(bytes, at); });
    if (!written) co_return written;
    at += *got;
  }
  co_return Status{};
}

io::Task<Result<Store::Pinned>> RemoteStore::materialize(std::string bucket, std::string key) {
  std::string path = new_temporary() + readable_end(key);
  io::Files* files = &files_;
  auto remove = [files](std::string* kept) {
    (void)files->remove(*kept);
    delete kept;
  };
  Pinned pinned{.path = path, .keep = {new std::string(path), remove}};
  Status done = co_await download(std::move(bucket), std::move(key), path);
  if (!done) co_return done.error();
  co_return pinned;
}

}  // namespace pinpipe::objects
