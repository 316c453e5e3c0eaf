// Asks the house, whoever holds it: the running server over its socket, or one that is opened on
// the data directory for as long as this lives.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "app/command.h"
#include "app/data_directory.h"
#include "io/runtime.h"

namespace pinpipe::app {

class Asker {
 public:
  // Without one, stderr has said why and `code` is how to end.
  struct Opened;
  static Opened open(const Invocation& invocation);
  ~Asker();

  // The operation of that noun and verb; arguments are checked here.
  Result<Answer> ask(std::string_view noun, std::string_view verb, codec::Json arguments);
  // The same, but Ctrl-C ends what was asked, in the server as well, and nothing else: `cancelled`.
  Result<Answer> ask_until_interrupted(std::string_view noun, std::string_view verb,
                                       codec::Json arguments);
  // Without a server nobody but this process changes anything.
  bool has_server() const { return endpoints_.has_value(); }

 private:
  Asker() = default;
  // A task for the first loop of runtime().
  Result<io::Task<Result<Answer>>> task_of(std::string_view noun, std::string_view verb,
                                           codec::Json arguments);
  io::Runtime& runtime() { return house_ ? house_->runtime() : *runtime_; }

  std::unique_ptr<io::Runtime> runtime_;  // with `endpoints_`
  std::optional<Endpoints> endpoints_;
  std::unique_ptr<House> house_;
};

struct Asker::Opened {
  std::unique_ptr<Asker> asker;
  ExitCode code = ExitCode::ok;
};

}  // namespace pinpipe::app
