#include <string>
#include <sys/resource.h>
#include <vector>

#include "app/cli.h"
#include "source/address.h"

namespace {

// A shell gives a process far fewer open files than it may have: every connection and every segment
// is one.
void allow_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);  // what it cannot have, `pinpipe doctor` tells
}

}  // namespace

int main(int argc, char** argv) {
  allow_open_files();
  // The list of processes shows the arguments themselves: what they held is kept in copies.
  std::vector<std::string> words(argv, argv + argc);
  pinpipe::source::hide_passwords(argc, argv);
  std::vector<char*> kept;
  for (std::string& word : words) kept.push_back(word.data());
  kept.push_back(nullptr);
  return pinpipe::app::run_command_line(argc, kept.data());
}
