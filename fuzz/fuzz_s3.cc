// What the S3 door reads by itself: browser forms and their policies, the aws-chunked framing,
// ranges and the keys' places on disk. The framing gives the same bytes in whatever pieces it
// comes, and no key's path leads out of its bucket.
//   first line: "form boundary", "policy", "chunks step" or "key"; the rest is its input
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "doors/s3/aws_chunks.h"
#include "doors/s3/form.h"
#include "doors/s3/object_headers.h"
#include "doors/s3/part_checksums.h"
#include "objects/key_path.h"

using namespace pinpipe;

namespace {

void try_form(std::string_view boundary, std::string_view body) {
  auto form = s3::read_form("multipart/form-data; boundary=" + std::string(boundary), body);
  if (!form) return;
  CHECK(form->fields.size() <= s3::form_fields_max, "a form's fields are bounded");
  CHECK(form->file.empty() || (form->file.data() >= body.data() &&
                               form->file.data() + form->file.size() <= body.data() + body.size()),
        "the file is a part of the body");
  CHECK(form->file_name.find_first_of("/\\") == std::string::npos, "a file's name has no folder");
  (void)s3::check_policy(form->text("policy"), *form, "bucket", 0);
}

std::optional<std::string> unframed(std::string_view body, size_t step) {
  s3::AwsChunks chunks(std::nullopt, true);
  std::string out;
  while (!body.empty()) {
    size_t count = std::min(step, body.size());
    if (!chunks.feed(body.substr(0, count), out)) return std::nullopt;
    body.remove_prefix(count);
  }
  if (!chunks.is_complete()) return std::nullopt;
  CHECK(chunks.trailers().size() <= s3::AwsChunks::trailers_max, "trailers are bounded");
  return out;
}

void try_key(std::string_view key) {
  if (!objects::check_key(key)) return;
  std::string path = objects::has_plain_path(key) ? std::string(key) : objects::odd_path(key);
  if (!objects::has_plain_path(key)) {
    auto back = objects::key_of_odd_path(path.substr(objects::odd_area.size() + 1));
    CHECK(back && *back == key, "an odd path leads back to its key");
  }
  CHECK(!path.empty() && path.front() != '/', "a path is relative");
  for (std::string_view rest = path; !rest.empty();) {
    std::string_view part = rest.substr(0, rest.find('/'));
    CHECK(!part.empty() && part != "." && part != ".." && part.size() <= 255,
          "each part of a path is a name");
    CHECK(part.find('\0') == part.npos, "a name has no end in it");
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
  }
}

void try_range(std::string_view text) {
  for (uint64_t size : {uint64_t{0}, uint64_t{1}, uint64_t{1'000}, UINT64_MAX}) {
    auto range = s3::range_of(text, size);
    CHECK(!range || (range->offset <= size && range->size <= size - range->offset),
          "a range lies in its object");
  }
  (void)s3::part_sizes_of(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string_view head = input.substr(0, input.find('\n'));
  std::string_view rest = input.substr(std::min(head.size() + 1, input.size()));
  std::string_view kind = head.substr(0, head.find(' '));
  std::string_view detail = head.substr(std::min(kind.size() + 1, head.size()));
  if (kind == "form") {
    try_form(detail, rest);
  } else if (kind == "policy") {
    s3::Form form;
    form.fields = {{"key", "a"}, {"acl", "private"}};
    (void)s3::check_policy(rest, form, "bucket", 0);
  } else if (kind == "chunks") {
    CHECK(unframed(rest, 1 + detail.size()) == unframed(rest, SIZE_MAX),
          "the pieces it comes in change nothing");
  } else if (kind == "key") {
    try_key(rest);
  } else {
    try_range(rest);
  }
  return 0;
}
