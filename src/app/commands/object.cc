// object cp: between files of this machine and objects, by the running server's S3 door or, without
// a server, on the directory itself.
#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

#include "app/command.h"
#include "app/data_directory.h"
#include "objects/aws_credentials.h"
#include "objects/remote_store.h"
#include "project/place.h"

namespace pinpipe::app {
namespace {

constexpr size_t step_bytes = 8 << 20;

// The buckets, wherever they are, and what keeps them there.
struct Buckets {
  std::unique_ptr<House> house;
  std::unique_ptr<io::Runtime> runtime;
  std::unique_ptr<objects::RemoteStore> remote;

  io::Loop& loop() { return house ? house->runtime().loop(0) : runtime->loop(0); }
  objects::Store& store() { return house ? house->buckets() : *remote; }
};

// The server's own key, where the project names one: those of the environment are for elsewhere.
Result<auth::Credential> credential_for(const project::Project& project) {
  const auto& secrets = project.access.secrets;
  if (!secrets.empty())
    return auth::Credential{secrets.begin()->first, secrets.begin()->second, "", {}};
  if (auto found = objects::find_credential({}); found) return found;
  return auth::Credential{"pinpipe", "pinpipe", "", {}};
}

Result<Buckets> open_buckets(const Invocation& invocation, const project::Project& project) {
  Buckets buckets;
  auto endpoints = read_endpoints(invocation.data_path);
  if (!endpoints) {
    auto house =
        House::open({.data_path = invocation.data_path, .project = project, .doors = false});
    if (!house) return house.error();
    buckets.house = std::move(*house);
    return buckets;
  }
  auto credential = credential_for(project);
  if (!credential) return credential.error();
  buckets.runtime = std::make_unique<io::Runtime>(
      io::Runtime::Options{.loops = 1, .disk_threads = 2, .work_threads = 1});
  objects::RemoteStore::Options options{.endpoint = "http://" + endpoints->aws,
                                        .region = project.account.region,
                                        .credential = std::move(*credential),
                                        .temporary_directory = invocation.data_path + "/tmp/cp"};
  auto remote = objects::RemoteStore::open(std::move(options), buckets.runtime->disk());
  if (!remote) return remote.error();
  buckets.remote = std::move(*remote);
  return buckets;
}

std::string_view last_part(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// Without a name of its own the copy has the original's.
project::Place named_like(project::Place to, const project::Place& from) {
  bool is_folder = to.path.empty() || to.path.ends_with('/');
  if (!to.is_object() && !is_folder && to.path != "-") {
    auto facts = io::posix_files().facts(to.path);
    is_folder = facts && facts->is_directory;
    if (is_folder) to.path += '/';
  }
  if (is_folder) to.path += last_part(from.path);
  return to;
}

Result<uint64_t> copy_file(const std::string& from, const std::string& to) {
  auto source = io::posix_files().open(from, io::OpenMode::read);
  if (!source) return source.error();
  auto target = io::posix_files().open(to, io::OpenMode::create_new);
  if (!target) return target.error();
  std::string step(step_bytes, '\0');
  uint64_t at = 0;
  while (true) {
    auto got = (*source)->read_at(step, at);
    if (!got) return got.error();
    if (*got == 0) return at;
    Status written = (*target)->write_at(std::string_view(step.data(), *got), at);
    if (!written) return written.error();
    at += *got;
  }
}

io::Task<Result<uint64_t>> upload(objects::Store& store, project::Place from, project::Place to) {
  // A store takes over what it adopts, so it gets a copy.
  std::string temporary = store.new_temporary();
  auto copied = copy_file(from.path, temporary);
  if (!copied) (void)io::posix_files().remove(temporary);
  if (!copied) co_return copied.error();
  auto stored = co_await store.adopt(to.bucket, temporary, to.path, {}, {});
  if (!stored) co_return stored.error();
  co_return *copied;
}

io::Task<Result<uint64_t>> download(objects::Store& store, project::Place from, project::Place to) {
  auto opened = co_await store.open(from.bucket, from.path);
  if (!opened) co_return opened.error();
  bool to_stdout = to.path == "-";
  std::string temporary = to.path + fmt::format(".part-{}", ::getpid());
  std::unique_ptr<io::File> file;
  if (!to_stdout) {
    auto made = io::posix_files().open(temporary, io::OpenMode::create_new);
    if (!made) co_return made.error();
    file = std::move(*made);
  }
  uint64_t size = (*opened)->facts().size;
  std::string step(std::min<uint64_t>(size, step_bytes), '\0');
  Status done;
  for (uint64_t at = 0; at < size && done;) {
    auto got = co_await (*opened)->read_at(step, at);
    if (!got || *got == 0) {
      done = got ? Error(Code::corrupt, "the object ended early") : got.error();
      break;
    }
    std::string_view bytes(step.data(), std::min<uint64_t>(*got, size - at));
    if (!to_stdout) done = file->write_at(bytes, at);
    if (to_stdout && std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size())
      done = Error(Code::unavailable, "stdout was closed");
    at += bytes.size();
  }
  if (!to_stdout && done) done = io::posix_files().rename(temporary, to.path);
  if (!to_stdout && !done) (void)io::posix_files().remove(temporary);
  if (!done) co_return done.error();
  co_return size;
}

io::Task<Result<uint64_t>> copy(objects::Store& store, project::Place from, project::Place to) {
  if (!from.is_object()) co_return co_await upload(store, from, to);
  if (!to.is_object()) co_return co_await download(store, from, to);
  auto copied = co_await store.copy(from.bucket, from.path, to.bucket, to.path, std::nullopt);
  if (!copied) co_return copied.error();
  co_return copied->size;
}

}  // namespace

ExitCode run_object_cp(const Invocation& invocation) {
  auto project = open_project(invocation);
  if (!project) return ExitCode::project;
  auto from = project::resolve_place(text_argument(invocation.arguments, "from"), project->mounts);
  auto to = project::resolve_place(text_argument(invocation.arguments, "to"), project->mounts);
  if (!from) return report(from.error());
  if (!to) return report(to.error());
  if (!from->is_object() && !to->is_object())
    return report(Error(Code::invalid, "one of the two is an object: s3://bucket/key"));
  *to = named_like(std::move(*to), *from);
  auto buckets = open_buckets(invocation, *project);
  if (!buckets) return report(buckets.error());
  auto bytes = io::wait_on(buckets->loop(), copy(buckets->store(), *from, *to));
  if (!bytes) return report(bytes.error());
  if (to->path == "-" && !to->is_object()) return ExitCode::ok;
  Answer answer;
  answer.columns = {"from", "to", "bytes"};
  auto name = [](const project::Place& place) {
    return place.is_object() ? "s3://" + place.bucket + "/" + place.path : place.path;
  };
  answer.add_row({name(*from), name(*to), *bytes});
  return print(answer, invocation.form);
}

}  // namespace pinpipe::app
