#include "app/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app/command.h"
#include "app/house.h"
#include "app/remote.h"
#include "io/scope.h"
#include "project/nearest.h"

namespace pinpipe::app {
namespace {

using codec::Json;

constexpr const char* standard_data_path = "./pinpipe-data";

// What CLI11 parsed into, for one verb's parameters.
struct Values {
  std::map<std::string, std::string, std::less<>> texts;
  std::map<std::string, std::vector<std::string>, std::less<>> lists;
  std::map<std::string, int64_t, std::less<>> integers;
  std::map<std::string, bool, std::less<>> flags;
  std::map<std::string, CLI::Option*, std::less<>> options;
};

void add_parameter(CLI::App& verb, const Parameter& parameter, Values& values) {
  std::string name(parameter.name);
  std::string flag = parameter.positional ? name : "--" + name;
  // What may be left out may also be named: scripts say --dag, people do not.
  if (parameter.positional && !parameter.required && parameter.kind == Parameter::Kind::text)
    flag += ",--" + name;
  if (parameter.letter != '\0') flag = std::string("-") + parameter.letter + "," + flag;
  std::string summary(parameter.summary);
  if (!parameter.fallback.empty()) summary += " [" + std::string(parameter.fallback) + "]";
  CLI::Option* option = nullptr;
  switch (parameter.kind) {
    case Parameter::Kind::text:
    case Parameter::Kind::file:
      option = verb.add_option(flag, values.texts[name], summary);
      break;
    case Parameter::Kind::texts:
      option = verb.add_option(flag, values.lists[name], summary);
      option->allow_extra_args(parameter.positional);
      break;
    case Parameter::Kind::integer:
      option = verb.add_option(flag, values.integers[name], summary);
      break;
    case Parameter::Kind::flag:
      option = verb.add_flag(flag, values.flags[name], summary);
      break;
  }
  if (parameter.required) option->required();
  values.options[name] = option;
}

Result<std::string> content_of(const std::string& path) {
  if (path == "-") {
    std::string text;
    char step[4096];
    while (size_t got = std::fread(step, 1, sizeof step, stdin)) text.append(step, got);
    return text;
  }
  auto content = io::posix_files().read_all(path);
  if (!content) return Error(Code::not_found, content.error().text());
  return content;
}

Result<Json> arguments_of(const std::vector<Parameter>& parameters, const Values& values) {
  Json arguments = Json::object();
  for (const Parameter& parameter : parameters) {
    std::string name(parameter.name);
    if (values.options.at(name)->count() == 0) continue;
    switch (parameter.kind) {
      case Parameter::Kind::text:
        arguments.set(name, values.texts.at(name));
        break;
      case Parameter::Kind::texts: {
        Json list = Json::array();
        for (const std::string& text : values.lists.at(name)) list.push(text);
        arguments.set(name, std::move(list));
        break;
      }
      case Parameter::Kind::file: {
        auto content = content_of(values.texts.at(name));
        if (!content) return content.error();
        arguments.set(name, std::move(*content));
        break;
      }
      case Parameter::Kind::integer:
        arguments.set(name, values.integers.at(name));
        break;
      case Parameter::Kind::flag:
        arguments.set(name, values.flags.at(name));
        break;
    }
  }
  return arguments;
}

struct Parser {
  CLI::App top{"The whole Pinterest data pipeline in one program.", "pinpipe"};
  std::string data = standard_data_path;
  std::string project;
  std::vector<std::string> overlays;
  std::string form;
  std::map<std::string, CLI::App*> nouns;
  std::vector<std::unique_ptr<Values>> values;

  CLI::App& place_for(std::string_view noun) {
    if (noun.empty()) return top;
    CLI::App*& place = nouns[std::string(noun)];
    if (place == nullptr) {
      place = top.add_subcommand(std::string(noun), "commands about a " + std::string(noun));
      place->require_subcommand(1);
      place->fallthrough();  // so that -o may also stand behind noun and verb
    }
    return *place;
  }

