// A command that asks or changes something in the house. One list of them is the command line, the
// API and the documentation: a new command is one entry. It runs in the server when one holds the
// data directory, and otherwise in this process on the directory itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/answer.h"
#include "codec/json.h"
#include "io/task.h"

namespace pinpipe::app {

class House;

struct Parameter {
  enum class Kind {
    text,
    integer,
    flag,
    file,   // a text that the command line reads from the file of that name; "-" is stdin
    texts,  // a list of them: an option that may be repeated, or all further words
  };

  std::string_view name;  // "count" is --count; a positional one is written without dashes
  Kind kind = Kind::text;
  bool positional = false;
  bool required = false;
  std::string_view summary = {};
  std::string_view fallback = {};  // used when it is not given; shown in the help
  char letter = '\0';              // 'e': -e means the same
};

struct Operation {
  std::string_view noun;  // empty for the daily verbs
  std::string_view verb;
  std::string_view summary = {};
  std::string_view example;
  bool writes = false;
  bool runs_tasks = false;  // without a server, the command's own process works on DAG runs
  std::vector<Parameter> parameters;
  io::Task<Result<Answer>> (*run)(House& house, codec::Json arguments);
  // How the answer is printed when no form is asked for, where a table is not what one expects.
  std::string (*plain)(const Answer& answer) = nullptr;
};

// All of them, in the order in which help lists them.
const std::vector<Operation>& operations();

// Refuses unknown arguments and wrong kinds, fills in fallbacks.
Result<codec::Json> checked_arguments(const std::vector<Parameter>& parameters, codec::Json given);

// Arguments that were checked: the value of a text, texts, integer or flag parameter.
std::string text_argument(const codec::Json& arguments, std::string_view name);
std::vector<std::string> texts_argument(const codec::Json& arguments, std::string_view name);
int64_t integer_argument(const codec::Json& arguments, std::string_view name);
bool flag_argument(const codec::Json& arguments, std::string_view name);

}  // namespace pinpipe::app
