// What a connection has set for itself, and the server's variables that it sees.
// Bounds: user_variables_max names of its own, value_bytes_max each.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "doors/mysql/failure.h"

namespace pinpipe::mysql {

// The one database of this server, whatever the file is called.
inline constexpr std::string_view data_name = "pinterest_data";
inline constexpr std::string_view schema_name = "information_schema";

struct Value {
  bool is_number = false;
  std::string text = {};
};

class Session {
 public:
  static constexpr size_t user_variables_max = 64;
  static constexpr size_t value_bytes_max = 4096;

  uint32_t connection_id = 0;
  std::string user = {};
  std::string host = "localhost";
  std::string database = {};

  // Of a server variable, as this session sees it; names in lower case.
  std::optional<Value> variable(std::string_view name) const;
  Outcome<void> set_variable(const std::string& name, Value value);
  // Name and value of all of them, in the order of names.
  std::map<std::string, Value, std::less<>> all_variables() const;

  // One that was never set is null.
  std::optional<Value> user_variable(std::string_view name) const;
  Outcome<void> set_user_variable(const std::string& name, Value value);

  bool autocommit() const;
  // As after a fresh login.
  void reset();

 private:
  std::map<std::string, Value, std::less<>> changed_;
  std::map<std::string, Value, std::less<>> own_;
};

}  // namespace pinpipe::mysql