  // Gives what the verb's parameters are parsed into.
  CLI::App* add(std::string_view noun, std::string_view verb, std::string_view summary,
                std::string_view example, const std::vector<Parameter>& parameters) {
    CLI::App* sub = place_for(noun).add_subcommand(std::string(verb), std::string(summary));
    if (!example.empty()) sub->footer("Example:\n  " + std::string(example));
    values.push_back(std::make_unique<Values>());
    for (const Parameter& parameter : parameters) add_parameter(*sub, parameter, *values.back());
    sub->fallthrough();
    return sub;
  }
};

ExitCode print_answer(const Operation& operation, const Answer& answer,
                      const Invocation& invocation) {
  if (operation.plain == nullptr || invocation.form_given) return print(answer, invocation.form);
  std::fputs(operation.plain(answer).c_str(), stdout);
  return answer.failed ? ExitCode::failed : ExitCode::ok;
}

ExitCode run_operation(const Operation& operation, const Invocation& invocation) {
  auto arguments = checked_arguments(operation.parameters, invocation.arguments);
  if (!arguments) return report(arguments.error());
  auto endpoints = read_endpoints(invocation.data_path);
  if (endpoints) {
    io::Runtime runtime({.loops = 1, .disk_threads = 1, .work_threads = 1});
    auto answer = io::wait_on(runtime.loop(0), call_server(*endpoints, operation, *arguments));
    if (!answer) {
      ExitCode code = report(answer.error());
      return answer.error().code() == Code::unavailable ? ExitCode::unreachable : code;
    }
    return print_answer(operation, *answer, invocation);
  }
  if (!io::posix_files().exists(invocation.data_path + "/FORMAT")) {
    return report(Error(Code::not_found, "there is no data in " + invocation.data_path +
                                             " yet; start with `pinpipe demo` or `pinpipe up`"));
  }
  OpenedHouse opened = open_house(invocation, {.doors = false});
  if (!opened.house) return opened.code;
  auto answer = opened.house->call(operation, std::move(*arguments));
  return answer ? print_answer(operation, *answer, invocation) : report(answer.error());
}

// A command of the same name asks the operation itself, and does more around it.
bool is_command(const Operation& operation) {
  return std::ranges::any_of(commands(), [&](const Command& command) {
    return command.noun == operation.noun && command.verb == operation.verb;
  });
}

// The sentence about a word that stands where a command should and is none; empty otherwise.
std::string unknown_command(const CLI::App& top) {
  std::vector<std::string> words = top.remaining(true);
  std::erase_if(words, [](const std::string& word) { return word.starts_with('-'); });
  const CLI::App* place = &top;
  for (const CLI::App* noun : top.get_subcommands()) {
    if (noun->get_require_subcommand_min() > 0) place = noun;
  }
  if (words.empty() || !place->get_subcommands().empty()) return "";
  std::vector<std::string> names;
  for (const CLI::App* sub : place->get_subcommands(nullptr)) names.push_back(sub->get_name());
  std::string who = place == &top ? "there is no command" : place->get_name() + " has no command";
  std::string help = place == &top ? "pinpipe --help" : "pinpipe " + place->get_name() + " --help";
  std::string meant = project::did_you_mean(words.front(), names);
  return who + " \"" + words.front() + "\"; " + (meant.empty() ? "" : meant + " ") + "`" + help +
         "` lists them";
}

size_t terminal_width() {
  winsize size{};
  if (isatty(STDOUT_FILENO) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

}  // namespace

std::string command_of(const Invocation& invocation) {
  bool is_standard = invocation.data_path == standard_data_path;
  return invocation.program + (is_standard ? "" : " --data " + invocation.data_path);
}

ExitCode report(const Error& error) {
  std::fprintf(stderr, "error: %s\n", error.text().c_str());
  return exit_code_of(error.code());
}

std::optional<project::Project> open_project(const Invocation& invocation) {
  project::Loaded loaded = load_project(invocation.project);
  if (!loaded.project) std::fputs(project::render(loaded.diagnostics).c_str(), stderr);
  return std::move(loaded.project);
}

OpenedHouse open_house(const Invocation& invocation, House::Options options) {
  auto project = open_project(invocation);
  if (!project) return {.house = nullptr, .code = ExitCode::project};
  options.data_path = invocation.data_path;
  options.project = std::move(*project);
  auto house = House::open(std::move(options));
  if (!house) {
    ExitCode code = report(house.error());
    // What a house finds invalid is what its project says: a certificate, a key, an address.
    return {.house = nullptr, .code = code == ExitCode::usage ? ExitCode::project : code};
  }
  return {.house = std::move(*house), .code = ExitCode::ok};
}

ExitCode print(const Answer& answer, Form form) {
  std::string text = render(answer, form, terminal_width());
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
  if (form == Form::table || answer.failed) {
    for (const std::string& note : answer.notes) std::fprintf(stderr, "%s\n", note.c_str());
  }
  return answer.failed ? ExitCode::failed : ExitCode::ok;
}

int run_command_line(int argc, char** argv) {
  Parser parser;
  parser.top.require_subcommand(1);
  parser.top.add_option("--data", parser.data, "the data directory [./pinpipe-data]");
  parser.top.add_option("--project", parser.project,
                        "a project folder [the Pinterest project in the program]");
  parser.top
      .add_option("--overlay", parser.overlays,
                  "a folder whose files lie over the project's; may be repeated")
      ->allow_extra_args(false);
  parser.top.add_option("-o,--output", parser.form, "table, json, ndjson or csv [table]");
  parser.top.footer("Start with: pinpipe demo\nEach command has its own --help with an example.");

  std::vector<std::pair<CLI::App*, std::function<ExitCode(Invocation)>>> verbs;
  for (const Command& command : commands()) {
    CLI::App* sub = parser.add(command.noun, command.verb, command.summary, command.example,
                               command.parameters);
    Values* values = parser.values.back().get();
    verbs.emplace_back(sub, [&command, values](Invocation invocation) {
      auto given = arguments_of(command.parameters, *values);
      if (!given) return report(given.error());
      auto arguments = checked_arguments(command.parameters, std::move(*given));
      if (!arguments) return report(arguments.error());
      invocation.arguments = std::move(*arguments);
      return command.run(invocation);
    });
  }
  for (const Operation& operation : operations()) {
    if (is_command(operation)) continue;
    CLI::App* sub = parser.add(operation.noun, operation.verb, operation.summary, operation.example,
                               operation.parameters);
    Values* values = parser.values.back().get();
    verbs.emplace_back(sub, [&operation, values](Invocation invocation) {
      auto given = arguments_of(operation.parameters, *values);
      if (!given) return report(given.error());
      invocation.arguments = std::move(*given);
      return run_operation(operation, invocation);
    });
  }

  try {
    parser.top.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::string unknown = e.get_exit_code() == 0 ? "" : unknown_command(parser.top);
    if (!unknown.empty()) return static_cast<int>(report(Error(Code::invalid, unknown)));
    int code = parser.top.exit(e);
    return code == 0 ? 0 : static_cast<int>(ExitCode::usage);
  }
  auto form = form_of(parser.form.empty() ? "table" : parser.form);
  if (!form) return static_cast<int>(report(form.error()));
  Invocation invocation{.program = argv[0],
                        .data_path = parser.data,
                        .project = {.path = parser.project, .overlays = parser.overlays},
                        .form = *form,
                        .form_given = !parser.form.empty(),
                        .arguments = {}};
  for (auto& [sub, run] : verbs) {
    if (sub->parsed()) return static_cast<int>(run(std::move(invocation)));
  }
  return static_cast<int>(ExitCode::usage);
}

}  // namespace pinpipe::app
