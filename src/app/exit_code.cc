#include "app/exit_code.h"

namespace pinpipe::app {

ExitCode exit_code_of(Code code) {
  switch (code) {
    case Code::not_found:
      return ExitCode::not_found;
    case Code::invalid:
      return ExitCode::usage;
    case Code::denied:
      return ExitCode::denied;
    case Code::conflict:
      return ExitCode::conflict;
    case Code::timeout:
      return ExitCode::timed_out;
    case Code::busy:
    case Code::corrupt:
    case Code::unavailable:
    case Code::cancelled:
      return ExitCode::failed;
    case Code::internal:
      return ExitCode::internal;
  }
  return ExitCode::internal;
}

std::string_view text_of(ExitCode code) {
  switch (code) {
    case ExitCode::ok:
      return "ok";
    case ExitCode::failed:
      return "the work failed";
    case ExitCode::usage:
      return "the command line is wrong";
    case ExitCode::project:
      return "configuration or project files are invalid";
    case ExitCode::unreachable:
      return "the server cannot be reached";
    case ExitCode::not_found:
      return "the named thing does not exist";
    case ExitCode::timed_out:
      return "time ran out";
    case ExitCode::conflict:
      return "it exists already, or the data directory is locked";
    case ExitCode::denied:
      return "not allowed";
    case ExitCode::internal:
      return "a bug in pinpipe";
  }
  return "unknown";
}

}  // namespace pinpipe::app
