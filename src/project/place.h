// Where a path leads that a notebook or a SQL text names:
//   s3://bucket/key, s3a://…, s3n://…   also with KEY:SECRET@ in front of the bucket, left out
//   /mnt/x/…, dbfs:/mnt/x/…, /dbfs/mnt/x/…   by the project's mounts, the longest that fits
//   file:/path, file:///path, anything else   a path of this machine
// Promise: a place never leads out of its mount ("..", also encoded, is `invalid`); several slashes
// in a row are one, as Hadoop has it; patterns (*, ?, {a,b}) pass through.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "project/project.h"

namespace pinpipe::project {

struct Place {
  std::string bucket;  // empty: `path` is a path of this machine
  std::string path;    // the key, or the local path
  bool is_object() const { return !bucket.empty(); }
  bool operator==(const Place&) const = default;
};

// `not_found` for a dbfs: path that no mount covers, with the mounts there are.
Result<Place> resolve_place(std::string_view text, std::span<const Mount> mounts);

// "s3://bucket/prefix" (any scheme of S3) or "bucket": what a mount may stand for. `invalid` when
// it is neither.
Result<Place> mount_target(std::string_view text);

}  // namespace pinpipe::project
