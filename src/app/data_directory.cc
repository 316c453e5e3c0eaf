#include "app/data_directory.h"

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "codec/json.h"
#include "io/files.h"

namespace pinpipe::app {
namespace {

constexpr size_t socket_path_max = 107;

std::string lock_path(const std::string& directory) {
  return directory + "/run/lock";
}

Status check_format(const std::string& path) {
  io::Files& files = io::posix_files();
  std::string file = path + "/FORMAT";
  auto text = files.read_all(file, 64);
  if (!text) {
    if (text.error().code() != Code::not_found) return text.error();
    return files.replace(file, "pinpipe " + std::to_string(DataDirectory::format) + "\n");
  }
  int found = 0;
  std::string_view number = *text;
  if (!number.starts_with("pinpipe ")) {
    return Error(Code::invalid, path + " is not a pinpipe data directory: its FORMAT says \"" +
                                    text->substr(0, text->find('\n')) + "\"");
  }
  number.remove_prefix(8);
  std::from_chars(number.data(), number.data() + number.size(), found);
  if (found > DataDirectory::format) {
    return Error(Code::invalid, path + " was written by a newer pinpipe (format " +
                                    std::to_string(found) + ", this program reads up to " +
                                    std::to_string(DataDirectory::format) + "); use that program");
  }
  return {};
}

}  // namespace

bool is_in_use(const std::string& path) {
  int descriptor = ::open(lock_path(path).c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return false;
  bool held = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0;
  ::close(descriptor);
  return held;
}

Result<DataDirectory> DataDirectory::open(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  io::Files& files = io::posix_files();
  if (Status made = files.make_directories(path + "/run"); !made)
    return made.error().with("data directory " + path);
  int lock = ::open(lock_path(path).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return error_of_errno(errno, "open " + lock_path(path));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    auto owner = files.read_all(lock_path(path), 64);
    std::string who = owner && !owner->empty() ? " (process " + *owner + ")" : "";
    return Error(Code::conflict, "the data directory " + path + " is in use by another pinpipe" +
                                     who + "; `pinpipe status` asks it, `pinpipe down` ends it");
  }
  DataDirectory directory(path, lock);
  if (Status good = check_format(path); !good) return good.error();
  for (const std::string& part : {directory.log(), directory.buckets(), directory.lake(),
                                  directory.state(), directory.tmp()}) {
    if (Status made = files.make_directories(part); !made) return made.error();
  }
  std::string id = std::to_string(::getpid());
  if (::ftruncate(lock, 0) != 0 || ::pwrite(lock, id.data(), id.size(), 0) < 0)
    return error_of_errno(errno, "write " + lock_path(path));
  return directory;
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataDirectory::~DataDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

std::string DataDirectory::socket() const {
  std::string plain = run() + "/pinpipe.sock";
  if (plain.size() <= socket_path_max) return plain;
  return "/tmp/pinpipe-" + to_hex(sha256(path_)).substr(0, 16) + ".sock";
}

Status write_endpoints(const DataDirectory& directory, const Endpoints& endpoints) {
  codec::Json json = codec::Json::object({{"pid", endpoints.process_id},
                                          {"socket", endpoints.socket},
                                          {"kafka", endpoints.kafka},
                                          {"gateway", endpoints.gateway},
                                          {"connect", endpoints.connect},
                                          {"aws", endpoints.aws},
                                          {"console", endpoints.console},
                                          {"mysql", endpoints.mysql}});
  codec::Json outside = codec::Json::object();
  for (const auto& [door, address] : endpoints.outside) outside.set(door, address);
  json.set("outside", std::move(outside));
  return io::posix_files().replace(directory.run() + "/endpoints.json",
                                   codec::to_json_pretty(json) + "\n");
}

void remove_endpoints(const DataDirectory& directory) {
  (void)io::posix_files().remove(directory.run() + "/endpoints.json");
}

Result<Endpoints> read_endpoints(const std::string& path) {
  if (!is_in_use(path)) return Error(Code::not_found, "no pinpipe runs on " + path);
  auto text = io::posix_files().read_all(path + "/run/endpoints.json", 1 << 16);
  if (!text) return Error(Code::not_found, "the pinpipe on " + path + " is not ready yet");
  auto json = codec::parse_json(*text);
  if (!json) return json.error().with(path + "/run/endpoints.json");
  auto field = [&](std::string_view name) {
    return std::string((*json)[name].as_string().value_or(""));
  };
  return Endpoints{.process_id = (*json)["pid"].as_int().value_or(0),
                   .socket = field("socket"),
                   .kafka = field("kafka"),
                   .gateway = field("gateway"),
                   .connect = field("connect"),
                   .aws = field("aws"),
                   .console = field("console"),
                   .mysql = field("mysql")};
}

}  // namespace pinpipe::app
