#include "objects/aws_credentials.h"

#include <cstdlib>
#include <map>

#include "auth/sigv4_canonical.h"
#include "base/ascii.h"
#include "base/log_line.h"
#include "codec/csv.h"

namespace pinpipe::objects {
namespace {

Result<auth::Credential> checked(auth::Credential credential) {
  if (credential.access_key.empty() || credential.secret.empty())
    return Error(Code::invalid, "an access key and its secret are needed, and one is missing");
  redact_in_logs(credential.secret);
  if (!credential.session_token.empty()) redact_in_logs(credential.session_token);
  return credential;
}

}  // namespace

std::optional<std::string> environment_variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

Result<auth::Credential> credential_of_columns(
    const std::function<std::optional<std::string>(std::string_view)>& column) {
  auth::Credential credential;
  for (auto [name, into] : {std::pair("access key id", &credential.access_key),
                            std::pair("secret access key", &credential.secret)}) {
    auto value = column(name);
    if (!value) return Error(Code::invalid, std::string("there is no column \"") + name + "\"");
    *into = trimmed(*value, blanks_and_ends);
  }
  credential.principal.name = trimmed(column("user name").value_or(""));
  return checked(std::move(credential));
}

Result<auth::Credential> credential_of_csv(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  std::map<std::string, size_t, std::less<>> columns;
  std::vector<std::string> chosen;  // the first row that has a key
  Status read = codec::read_csv(text, [&](const codec::CsvRow& row) -> Status {
    if (columns.empty()) {
      for (size_t i = 0; i < row.size(); ++i)
        columns[lowered(trimmed(row[i].text, blanks_and_ends))] = i;
      return {};
    }
    auto key = columns.find("access key id");
    bool has_key = key != columns.end() && key->second < row.size() &&
                   !trimmed(row[key->second].text, blanks_and_ends).empty();
    if (!has_key || !chosen.empty()) return {};
    for (const codec::CsvField& field : row) chosen.emplace_back(field.text);
    return {};
  });
  if (!read) return read.error();
  return credential_of_columns([&](std::string_view name) -> std::optional<std::string> {
    auto column = columns.find(name);
    if (column == columns.end()) return std::nullopt;
    return column->second < chosen.size() ? chosen[column->second] : std::string();
  });
}

Result<auth::Credential> credential_of_profile(std::string_view text, std::string_view profile) {
  auth::Credential credential;
  bool inside = false;
  bool found = false;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = trimmed(text.substr(0, end), blanks_and_ends);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      std::string_view name = trimmed(line.substr(1, line.find(']') - 1));
      if (name.starts_with("profile ")) name = trimmed(name.substr(8), blanks_and_ends);
      inside = name == profile;
      found |= inside;
      continue;
    }
    size_t equals = line.find('=');
    if (!inside || equals == std::string_view::npos) continue;
    std::string key = lowered(trimmed(line.substr(0, equals), blanks_and_ends));
    std::string value(trimmed(line.substr(equals + 1), blanks_and_ends));
    if (key == "aws_access_key_id") credential.access_key = std::move(value);
    if (key == "aws_secret_access_key") credential.secret = std::move(value);
    if (key == "aws_session_token") credential.session_token = std::move(value);
  }
  if (!found) return Error(Code::not_found, "there is no profile [" + std::string(profile) + "]");
  return checked(std::move(credential));
}

// A CSV file, or the directory of a table.
static Result<auth::Credential> find_at(const CredentialPlaces& places, io::Files& files) {
  auto facts = files.facts(places.path);
  if (!facts) return facts.error().with("the credentials");
  Result<auth::Credential> credential =
      Error(Code::invalid, "it is a directory, and tables of credentials cannot be read from here");
  if (!facts->is_directory) {
    auto text = files.read_all(places.path);
    if (!text) return text.error();
    credential = credential_of_csv(*text);
  } else if (places.table) {
    credential = places.table(places.path);
  }
  if (!credential) return credential.error().with(places.path);
  return checked(std::move(*credential));
}

Result<auth::Credential> find_credential(const CredentialPlaces& places, io::Files& files) {
  auto variable = places.variable ? places.variable : environment_variable;
  if (!places.path.empty()) return find_at(places, files);
  if (auto key = variable("AWS_ACCESS_KEY_ID")) {
    auth::Credential credential;
    credential.access_key = *key;
    credential.secret = variable("AWS_SECRET_ACCESS_KEY").value_or("");
    credential.session_token = variable("AWS_SESSION_TOKEN").value_or("");
    auto good = checked(std::move(credential));
    if (!good) return good.error().with("AWS_ACCESS_KEY_ID");
    return good;
  }
  std::string path = variable("AWS_SHARED_CREDENTIALS_FILE")
                         .value_or(variable("HOME").value_or("") + "/.aws/credentials");
  auto text = files.read_all(path);
  if (!text)
    return Error(Code::not_found,
                 "no access key: AWS_ACCESS_KEY_ID is not set and there is no " + path);
  std::string profile =
      places.profile.empty() ? variable("AWS_PROFILE").value_or("default") : places.profile;
  auto credential = credential_of_profile(*text, profile);
  if (!credential) return credential.error().with(path);
  return credential;
}

}  // namespace pinpipe::objects
