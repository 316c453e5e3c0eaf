// One request of RemoteStore, and where an upload's bytes come from.
#pragma once

#include <memory>
#include <string>

#include "objects/remote_store.h"

namespace pinpipe::objects {

struct RemoteStore::Call {
  std::string method;
  std::string bucket;
  std::string key = {};
  std::string query = {};
  http::Headers headers = {};
  std::string body = {};
  // Doing it twice has the same outcome as doing it once.
  bool repeatable = true;
};

struct RemoteStore::Source {
  uint64_t size = 0;
  std::string bytes = {};               // these,
  std::unique_ptr<io::File> file = {};  // or this file's

  // Blocks.
  Result<std::string> read(uint64_t offset, uint64_t count) {
    if (!file) return bytes.substr(offset, count);
    std::string part(count, '\0');
    auto got = file->read_at(part, offset);
    if (!got) return got.error();
    if (*got != count) return Error(Code::corrupt, "the file became shorter while it was sent");
    return part;
  }
};

}  // namespace pinpipe::objects
