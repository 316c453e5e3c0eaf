// What S3's XML answers have in common.
#pragma once

#include <string_view>

#include "codec/xml.h"

namespace pinpipe::s3 {

inline constexpr std::string_view xml_namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
inline constexpr std::string_view owner_id =
    "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a";

inline void write_owner(codec::XmlWriter& writer) {
  writer.begin("Owner").element("ID", owner_id).element("DisplayName", "pinpipe").end();
}

}  // namespace pinpipe::s3
