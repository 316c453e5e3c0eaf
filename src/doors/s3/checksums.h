// The checksums that S3 clients send with their bytes: x-amz-checksum-<name>, base64 of big-endian.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"

namespace pinpipe::s3 {

enum class ChecksumKind { crc32, crc32c, crc64nvme, sha1, sha256 };
inline constexpr std::array checksum_kinds = {ChecksumKind::crc32, ChecksumKind::crc32c,
                                              ChecksumKind::crc64nvme, ChecksumKind::sha1,
                                              ChecksumKind::sha256};

// "x-amz-checksum-crc32"
std::string_view header_of(ChecksumKind kind);
// By header name in any case.
std::optional<ChecksumKind> checksum_of_header(std::string_view name);

// "ChecksumCRC32" of "x-amz-checksum-crc32", "ChecksumType" of "x-amz-checksum-type"; empty for
// other headers.
std::string checksum_element(std::string_view header);

uint32_t crc32(std::string_view bytes, uint32_t before = 0);
uint64_t crc64nvme(std::string_view bytes, uint64_t before = 0);

// Over bytes that come in pieces.
class Checksum {
 public:
  explicit Checksum(ChecksumKind kind);
  ChecksumKind kind() const { return kind_; }
  void add(std::string_view bytes);
  std::string base64();  // once, at the end

 private:
  ChecksumKind kind_;
  uint64_t crc_ = 0;
  std::optional<Digest> digest_;
};

}  // namespace pinpipe::s3
