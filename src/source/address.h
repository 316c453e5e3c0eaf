// Where a source database is: a DSN, a credentials file as the real projects write it, or the
// environment. Promise: nothing that we show or log of one holds its user or password.
//   generated                        the generator, with no database
//   sqlite:PATH
//   mysql://USER:PASSWORD@HOST:PORT/DATABASE       also mysql+pymysql://…?charset=utf8mb4
//   postgres://USER:PASSWORD@HOST:PORT/DATABASE    also postgresql://…
//   PATH.yaml                        HOST, USER, PASSWORD, DATABASE, PORT, or the same with RDS_
//   env                              RDS_HOST, RDS_USER … in the environment
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/files.h"

namespace pinpipe::source {

struct Address {
  enum class Kind : uint8_t { generated, sqlite, mysql, postgres };

  Kind kind = Kind::generated;
  std::string path = {};  // sqlite
  std::string host = {};
  uint16_t port = 0;
  std::string user = {};
  std::string password = {};
  std::string database = {};
  bool tls_required = false;
  std::string ca_file = {};  // the server's certificate is checked against it

  // "mysql://db.example:3306/pinterest_data"
  std::string shown() const;
};

using Environment = std::function<std::optional<std::string>(std::string_view name)>;

// Any of the forms above. `invalid` says what is wrong without repeating a password.
Result<Address> read_address(std::string_view text, io::Files& files,
                             const Environment& environment);
Result<Address> parse_dsn(std::string_view dsn);
// Keys in any case, plain or with RDS_ before them.
Result<Address> address_from(const std::map<std::string, std::string>& fields);

// Writes over the password of every DSN among a program's arguments, so that the list of processes
// shows it no longer.
void hide_passwords(int count, char** arguments);

}  // namespace pinpipe::source
