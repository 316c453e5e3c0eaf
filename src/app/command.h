// A command that runs in this process whether or not a server does: it starts one, talks to any
// base URL, or only reads files. Commands that ask the house are Operations.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/exit_code.h"
#include "app/house.h"
#include "app/operation.h"
#include "app/project_source.h"

namespace pinpipe::app {

// What every command is told.
struct Invocation {
  std::string program = "pinpipe";  // as it was called
  std::string data_path;            // --data
  ProjectSource project;            // --project, --overlay
  Form form = Form::table;          // -o
  bool form_given = false;
  codec::Json arguments;
};

struct Command {
  std::string_view noun;
  std::string_view verb;
  std::string_view summary;
  std::string_view example;
  std::vector<Parameter> parameters;
  ExitCode (*run)(const Invocation& invocation);
};

const std::vector<Command>& commands();

// How to call it again on the same data: what a person can copy.
std::string command_of(const Invocation& invocation);
// "error: sentence" with its next step on stderr; gives the code's exit code.
ExitCode report(const Error& error);
// The answer on stdout in the wanted form, its notes on stderr when a person reads a table.
ExitCode print(const Answer& answer, Form form);

// The house of the invocation's data and project, which need not be in the options. Without one,
// stderr has said why and `code` is how to end.
struct OpenedHouse {
  std::unique_ptr<House> house;
  ExitCode code = ExitCode::ok;
};
OpenedHouse open_house(const Invocation& invocation, House::Options options);
// The invocation's project; without one, stderr has said why.
std::optional<project::Project> open_project(const Invocation& invocation);

// One file each, src/app/commands/.
ExitCode run_up(const Invocation& invocation);
ExitCode run_down(const Invocation& invocation);
ExitCode run_demo(const Invocation& invocation);
ExitCode run_emulate_batch(const Invocation& invocation);
ExitCode run_emulate_stream(const Invocation& invocation);
ExitCode run_source_create(const Invocation& invocation);
ExitCode run_doctor(const Invocation& invocation);
ExitCode run_init(const Invocation& invocation);
ExitCode run_object_cp(const Invocation& invocation);
ExitCode run_sql(const Invocation& invocation);
ExitCode run_stream_read(const Invocation& invocation);
ExitCode run_test(const Invocation& invocation);
ExitCode run_validate(const Invocation& invocation);
ExitCode run_export_airflow(const Invocation& invocation);
ExitCode run_explain(const Invocation& invocation);
ExitCode run_version(const Invocation& invocation);
ExitCode run_topic_consume(const Invocation& invocation);
ExitCode run_topic_produce(const Invocation& invocation);
ExitCode run_completion(const Invocation& invocation);

}  // namespace pinpipe::app
