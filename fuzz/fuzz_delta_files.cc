// Checkpoints, Parquet footers, deletion vectors and checksums: whatever the bytes are, they are
// refused or understood, and what was understood can be applied to a snapshot.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "lake/checkpoint_rows.h"
#include "lake/checksum.h"
#include "lake/deletion_vector.h"
#include "lake/prune.h"
#include "lake/snapshot.h"

namespace pinpipe {
namespace {

class Bytes final : public io::File {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  using io::File::write_at;
  Result<size_t> read_at(std::span<char> into, uint64_t offset) override {
    if (offset >= bytes_.size()) return size_t{0};
    size_t count = std::min(into.size(), bytes_.size() - static_cast<size_t>(offset));
    std::memcpy(into.data(), bytes_.data() + offset, count);
    return count;
  }
  Status write_at(std::span<const std::string_view>, uint64_t) override { return refused(); }
  Status sync() override { return refused(); }
  Status truncate(uint64_t) override { return refused(); }
  Result<uint64_t> size() override { return uint64_t{bytes_.size()}; }

 private:
  static Error refused() { return {Code::internal, "only read"}; }
  std::string_view bytes_;
};

void run(std::string_view bytes) {
  if (bytes.empty()) return;
  char kind = bytes[0];
  bytes.remove_prefix(1);
  if (kind == 'v') {
    (void)lake::decode_roaring(bytes);
    return;
  }
  if (kind == 'w') {
    auto vector = lake::parse_deletion_vector(bytes);
    if (vector) (void)lake::deleted_rows(*vector, bytes);
    return;
  }
  if (kind == 'b') {
    (void)lake::bounds_of(bytes);
    return;
  }
  Bytes file(bytes);
  lake::Snapshot snapshot;
  snapshot.begin_checkpoint(1);
  (void)lake::read_checkpoint_rows(file, [&snapshot](lake::Actions actions) {
    return snapshot.apply_checkpoint_rows(std::move(actions));
  });
  (void)snapshot.check_readable();
  (void)snapshot.rows();
  (void)lake::check_against(snapshot, bytes);
}

}  // namespace
}  // namespace pinpipe

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pinpipe::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
