// up and down: the server in the foreground, and how to end it from elsewhere.
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <signal.h>
#include <unistd.h>

#include "app/command.h"
#include "app/house.h"
#include "io/scope.h"
#include "io/signals.h"

namespace pinpipe::app {
namespace {

constexpr Millis down_wait_max{60'000};

void print_addresses(const House& house, const std::string& self) {
  const Endpoints& at = house.endpoints();
  std::fprintf(stderr,
               "pinpipe is up on %s\n"
               "  kafka    %s\n"
               "  gateway  http://%s/test/topics/%s.pin\n"
               "  connect  http://%s/connectors\n"
               "  aws      http://%s      (Kinesis and S3)\n"
               "  mysql    %s      (user pinpipe, password pinpipe, database pinterest_data)\n"
               "  console  http://%s/#token=%s\n"
               "Ctrl-C ends it. Elsewhere: eval \"$(%s env)\"  ·  %s status\n",
               house.directory().path().c_str(), at.kafka.c_str(), at.gateway.c_str(),
               house.user_id().c_str(), at.connect.c_str(), at.aws.c_str(), at.mysql.c_str(),
               at.console.c_str(), house.token().c_str(), self.c_str(), self.c_str());
  for (const auto& [door, address] : at.outside)
    std::fprintf(stderr, "  for other machines: %s %s\n", door.c_str(), address.c_str());
}

}  // namespace

ExitCode run_up(const Invocation& invocation) {
  OpenedHouse opened =
      open_house(invocation, {.any_ports = text_argument(invocation.arguments, "ports") == "auto",
                              .course = flag_argument(invocation.arguments, "course")});
  if (!opened.house) return opened.code;
  print_addresses(*opened.house, command_of(invocation));
  auto signal = io::wait_on(opened.house->runtime().loop(0), io::wait_for_signal());
  std::fprintf(stderr, "pinpipe is going down\n");
  return signal ? ExitCode::ok : report(signal.error());
}

ExitCode run_down(const Invocation& invocation) {
  auto endpoints = read_endpoints(invocation.data_path);
  if (!endpoints) return report(endpoints.error());
  if (::kill(static_cast<pid_t>(endpoints->process_id), SIGTERM) != 0)
    return report(error_of_errno(errno, "end process " + std::to_string(endpoints->process_id)));
  // The directory is free when its lock is: that is when the process is done.
  timespec pause{.tv_sec = 0, .tv_nsec = 20'000'000};
  io::Instant deadline = io::after(down_wait_max);
  while (is_in_use(invocation.data_path)) {
    if (std::chrono::steady_clock::now() > deadline) {
      return report(Error(Code::timeout, "process " + std::to_string(endpoints->process_id) +
                                             " was asked to end and still runs"));
    }
    ::nanosleep(&pause, nullptr);
  }
  Answer answer;
  answer.columns = {"process", "status"};
  answer.add_row({endpoints->process_id, "ended"});
  return print(answer, invocation.form);
}

}  // namespace pinpipe::app
