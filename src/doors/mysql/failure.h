// An answer that says no, with MySQL's own number and SQL state, as clients know them.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace pinpipe::mysql {

struct Failure {
  uint16_t number = 1105;
  std::string_view state = "HY000";  // five letters, live for ever
  std::string text = {};
};

template <class T>
using Outcome = std::expected<T, Failure>;

inline std::unexpected<Failure> fail(uint16_t number, std::string_view state, std::string text) {
  return std::unexpected(Failure{number, state, std::move(text)});
}

inline std::unexpected<Failure> fail_read_only() {
  return fail(1290, "HY000",
              "The MySQL server is running with the --read-only option so it cannot execute this "
              "statement");
}

inline std::unexpected<Failure> fail_unsupported(std::string_view what) {
  return fail(1235, "42000",
              "This version of MySQL doesn't yet support '" + std::string(what) + "'");
}

inline std::unexpected<Failure> fail_syntax(std::string_view near) {
  return fail(1064, "42000",
              "You have an error in your SQL syntax; check the manual that corresponds to your "
              "MySQL server version for the right syntax to use near '" +
                  std::string(near.substr(0, 80)) + "' at line 1");
}

}  // namespace pinpipe::mysql
