// Where a key's bytes lie below its bucket's directory.
// Promise: an ordinary key is the same ordinary relative path; every other key (a segment that is
// empty, ".", "..", over 255 bytes or our reserved name; a trailing slash; a key whose place is
// taken because "a" is a file and "a/b" wants a directory) lies in the odd area, percent-encoded,
// so that no key ever leads outside the bucket and no two keys share a path. Bounds: keys
// of 1..key_bytes_max bytes of UTF-8.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pinpipe::objects {

inline constexpr size_t key_bytes_max = 1024;
// The one name that we use inside a root and inside a bucket; a key that begins with it is odd.
inline constexpr std::string_view reserved_name = ".pinpipe";
inline constexpr std::string_view odd_area = ".pinpipe/odd";
inline constexpr std::string_view attributes_area = ".pinpipe/attributes";

Status check_key(std::string_view key);
bool is_utf8(std::string_view text);

// S3's rules for buckets: 3..63 of a-z, 0-9, '.', '-', beginning and ending with a letter or digit.
Status check_bucket_name(std::string_view name);
// What a directory below a plain root may be called: no slash, not hidden.
Status check_directory_name(std::string_view name);

// Whether the key is also a path as it stands.
bool has_plain_path(std::string_view key);
// The relative path in the odd area; unique for every key.
std::string odd_path(std::string_view key);
// The key of a relative path below the odd area (without odd_area itself), if it is one of ours.
std::optional<std::string> key_of_odd_path(std::string_view relative);

}  // namespace pinpipe::objects
