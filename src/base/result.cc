#include "base/result.h"

#include <cerrno>
#include <system_error>

namespace pinpipe {

std::string_view name_of(Code code) {
  switch (code) {
    case Code::not_found:
      return "not_found";
    case Code::invalid:
      return "invalid";
    case Code::denied:
      return "denied";
    case Code::conflict:
      return "conflict";
    case Code::busy:
      return "busy";
    case Code::timeout:
      return "timeout";
    case Code::corrupt:
      return "corrupt";
    case Code::unavailable:
      return "unavailable";
    case Code::cancelled:
      return "cancelled";
    case Code::internal:
      return "internal";
  }
  return "unknown";
}

namespace {
Code code_of_errno(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return Code::not_found;
    case EEXIST:
    case ENOTEMPTY:
      return Code::conflict;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::denied;
    case EINVAL:
    case ENAMETOOLONG:
    case EISDIR:
      return Code::invalid;
    case EAGAIN:
    case EMFILE:
    case ENFILE:
      return Code::busy;
    case ETIMEDOUT:
      return Code::timeout;
    case ECANCELED:
      return Code::cancelled;
    case ENOSPC:
    case EDQUOT:
    case EIO:
    case EADDRINUSE:
    case EADDRNOTAVAIL:
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return Code::unavailable;
    default:
      return Code::internal;
  }
}
}  // namespace

Error error_of_errno(int number, std::string_view action) {
  std::string text = "cannot ";
  text.append(action).append(": ").append(std::generic_category().message(number));
  return {code_of_errno(number), std::move(text)};
}

}  // namespace pinpipe
