#include "source/address.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "project/yaml.h"

namespace pinpipe::source {
namespace {

constexpr uint16_t mysql_port = 3306, postgres_port = 5432;
constexpr size_t credentials_bytes_max = 64 << 10;

constexpr std::string_view forms =
    "sqlite:PATH, mysql://USER:PASSWORD@HOST:PORT/DATABASE, "
    "postgres://USER:PASSWORD@HOST:PORT/DATABASE, a db_creds.yaml, env or generated";

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// %40 is @; a % that stands for nothing stays.
std::string decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) {
      out.push_back(text[i]);
    } else {
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return out;
}

std::optional<uint16_t> port_in(std::string_view text) {
  uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

std::optional<Address::Kind> kind_named(std::string_view scheme) {
  scheme = scheme.substr(0, scheme.find('+'));  // mysql+pymysql
  if (scheme == "mysql" || scheme == "mariadb") return Address::Kind::mysql;
  if (scheme == "postgres" || scheme == "postgresql") return Address::Kind::postgres;
  return std::nullopt;
}

// "host", "host:port", "[::1]:port"
Status read_host(std::string_view text, Address& address) {
  size_t end = text.starts_with('[') ? text.find(']') : text.rfind(':');
  std::string_view port;
  if (text.starts_with('[') && end != std::string_view::npos) {
    address.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (port.starts_with(':')) port.remove_prefix(1);
  } else {
    address.host = decoded(text.substr(0, end));
    if (end != std::string_view::npos) port = text.substr(end + 1);
  }
  if (address.host.empty()) address.host = "127.0.0.1";
  address.port = address.kind == Address::Kind::mysql ? mysql_port : postgres_port;
  if (port.empty()) return {};
  auto number = port_in(port);
  if (!number) return Error(Code::invalid, "the source's port is no port");
  address.port = *number;
  return {};
}

void read_option(std::string_view option, Address& address) {
  size_t equals = option.find('=');
  std::string_view key = option.substr(0, equals);
  std::string value = equals == std::string_view::npos ? "" : decoded(option.substr(equals + 1));
  if (key == "ssl_ca" || key == "sslrootcert") address.ca_file = value;
  if (key == "sslmode") address.tls_required = value != "disable" && value != "prefer";
  if (key == "ssl" || key == "tls") address.tls_required = value != "false" && value != "0";
}

std::string_view ending_of(std::string_view path) {
  size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? "" : path.substr(dot);
}

Result<Address> read_file(const std::string& path, io::Files& files) {
  auto text = files.read_all(path, credentials_bytes_max);
  if (!text) return text.error().with("credentials file " + path);
  project::Diagnostics problems;
  auto tree = project::read_yaml(
      std::make_shared<const project::Source>(project::Source{path, std::move(*text)}), problems);
  // The text around a problem may be a password: it is not shown.
  if (!tree || !tree->is_mapping())
    return Error(Code::invalid, "credentials file " + path + " is no mapping of keys to values");
  std::map<std::string, std::string> fields;
  for (const project::Node::Entry& entry : tree->entries) fields[entry.key] = entry.value.text;
  auto address = address_from(fields);
  return address ? address : address.error().with("credentials file " + path);
}

}  // namespace

std::string Address::shown() const {
  switch (kind) {
    case Kind::generated:
      return "generated";
    case Kind::sqlite:
      return "sqlite:" + path;
    case Kind::mysql:
      return fmt::format("mysql://{}:{}/{}", host, port, database);
    case Kind::postgres:
      return fmt::format("postgres://{}:{}/{}", host, port, database);
  }
  __builtin_unreachable();
}

Result<Address> parse_dsn(std::string_view dsn) {
  Address address;
  if (dsn == "generated") return address;
  if (dsn.starts_with("sqlite:")) {
    address.kind = Address::Kind::sqlite;
    dsn.remove_prefix(7);
    if (dsn.starts_with("///")) dsn.remove_prefix(3);  // as SQLAlchemy writes a relative path
    if (dsn.empty()) return Error(Code::invalid, "sqlite: is followed by a path");
    address.path = dsn;
    return address;
  }
  size_t colon = dsn.find("://");
  auto kind = kind_named(dsn.substr(0, colon == std::string_view::npos ? 0 : colon));
  if (!kind) return Error(Code::invalid, fmt::format("that is no source; use {}", forms));
  address.kind = *kind;
  std::string_view rest = dsn.substr(colon + 3);
  size_t question = rest.rfind('?');
  if (question != std::string_view::npos) {
    std::string_view options = rest.substr(question + 1);
    rest = rest.substr(0, question);
    while (!options.empty()) {
      size_t end = std::min(options.find('&'), options.size());
      read_option(options.substr(0, end), address);
      options.remove_prefix(std::min(end + 1, options.size()));
    }
  }
  // A password may hold @ and / too: the last @ ends it.
  if (size_t at = rest.rfind('@'); at != std::string_view::npos) {
    std::string_view login = rest.substr(0, at);
    rest = rest.substr(at + 1);
    size_t between = login.find(':');
    address.user = decoded(login.substr(0, between));
    if (between != std::string_view::npos) address.password = decoded(login.substr(between + 1));
  }
  size_t slash = rest.find('/');
  if (slash != std::string_view::npos) address.database = decoded(rest.substr(slash + 1));
  if (address.database.empty()) return Error(Code::invalid, "the source's DSN names no database");
  if (Status host = read_host(rest.substr(0, slash), address); !host) return host.error();
  return address;
}

Result<Address> address_from(const std::map<std::string, std::string>& fields) {
  std::map<std::string, std::string> plain;
  for (const auto& [key, value] : fields) {
    std::string name = upper(key);
    if (name.starts_with("RDS_")) name.erase(0, 4);
    plain[name] = value;
  }
  auto field = [&](std::initializer_list<const char*> names) -> std::string {
    for (const char* name : names) {
      if (auto found = plain.find(name); found != plain.end() && !found->second.empty())
        return found->second;
    }
    return "";
  };
  Address address{.kind = Address::Kind::mysql,
                  .host = field({"HOST", "HOSTNAME", "ENDPOINT"}),
                  .user = field({"USER", "USERNAME"}),
                  .password = field({"PASSWORD", "PASS"}),
                  .database = field({"DATABASE", "DB", "DB_NAME", "DBNAME"}),
                  .ca_file = field({"SSL_CA"})};
  if (address.host.empty()) return Error(Code::invalid, "HOST is missing");
  if (address.user.empty()) return Error(Code::invalid, "USER is missing");
  if (address.database.empty()) return Error(Code::invalid, "DATABASE is missing");
  std::string port = field({"PORT"});
  auto number = port_in(port.empty() ? "3306" : port);
  if (!number) return Error(Code::invalid, "PORT is no port");
  // What says nothing of its kind is MySQL, as the course's is, but for PostgreSQL's own port.
  std::string type = field({"DATABASE_TYPE", "TYPE"});
  bool postgres = type.empty() ? *number == postgres_port : upper(type).starts_with("POSTGRES");
  if (postgres) address.kind = Address::Kind::postgres;
  address.port = port.empty() && postgres ? postgres_port : *number;
  return address;
}

Result<Address> read_address(std::string_view text, io::Files& files,
                             const Environment& environment) {
  if (text == "env") {
    std::map<std::string, std::string> fields;
    for (const char* name : {"RDS_HOST", "RDS_USER", "RDS_PASSWORD", "RDS_DATABASE", "RDS_PORT",
                             "RDS_DATABASE_TYPE", "RDS_SSL_CA"}) {
      if (auto value = environment(name)) fields[name] = *value;
    }
    auto address = address_from(fields);
    return address ? address : address.error().with("environment variables RDS_…");
  }
  std::string_view ending = ending_of(text);
  if (ending == ".yaml" || ending == ".yml") return read_file(std::string(text), files);
  return parse_dsn(text);
}

void hide_passwords(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    std::string_view text = arguments[i];
    size_t begin = text.find("://");
    size_t at = text.rfind('@');
    if (begin == std::string_view::npos || at == std::string_view::npos || at < begin) continue;
    size_t colon = text.find(':', begin + 3);
    if (colon == std::string_view::npos || colon > at) continue;
    std::fill(arguments[i] + colon + 1, arguments[i] + at, '*');
  }
}

}  // namespace pinpipe::source
