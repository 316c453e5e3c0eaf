#include "app/dag_folder.h"

#include <fmt/format.h>

#include "base/log_line.h"
#include "scheduler/python_tokens.h"

namespace pinpipe::app {

namespace {

std::string name_of(const std::string& key) {
  return fmt::format("s3://{}/{}", DagFolder::bucket, key);
}

}  // namespace

io::Task<Result<DagFolder::Seen>> DagFolder::list() {
  Seen now;
  sizes_.clear();
  objects::ListQuery query;
  query.prefix = prefix;
  while (true) {
    auto listing = co_await store_.list(std::string(bucket), query);
    if (!listing && listing.error().code() == Code::not_found) co_return now;  // no such bucket
    if (!listing) co_return listing.error();
    for (const objects::ObjectFacts& object : listing->objects) {
      if (!object.key.ends_with(".py")) continue;
      now[object.key] = object.etag;
      sizes_[object.key] = object.size;
      if (now.size() >= scheduler::Scheduler::files_max) co_return now;
    }
    if (!listing->truncated) co_return now;
    query.after = listing->next_after;
  }
}

io::Task<Result<scheduler::DagFile>> DagFolder::read(std::string key, uint64_t size) {
  scheduler::DagFile file;
  if (size > scheduler::source_bytes_max) {
    file.name = name_of(key);
    file.problems.push_back(
        {0, fmt::format("the file is larger than {} bytes", scheduler::source_bytes_max), true});
    co_return file;
  }
  auto source = co_await store_.get(std::string(bucket), key);
  if (!source) co_return source.error();
  co_return scheduler::read_dag_file(name_of(key), *source, notebooks_);
}

io::Task<Result<std::vector<scheduler::DagFile>>> DagFolder::read_all() {
  std::vector<scheduler::DagFile> files;
  auto now = co_await list();
  if (!now) co_return now.error();
  for (const auto& [key, etag] : *now) {
    auto file = co_await read(key, sizes_[key]);
    if (!file) co_return file.error().with(name_of(key));
    files.push_back(std::move(*file));
  }
  seen_ = std::move(*now);
  co_return files;
}

io::Task<Status> DagFolder::take_changes(scheduler::Scheduler& scheduler) {
  auto now = co_await list();
  if (!now) co_return now.error();
  std::vector<std::string> gone;
  for (const auto& [key, etag] : seen_) {
    if (!now->contains(key)) gone.push_back(key);
  }
  // First what goes: a DAG may have moved to another file.
  for (const std::string& key : gone) {
    Status dropped = co_await scheduler.drop_file(name_of(key));
    if (!dropped && dropped.error().code() != Code::not_found) co_return dropped;
    seen_.erase(key);
  }
  for (const auto& [key, etag] : *now) {
    auto known = seen_.find(key);
    if (known != seen_.end() && known->second == etag) continue;
    auto file = co_await read(key, sizes_[key]);
    if (!file && file.error().code() == Code::not_found) continue;  // removed meanwhile
    if (!file) co_return file.error();
    auto taken = co_await scheduler.put_file(std::move(*file));
    if (!taken) co_return taken.error();
    seen_[key] = etag;
  }
  co_return Status{};
}

io::Task<> DagFolder::watch(scheduler::Scheduler& scheduler) {
  while (!co_await io::cancelled()) {
    Status done = co_await take_changes(scheduler);
    if (!done && done.error().code() != Code::cancelled) {
      log_warn("app", "DAG files cannot be read; tried again", {{"reason", done.error().text()}});
    }
    (void)co_await io::sleep_for(wait_);
  }
}

}  // namespace pinpipe::app
