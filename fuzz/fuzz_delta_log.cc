// Commits of a Delta log: whatever the bytes are, they are refused or understood, and what was
// understood is written and read again without a change.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "lake/location.h"
#include "lake/snapshot.h"

namespace pinpipe {
namespace {

lake::Actions read(std::string_view bytes, bool must_succeed) {
  codec::JsonScanner scanner;
  auto actions = lake::decode_commit(scanner, bytes);
  CHECK(actions || !must_succeed, "what we wrote can be read");
  return actions ? std::move(*actions) : lake::Actions{};
}

std::string write(const lake::Actions& actions) {
  std::string bytes;
  if (actions.protocol) lake::encode(*actions.protocol, bytes);
  if (actions.metadata) lake::encode(*actions.metadata, bytes);
  for (const auto& txn : actions.txns) lake::encode(txn, bytes);
  for (const auto& remove : actions.removes) lake::encode(remove, bytes);
  for (const auto& add : actions.adds) lake::encode(add, bytes);
  return bytes;
}

void run(std::string_view bytes) {
  (void)lake::parse_log_name(bytes.substr(0, 100));
  (void)lake::decode_path(bytes.substr(0, 1000));
  (void)lake::parse_schema(bytes);
  (void)lake::rows_of_stats(bytes);
  lake::Actions actions = read(bytes, false);
  (void)lake::decode_commit_info(actions.commit_info);
  std::string once = write(actions);
  if (once.empty()) return;
  CHECK(write(read(once, true)) == once, "writing and reading again changes nothing");
  lake::Snapshot snapshot;
  (void)snapshot.apply_commit(0, std::move(actions), bytes.size());
  (void)snapshot.check_readable();
  (void)snapshot.check_writable();
}

}  // namespace
}  // namespace pinpipe

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pinpipe::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
