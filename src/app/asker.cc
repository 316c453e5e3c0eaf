#include "app/asker.h"

#include <fmt/format.h>

#include "app/remote.h"
#include "io/files.h"

namespace pinpipe::app {

Asker::~Asker() = default;

Asker::Opened Asker::open(const Invocation& invocation) {
  std::unique_ptr<Asker> asker(new Asker);
  auto endpoints = read_endpoints(invocation.data_path);
  if (endpoints) {
    asker->endpoints_ = std::move(*endpoints);
    asker->runtime_ = std::make_unique<io::Runtime>(
        io::Runtime::Options{.loops = 1, .disk_threads = 1, .work_threads = 1});
    return {.asker = std::move(asker), .code = ExitCode::ok};
  }
  if (!io::posix_files().exists(invocation.data_path + "/FORMAT")) {
    return {.asker = nullptr,
            .code = report(
                Error(Code::not_found, "there is no data in " + invocation.data_path +
                                           " yet; start with `pinpipe demo` or `pinpipe up`"))};
  }
  OpenedHouse opened = open_house(invocation, {.doors = false});
  if (!opened.house) return {.asker = nullptr, .code = opened.code};
  asker->house_ = std::move(opened.house);
  return {.asker = std::move(asker), .code = ExitCode::ok};
}

Result<Answer> Asker::ask(std::string_view noun, std::string_view verb, codec::Json arguments) {
  for (const Operation& operation : operations()) {
    if (operation.noun != noun || operation.verb != verb) continue;
    auto checked = checked_arguments(operation.parameters, std::move(arguments));
    if (!checked) return checked.error();
    return house_ ? house_->call(operation, std::move(*checked))
                  : call_server(*runtime_, *endpoints_, operation, *checked);
  }
  return Error(Code::internal, fmt::format("there is no operation {} {}", noun, verb));
}

}  // namespace pinpipe::app
