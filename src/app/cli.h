// The command line: nouns and verbs from the lists of operations and commands, parsed by CLI11.
#pragma once

namespace pinpipe::app {

// The process's exit code.
int run_command_line(int argc, char** argv);

}  // namespace pinpipe::app
