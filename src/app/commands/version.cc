#include <cstdio>

#include "app/command.h"

namespace pinpipe::app {

ExitCode run_version(const Invocation& invocation) {
  Answer answer;
  answer.columns = {"program", "version", "compiler", "data_format"};
  answer.add_row({"pinpipe", PINPIPE_VERSION, "clang " __clang_version__, 1});
  return print(answer, invocation.form);
}

}  // namespace pinpipe::app
