// An object's attributes as HTTP headers, both ways.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "doors/s3/call.h"
#include "objects/store.h"

namespace pinpipe::s3 {

// Headers that ask for what is not done here (tags, ACLs, encryption, locks, storage classes): a
// write that has them is refused, since an object without them is not what was asked for.
Outcome refuse_unsupported(const Call& call);

// From x-amz-meta-*, Content-Type, Cache-Control and their like. MetadataTooLarge beyond 2 KiB.
std::expected<objects::Attributes, Failure> attributes_of_request(const Call& call);
// If-None-Match: * and If-Match of a write.
std::expected<objects::Condition, Failure> condition_of_write(const Call& call);

// ETag, Last-Modified, Content-Type, x-amz-meta-* and the rest; checksums only when asked for, and
// never with a part of the object.
void write_object_headers(Call& call, const objects::ObjectFacts& facts, bool is_whole);

// Whether the conditions of a GET or HEAD hold: PreconditionFailed or NotModified when not.
// `prefix` is "" or "x-amz-copy-source-".
Outcome check_read_conditions(const Call& call, const objects::ObjectFacts& facts,
                              std::string_view prefix = "");

struct CopySource {
  std::string bucket;
  std::string key;
};
// x-amz-copy-source: "/bucket/key?versionId=null", percent-encoded, the first slash optional.
std::expected<CopySource, Failure> copy_source_of(const Call& call);

std::string without_quotes(std::string_view etag);

struct Range {
  uint64_t offset = 0;
  uint64_t size = 0;
  bool is_whole = true;
};
// A malformed or multiple range is the whole; one behind the end is InvalidRange.
std::expected<Range, Failure> range_of(std::string_view header, uint64_t object_bytes);

}  // namespace pinpipe::s3
