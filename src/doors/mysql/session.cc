#include "doors/mysql/session.h"

#include "base/ascii.h"
#include "doors/mysql/login.h"

namespace pinpipe::mysql {
namespace {

using Variables = std::map<std::string, Value, std::less<>>;

// tidy: long because it is the one table of all variables.
const Variables& defaults() {
  static const Variables all = [] {
    Variables made;
    auto text = [&](const char* name, std::string_view value) {
      made[name] = {false, std::string(value)};
    };
    auto number = [&](const char* name, const char* value) { made[name] = {true, value}; };
    number("auto_increment_increment", "1");
    number("auto_increment_offset", "1");
    number("autocommit", "1");
    text("basedir", "/usr/");
    text("character_set_client", "utf8mb4");
    text("character_set_connection", "utf8mb4");
    text("character_set_database", "utf8mb4");
    text("character_set_filesystem", "binary");
    text("character_set_results", "utf8mb4");
    text("character_set_server", "utf8mb4");
    text("character_set_system", "utf8mb3");
    text("collation_connection", "utf8mb4_general_ci");
    text("collation_database", "utf8mb4_general_ci");
    text("collation_server", "utf8mb4_general_ci");
    text("default_authentication_plugin", sha2_plugin);
    text("default_storage_engine", "InnoDB");
    number("explicit_defaults_for_timestamp", "1");
    number("foreign_key_checks", "1");
    number("group_concat_max_len", "1024");
    text("have_openssl", "DISABLED");
    text("have_ssl", "DISABLED");
    text("hostname", "localhost");
    text("init_connect", "");
    number("interactive_timeout", "28800");
    text("lc_time_names", "en_US");
    text("license", "see LICENSE");
    number("lower_case_table_names", "0");
    number("max_allowed_packet", "1048576");
    number("max_connections", "20000");
    number("max_execution_time", "30000");
    number("net_buffer_length", "16384");
    number("net_read_timeout", "30");
    number("net_write_timeout", "60");
    number("performance_schema", "0");
    number("protocol_version", "10");
    number("read_only", "1");
    text("sql_mode",
         "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
         "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION");
    number("sql_auto_is_null", "0");
    number("sql_notes", "1");
    number("sql_quote_show_create", "1");
    number("sql_safe_updates", "0");
    number("sql_select_limit", "18446744073709551615");
    number("super_read_only", "1");
    text("system_time_zone", "UTC");
    text("time_zone", "SYSTEM");
    text("transaction_isolation", "REPEATABLE-READ");
    number("transaction_read_only", "0");
    number("unique_checks", "1");
    text("version", server_version);
    text("version_comment", "pinpipe, the embedded source database (SQLite)");
    text("version_compile_machine", "x86_64");
    text("version_compile_os", "Linux");
    number("wait_timeout", "28800");
    return made;
  }();
  return all;
}

// ON and OFF are numbers where a number is kept.
Value as_kept(const Value& kept, Value given) {
  if (!kept.is_number || given.is_number) return given;
  std::string word = lowered(given.text);
  if (word == "on" || word == "true") return {true, "1"};
  if (word == "off" || word == "false") return {true, "0"};
  return given;
}

}  // namespace

std::optional<Value> Session::variable(std::string_view name) const {
  if (auto changed = changed_.find(name); changed != changed_.end()) return changed->second;
  if (name == "identity" || name == "last_insert_id" || name == "warning_count" ||
      name == "error_count" || name == "timestamp") {
    return Value{true, "0"};
  }
  auto kept = defaults().find(name);
  if (kept == defaults().end()) return std::nullopt;
  return kept->second;
}

Outcome<void> Session::set_variable(const std::string& name, Value value) {
  auto kept = defaults().find(name);
  if (kept == defaults().end())
    return fail(1193, "HY000", "Unknown system variable '" + name + "'");
  if (value.text.size() > value_bytes_max)
    return fail(1231, "42000", "Variable '" + name + "' can't be set to so long a value");
  changed_[name] = as_kept(kept->second, std::move(value));
  return {};
}

std::map<std::string, Value, std::less<>> Session::all_variables() const {
  Variables all = defaults();
  for (const auto& [name, value] : changed_) all[name] = value;
  return all;
}

std::optional<Value> Session::user_variable(std::string_view name) const {
  auto found = own_.find(name);
  return found == own_.end() ? std::nullopt : std::optional(found->second);
}

Outcome<void> Session::set_user_variable(const std::string& name, Value value) {
  if (value.text.size() > value_bytes_max ||
      (own_.size() >= user_variables_max && !own_.contains(name))) {
    return fail_unsupported("so many or so long user variables");
  }
  own_[name] = std::move(value);
  return {};
}

bool Session::autocommit() const {
  auto value = variable("autocommit");
  return value && value->text != "0";
}

void Session::reset() {
  changed_.clear();
  own_.clear();
}

}  // namespace pinpipe::mysql
