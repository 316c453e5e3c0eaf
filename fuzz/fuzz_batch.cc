// Any bytes as a produced record batch, as they are and with the CRC made to hold; what is accepted
// is walked over as a reader would.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/hash.h"
#include "log/batch.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pinpipe;
  constexpr size_t unpacked_bytes_max = 1 << 20;
  std::string batch(reinterpret_cast<const char*>(data), size);
  for (bool resign : {false, true}) {
    if (resign && batch.size() >= log::header_bytes)
      store_be<uint32_t>(batch.data() + 17, crc32c(std::string_view(batch).substr(log::crc_from)));
    auto header = log::check_produced(batch, {.decompressed_bytes_max = unpacked_bytes_max});
    if (!header) continue;
    std::string scratch;
    auto records = log::records_of(batch, unpacked_bytes_max, scratch);
    CHECK(records, "accepted records can be unpacked");
    log::RecordCursor cursor(*header, *records);
    int32_t seen = 0;
    for (log::RecordView record; cursor.next(record); ++seen)
      CHECK(record.headers().size() == static_cast<size_t>(record.header_count),
            "a record has its headers");
    CHECK(seen == header->count && cursor.at_end(), "an accepted batch holds what it says");
  }
  return 0;
}
