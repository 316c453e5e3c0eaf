// The one directory that holds everything of a running pinpipe, and who may use it.
//   FORMAT  log/  buckets/  lake/  state/  run/  tmp/
// Promise: one process at a time holds it (an advisory lock that the kernel drops with the
// process); a directory of a newer format is refused by name, never touched.
#pragma once

#include <map>
#include <string>

#include "base/result.h"

namespace pinpipe::app {

class DataDirectory {
 public:
  static constexpr int format = 1;

  // Makes it when absent. `conflict` when another process holds it, with its process id.
  static Result<DataDirectory> open(std::string path);
  ~DataDirectory();
  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&&) = delete;

  const std::string& path() const { return path_; }
  std::string log() const { return path_ + "/log"; }
  std::string buckets() const { return path_ + "/buckets"; }
  std::string lake() const { return path_ + "/lake"; }
  // authentication_credentials, for the owner's eyes alone.
  std::string key_table() const { return state() + "/private/authentication_credentials"; }
  std::string state() const { return path_ + "/state"; }
  std::string run() const { return path_ + "/run"; }
  std::string tmp() const { return path_ + "/tmp"; }
  std::string source() const { return path_ + "/source.db"; }
  // Socket paths are at most 107 bytes long: a longer one lies under a short name in /tmp.
  std::string socket() const;

 private:
  DataDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_;
};

// What run/endpoints.json says of the server that holds the directory.
struct Endpoints {
  long long process_id = 0;
  std::string socket = {};
  std::string kafka = {}, gateway = {}, connect = {}, aws = {}, console = {},
              mysql = {};  // "127.0.0.1:9092" or empty
  // What listens for other machines, by door: "https://0.0.0.0:8443", "10.0.0.5:9092".
  std::map<std::string, std::string> outside = {};
};

// Whether some process holds the directory now, be it starting, serving or ending.
bool is_in_use(const std::string& path);

Status write_endpoints(const DataDirectory& directory, const Endpoints& endpoints);
void remove_endpoints(const DataDirectory& directory);
// not_found when no server holds the directory; a file left by a killed one does not count.
Result<Endpoints> read_endpoints(const std::string& path);

}  // namespace pinpipe::app
