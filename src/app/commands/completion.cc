// Completion scripts for bash, zsh and fish, made from the same lists as the command line.
#include <cstdio>
#include <map>
#include <string>

#include "app/command.h"

namespace pinpipe::app {
namespace {

// "topic" -> "list create …"; "" -> nouns and daily verbs.
std::map<std::string, std::string> words() {
  std::map<std::string, std::string> all;
  auto add = [&](std::string_view noun, std::string_view verb) {
    if (!noun.empty() && !all.contains(std::string(noun))) all[""] += std::string(noun) + " ";
    all[std::string(noun)] += std::string(verb) + " ";
  };
  for (const Command& command : commands()) add(command.noun, command.verb);
  for (const Operation& operation : operations()) add(operation.noun, operation.verb);
  return all;
}

std::string bash_script() {
  std::string cases;
  for (const auto& [noun, verbs] : words()) {
    if (!noun.empty()) cases += "    " + noun + ") list=\"" + verbs + "\" ;;\n";
  }
  return "# eval \"$(pinpipe completion bash)\"\n"
         "_pinpipe() {\n"
         "  local list=\"\" word=\"${COMP_WORDS[COMP_CWORD]}\"\n"
         "  [ \"$COMP_CWORD\" = 1 ] && list=\"" +
         words()[""] +
         "\"\n"
         "  [ \"$COMP_CWORD\" = 2 ] && case \"${COMP_WORDS[1]}\" in\n" +
         cases +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$list\" -- \"$word\"))\n"
         "}\n"
         "complete -F _pinpipe -o default pinpipe\n";
}

std::string zsh_script() {
  return "# eval \"$(pinpipe completion zsh)\"\nautoload -U +X bashcompinit && bashcompinit\n" +
         bash_script();
}

std::string fish_script() {
  std::string script = "# pinpipe completion fish | source\n";
  for (const auto& [noun, verbs] : words()) {
    std::string condition =
        noun.empty() ? "__fish_use_subcommand" : "__fish_seen_subcommand_from " + noun;
    script += "complete -c pinpipe -f -n '" + condition + "' -a '" + verbs + "'\n";
  }
  return script;
}

}  // namespace

ExitCode run_completion(const Invocation& invocation) {
  std::string shell = text_argument(invocation.arguments, "shell");
  std::string script = shell == "bash"   ? bash_script()
                       : shell == "zsh"  ? zsh_script()
                       : shell == "fish" ? fish_script()
                                         : "";
  if (script.empty())
    return report(Error(Code::invalid,
                        "there are completions for bash, zsh and fish, not for \"" + shell + "\""));
  std::fputs(script.c_str(), stdout);
  return ExitCode::ok;
}

}  // namespace pinpipe::app
