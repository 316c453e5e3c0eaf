// A browser's upload: multipart/form-data (RFC 7578) with the fields of an S3 POST policy.
// Promise: what the policy does not allow is refused: fields that no condition names, values that
// break one, sizes outside its range, a policy that has expired.
// Bounds: form_bytes_max of a whole form, fields_max.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "doors/s3/call.h"

namespace pinpipe::s3 {

inline constexpr uint64_t form_bytes_max = 64 << 20;
inline constexpr size_t form_fields_max = 200;

struct Form {
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case, in order
  std::string file_name;
  std::string_view file;  // a view of the body

  // The first field of that name, or empty.
  std::string_view text(std::string_view name) const;
  bool has(std::string_view name) const;
};

bool is_form(const http::Request& request);
// MalformedPOSTRequest, or InvalidArgument when there is not exactly one file.
std::expected<Form, Failure> read_form(std::string_view content_type, std::string_view body);

// Whether the policy (JSON) allows this form in this bucket now.
Outcome check_policy(std::string_view policy, const Form& form, std::string_view bucket,
                     int64_t wall_ms);

}  // namespace pinpipe::s3
