// `pinpipe sql`: one query, or the shell; once, or again and again.
#include <charconv>
#include <clocale>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "app/asker.h"
#include "app/sql_shell.h"

namespace pinpipe::app {
namespace {

// "2s", "500ms" or "2".
Result<int64_t> interval_ms(const std::string& text) {
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  bool known = unit.empty() || unit == "s" || unit == "ms";
  if (error != std::errc{} || !known || number <= 0 || number > 86'400'000)
    return Error(Code::invalid, fmt::format("--watch {}: write 2s or 500ms", text));
  return static_cast<int64_t>(unit == "ms" ? number : number * 1000);
}

ExitCode watch(Asker& asker, const std::string& query, const ShellSettings& settings,
               int64_t every_ms, int64_t times) {
  bool is_terminal = isatty(STDOUT_FILENO) != 0;
  for (int64_t turn = 0; times == 0 || turn < times; ++turn) {
    if (turn > 0) ::poll(nullptr, 0, static_cast<int>(every_ms));
    // From the top of an empty screen; a pipe gets one answer after the other.
    if (is_terminal) std::fputs("\x1b[H\x1b[2J", stdout);
    ExitCode code = ask_and_print(asker, query, settings, false);
    if (code != ExitCode::ok) return code;
  }
  return ExitCode::ok;
}

}  // namespace

ExitCode run_sql(const Invocation& invocation) {
  std::setlocale(LC_CTYPE, "");
  std::string query = text_argument(invocation.arguments, "query");
  if (query.empty()) query = text_argument(invocation.arguments, "file");
  std::string every = text_argument(invocation.arguments, "watch");
  ShellSettings settings{
      .form = invocation.form,
      .chart = flag_argument(invocation.arguments, "chart"),
      .rows_max = std::max<int64_t>(1, integer_argument(invocation.arguments, "rows"))};
  Result<int64_t> every_ms = every.empty() ? Result<int64_t>(0) : interval_ms(every);
  if (!every_ms) return report(every_ms.error());
  if (!every.empty() && query.empty())
    return report(Error(Code::invalid, "--watch wants a query to ask again and again"));
  auto [asker, code] = Asker::open(invocation);
  if (!asker) return code;
  if (query.empty()) return run_shell(*asker, invocation, settings);
  if (every.empty()) return ask_and_print(*asker, query, settings, false);
  return watch(*asker, query, settings, *every_ms, integer_argument(invocation.arguments, "times"));
}

}  // namespace pinpipe::app
