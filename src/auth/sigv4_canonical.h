// The canonical forms that both sides of a version 4 signature compute.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/sigv4.h"

namespace pinpipe::auth {

std::string canonical_path(std::string_view path, bool is_s3);
// Sorted by encoded name, then value; parameters called `left_out` are left out.
std::string canonical_query(std::string_view query, std::string_view left_out);
// The values of that header, trimmed, inner blanks collapsed, joined by ','.
std::string canonical_header(const RequestView& request, std::string_view lower_name);
std::string canonical_request(const RequestView& request,
                              const std::vector<std::string>& signed_headers,
                              std::string_view left_out, std::string_view payload_hash, bool is_s3);
std::string string_to_sign(std::string_view amz_date, std::string_view scope,
                           std::string_view canonical);

// Trimmed value of the first header of that name.
std::optional<std::string_view> find_header(const RequestView& request,
                                            std::string_view lower_name);

// "20130524T000000Z"
std::string to_amz_date(int64_t wall_ms);
std::optional<int64_t> from_amz_date(std::string_view text);
// "Fri, 24 May 2013 00:00:00 GMT"
std::optional<int64_t> from_http_date(std::string_view text);

}  // namespace pinpipe::auth
