// What a multipart upload says about checksums, from its beginning to the object's headers.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "doors/s3/call.h"
#include "doors/s3/checksums.h"
#include "io/pool.h"
#include "objects/uploads.h"

namespace pinpipe::s3 {

// Of an object that was uploaded in parts: their sizes, kept with it and never sent.
inline constexpr std::string_view part_sizes_name = ".part-sizes";

struct ChecksumPlan {
  ChecksumKind kind = ChecksumKind::crc32;
  bool is_composite = true;  // of the parts' checksums, not of all bytes
};

// From x-amz-checksum-algorithm and -type of CreateMultipartUpload; nothing when neither came.
std::expected<std::optional<ChecksumPlan>, Failure> checksum_plan_of(const Call& call);
// Kept in the upload's attributes until it is completed.
void keep_plan(objects::Attributes& attributes, const ChecksumPlan& plan);
std::optional<ChecksumPlan> take_plan(objects::Attributes& attributes);

// base64(checksum of the parts' checksums)-<parts>; nothing when a part has none.
std::optional<std::string> composite_checksum(ChecksumKind kind,
                                              const std::vector<objects::PartFacts>& parts);
// Over a file's bytes.
io::Task<Result<std::string>> checksum_of_file(std::string path, ChecksumKind kind, io::Pool& disk);

// "5242880*3,17", and back.
std::string part_sizes_text(const std::vector<objects::PartFacts>& parts);
std::vector<uint64_t> part_sizes_of(std::string_view text);

}  // namespace pinpipe::s3
