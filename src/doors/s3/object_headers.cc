#include "doors/s3/object_headers.h"

#include <algorithm>
#include <charconv>

#include "auth/sigv4_canonical.h"
#include "base/ascii.h"
#include "base/clock.h"
#include "doors/s3/checksums.h"
#include "http/answer_head.h"
#include "objects/attribute_headers.h"

namespace pinpipe::s3 {
namespace {

using objects::meta_prefix;

constexpr size_t metadata_bytes_max = 2 * 1024;

// The list without the coding that only framed the upload.
std::string without_aws_chunked(std::string_view codings) {
  std::string kept;
  while (!codings.empty()) {
    size_t end = std::min(codings.find(','), codings.size());
    std::string_view one = trimmed(codings.substr(0, end));
    codings.remove_prefix(std::min(end + 1, codings.size()));
    if (one == "aws-chunked" || one.empty()) continue;
    kept += (kept.empty() ? "" : ",") + std::string(one);
  }
  return kept;
}

// Whether the ETag is in the header's list, or the list is "*".
bool lists_etag(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    size_t end = std::min(list.find(','), list.size());
    std::string_view one = trimmed(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (one == "*") return true;
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one.size() >= 2 && one.front() == '"' && one.back() == '"')
      one = one.substr(1, one.size() - 2);
    if (one == etag) return true;
  }
  return false;
}

template <class T>
bool read_number(std::string_view text, T& into) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Outcome refuse_unsupported(const Call& call) {
  constexpr std::string_view prefixes[] = {"x-amz-server-side-encryption", "x-amz-object-lock-",
                                           "x-amz-grant-", "x-amz-tagging"};
  for (const auto& [raw_name, value] : call.request.headers.lines()) {
    std::string name = lowered(raw_name);
    for (std::string_view prefix : prefixes) {
      if (name.starts_with(prefix) && !value.empty() && name != "x-amz-tagging-directive")
        return failure(
            "NotImplemented",
            "A header you provided implies functionality that is not implemented: " + name);
    }
  }
  std::string_view acl = call.header("x-amz-acl");
  bool is_owners = acl.empty() || acl == "private" || acl.starts_with("bucket-owner-");
  if (!is_owners) return failure("AccessControlListNotSupported", "The bucket does not allow ACLs");
  std::string_view storage = call.header("x-amz-storage-class");
  if (!storage.empty() && storage != "STANDARD")
    return failure("InvalidStorageClass", "The storage class you specified is not valid");
  return {};
}

std::expected<objects::Attributes, Failure> attributes_of_request(const Call& call) {
  if (Outcome can = refuse_unsupported(call); !can) return std::unexpected(can.error());
  objects::Attributes attributes;
  size_t metadata_bytes = 0;
  for (const auto& [raw_name, value] : call.request.headers.lines()) {
    std::string name = lowered(raw_name);
    if (name == "content-type") {
      attributes.content_type = value;
    } else if (name.starts_with(meta_prefix)) {
      name.erase(0, meta_prefix.size());
      metadata_bytes += name.size() + value.size();
      std::string& held = attributes.user[name];
      if (!held.empty()) held += ',';
      held += value;
    } else if (objects::is_kept_header(name)) {
      std::string kept(value);
      if (name == "content-encoding") kept = without_aws_chunked(value);
      if (!kept.empty()) attributes.system[name] = std::move(kept);
    }
  }
  if (metadata_bytes > metadata_bytes_max)
    return failure("MetadataTooLarge",
                   "Your metadata headers exceed the maximum allowed metadata size");
  return attributes;
}

std::expected<objects::Condition, Failure> condition_of_write(const Call& call) {
  objects::Condition condition;
  if (std::string_view none = call.header("If-None-Match"); !none.empty()) {
    if (trimmed(none) != "*")
      return failure("NotImplemented", "If-None-Match of a write can only be *");
    condition.if_absent = true;
  }
  if (std::string_view match = trimmed(call.header("If-Match")); !match.empty()) {
    if (match.size() >= 2 && match.front() == '"') match = match.substr(1, match.size() - 2);
    condition.if_etag = std::string(match);
  }
  return condition;
}

void write_object_headers(Call& call, const objects::ObjectFacts& facts, bool is_whole) {
  http::Headers& headers = call.response.headers;
  headers.set("ETag", "\"" + facts.etag + "\"");
  headers.set("Last-Modified", http::http_date(facts.modified_ms));
  headers.set("Accept-Ranges", "bytes");
  const std::string& type = facts.attributes.content_type;
  headers.set("Content-Type", type.empty() ? "binary/octet-stream" : type);
  bool wants_checksum = equal_without_case(call.header("x-amz-checksum-mode"), "ENABLED");
  for (const auto& [name, value] : facts.attributes.system) {
    if (name.starts_with('.')) continue;  // our own
    bool is_checksum = name.starts_with("x-amz-checksum-");
    if (is_checksum && !(wants_checksum && is_whole)) continue;
    headers.set(name, value);
    if (is_checksum && !facts.attributes.system.contains("x-amz-checksum-type"))
      headers.set("x-amz-checksum-type", "FULL_OBJECT");
  }
  for (const auto& [name, value] : facts.attributes.user)
    headers.set(std::string(meta_prefix) + name, value);
  for (std::string_view name : {"content-type", "content-language", "expires", "cache-control",
                                "content-disposition", "content-encoding"}) {
    std::string parameter = "response-" + std::string(name);
    if (call.has(parameter)) headers.set(name, call.text(parameter));
  }
}

Outcome check_read_conditions(const Call& call, const objects::ObjectFacts& facts,
                              std::string_view prefix) {
  auto header = [&](std::string_view name) {
    return call.header(std::string(prefix) + std::string(name));
  };
  auto failed = [] {
    return failure("PreconditionFailed",
                   "At least one of the pre-conditions you specified did not hold");
  };
  // HTTP dates have whole seconds.
  int64_t modified_ms = facts.modified_ms / 1'000 * 1'000;
  if (std::string_view match = header("if-match"); !match.empty()) {
    if (!lists_etag(match, facts.etag)) return failed();
  } else if (auto date = from_http_date(header("if-unmodified-since"))) {
    if (modified_ms > *date) return failed();
  }
  Failure same{prefix.empty() ? "NotModified" : "PreconditionFailed", "Not Modified", {}};
  if (std::string_view none = header("if-none-match"); !none.empty()) {
    if (lists_etag(none, facts.etag)) return std::unexpected(same);
  } else if (auto date = from_http_date(header("if-modified-since"))) {
    if (modified_ms <= *date) return std::unexpected(same);
  }
  return {};
}

std::expected<Range, Failure> range_of(std::string_view header, uint64_t object_bytes) {
  Range whole{0, object_bytes, true};
  constexpr std::string_view unit = "bytes=";
  if (!header.starts_with(unit) || header.find(',') != std::string_view::npos) return whole;
  header.remove_prefix(unit.size());
  size_t dash = header.find('-');
  if (dash == std::string_view::npos) return whole;
  std::string_view from = trimmed(header.substr(0, dash)), to = trimmed(header.substr(dash + 1));
  uint64_t first = 0, last = 0;
  bool beyond = false;
  if (from.empty()) {
    if (!read_number(to, last)) return whole;
    beyond = last == 0 || object_bytes == 0;
    first = object_bytes - std::min(last, object_bytes);
    last = object_bytes - 1;
  } else {
    if (!read_number(from, first)) return whole;
    last = UINT64_MAX;
    if (!to.empty() && (!read_number(to, last) || last < first)) return whole;
    beyond = first >= object_bytes;
    last = std::min(last, object_bytes - 1);
  }
  if (beyond)
    return std::unexpected(Failure{"InvalidRange",
                                   "The requested range is not satisfiable",
                                   {{"ActualObjectSize", std::to_string(object_bytes)}}});
  return Range{first, last - first + 1, false};
}

std::expected<CopySource, Failure> copy_source_of(const Call& call) {
  std::string_view text = call.header("x-amz-copy-source");
  if (text.starts_with('/')) text.remove_prefix(1);
  if (size_t query = text.find("?versionId="); query != std::string_view::npos) {
    if (text.substr(query) != "?versionId=null")
      return failure("NoSuchVersion", "The specified version does not exist.");
    text = text.substr(0, query);
  }
  auto decoded = codec::percent_decode(text);
  size_t slash = decoded ? decoded->find('/') : std::string::npos;
  if (slash == std::string::npos || slash == 0 || slash + 1 == decoded->size())
    return failure("InvalidArgument",
                   "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
  return CopySource{decoded->substr(0, slash), decoded->substr(slash + 1)};
}

std::string without_quotes(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

}  // namespace pinpipe::s3
