#include <string>
#include <vector>

#include "app/cli.h"
#include "source/address.h"

int main(int argc, char** argv) {
  // The list of processes shows the arguments themselves: what they held is kept in copies.
  std::vector<std::string> words(argv, argv + argc);
  pinpipe::source::hide_passwords(argc, argv);
  std::vector<char*> kept;
  for (std::string& word : words) kept.push_back(word.data());
  kept.push_back(nullptr);
  return pinpipe::app::run_command_line(argc, kept.data());
}
