#include "lake/checksum.h"

#include <fmt/format.h>

#include "codec/json.h"

namespace pinpipe::lake {
namespace {

// {"protocol":{…}} and a newline, without the wrapping.
template <class Action>
std::string members_of(const Action& action) {
  std::string line;
  encode(action, line);
  size_t begin = line.find(':') + 1;
  return line.substr(begin, line.rfind('}') - begin);
}

}  // namespace

std::string to_checksum(const Snapshot& snapshot) {
  std::string json;
  codec::JsonWriter out(json);
  out.begin_object().field("tableSizeBytes", snapshot.bytes());
  out.field("numFiles", static_cast<int64_t>(snapshot.files().size()));
  out.field("numMetadata", int64_t{1}).field("numProtocol", int64_t{1});
  out.key("setTransactions").begin_array();
  for (const auto& [app_id, txn] : snapshot.txns()) out.raw(members_of(txn));
  out.end_array();
  out.key("metadata").raw(members_of(snapshot.metadata()));
  out.key("protocol").raw(members_of(snapshot.protocol())).end_object();
  return json;
}

Status check_against(const Snapshot& snapshot, std::string_view checksum) {
  auto json = codec::parse_json(checksum);
  if (!json) return {};
  auto files = (*json)["numFiles"].as_int();
  auto bytes = (*json)["tableSizeBytes"].as_int();
  auto here = static_cast<int64_t>(snapshot.files().size());
  if ((!files || *files == here) && (!bytes || *bytes == snapshot.bytes())) return {};
  return Error(Code::corrupt,
               fmt::format("version {} has {} files of {} bytes by its log, but {} of {} by its "
                           "checksum",
                           snapshot.version(), here, snapshot.bytes(), files.value_or(here),
                           bytes.value_or(snapshot.bytes())));
}

}  // namespace pinpipe::lake
