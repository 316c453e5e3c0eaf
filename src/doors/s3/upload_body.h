// The bytes of a PUT, taken in: framing off, signatures and checksums verified, in memory when
// small and in a temporary file of the store when large. Bounds: memory_bytes_max in memory,
// body_bytes_max in all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "doors/s3/call.h"
#include "doors/s3/checksums.h"
#include "io/pool.h"

namespace pinpipe::s3 {

struct UploadBody {
  static constexpr size_t memory_bytes_max = 256 * 1024;
  static constexpr uint64_t body_bytes_max = 5ULL << 30;

  std::string bytes;           // when there is no temporary
  std::string temporary_path;  // the caller's to adopt or remove
  uint64_t size = 0;
  std::string md5_hex;  // of a temporary; of bytes in memory only where the client sent it
  // What the client sent and we verified.
  std::optional<ChecksumKind> checksum_kind;
  std::string checksum;
};

// Reads the whole body of a call. On failure nothing is left behind.
io::Task<std::expected<UploadBody, Failure>> read_body(Call& call, io::Pool& disk);

}  // namespace pinpipe::s3
