// How S3's headers say an object's attributes, for both ends of a connection.
#pragma once

#include <algorithm>
#include <string_view>

namespace pinpipe::objects {

inline constexpr std::string_view meta_prefix = "x-amz-meta-";  // Attributes::user

// Whether Attributes::system keeps the header as it came. Names are in lower case.
inline bool is_kept_header(std::string_view name) {
  constexpr std::string_view kept[] = {"cache-control",    "content-disposition",
                                       "content-encoding", "content-language",
                                       "expires",          "x-amz-website-redirect-location"};
  return std::ranges::find(kept, name) != std::end(kept);
}

}  // namespace pinpipe::objects
