#include "doors/rest/json_stream.h"

#include <algorithm>

namespace pinpipe::rest {
namespace {

constexpr std::string_view blanks = " \t\r\n";

}  // namespace

void JsonStream::feed(std::string_view bytes) {
  bytes_.erase(0, begin_);
  seen_ -= begin_;
  begin_ = 0;
  bytes_ += bytes;
}

bool JsonStream::is_between() const {
  return bytes_.find_first_not_of(blanks, begin_) == bytes_.npos;
}

Result<std::optional<std::string_view>> JsonStream::next() {
  if (depth_ == 0) {
    begin_ = std::min(bytes_.find_first_not_of(blanks, begin_), bytes_.size());
    seen_ = begin_;
    if (begin_ == bytes_.size()) return std::optional<std::string_view>();
    if (bytes_[begin_] != '{')
      return Error(Code::invalid, "a record is an object: {\"value\":{\"type\":…,\"data\":…}}");
  }
  while (seen_ < bytes_.size()) {
    char c = bytes_[seen_++];
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && --depth_ == 0) {
      auto object = std::string_view(bytes_).substr(begin_, seen_ - begin_);
      begin_ = seen_;
      return std::optional(object);
    }
  }
  if (bytes_.size() - begin_ > object_bytes_max)
    return Error(Code::invalid, "a record of more than 64 MiB");
  return std::optional<std::string_view>();
}

}  // namespace pinpipe::rest
