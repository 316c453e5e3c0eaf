// credential create|list: the table authentication_credentials of this data directory. What is
// shown never holds a secret: who may read them reads the table's files.
#include <fmt/format.h>

#include "app/key_table.h"
#include "app/operations/list.h"
#include "objects/aws_credentials.h"

namespace pinpipe::app {

using codec::Json;

namespace {

// The project's own keys; where it demands none, the one that `pinpipe env` tells.
std::vector<auth::Credential> local_keys(const project::AccessSettings& access) {
  std::vector<auth::Credential> keys;
  for (const auto& [key, secret] : access.secrets) {
    keys.push_back({.access_key = key, .secret = secret, .session_token = {}, .principal = {}});
  }
  if (keys.empty())
    keys.push_back(
        {.access_key = "pinpipe", .secret = "pinpipe", .session_token = {}, .principal = {}});
  for (auth::Credential& key : keys) key.principal.name = "databricks-user";
  return keys;
}

Answer answer_of(const std::vector<auth::Credential>& keys, const std::string& directory) {
  Answer answer;
  answer.columns = {"user_name", "access_key_id"};
  for (const auth::Credential& key : keys) answer.add_row({key.principal.name, key.access_key});
  answer.notes.push_back(fmt::format(
      "the secrets are in the Delta table {}, which only its owner may read", directory));
  return answer;
}

KeyTable keys_of(House& house) {
  return {house.directory().key_table(), house.runtime(), house.lake().connect};
}

io::Task<Result<Answer>> create_credentials(House& house, Json arguments) {
  std::vector<auth::Credential> keys = local_keys(house.project().access);
  std::string csv = text_argument(arguments, "from");
  if (!csv.empty()) {
    auto key = objects::credential_of_csv(csv);
    if (!key) co_return key.error().with("--from");
    keys = {std::move(*key)};
  }
  KeyTable table = keys_of(house);
  auto written = co_await table.write(keys);
  if (!written) co_return written.error();
  co_return answer_of(keys, table.directory());
}

io::Task<Result<Answer>> list_credentials(House& house, Json) {
  KeyTable table = keys_of(house);
  auto keys = co_await table.read();
  if (keys) co_return answer_of(*keys, table.directory());
  if (keys.error().code() != Code::not_found) co_return keys.error();
  co_return Error(Code::not_found,
                  "there is no table authentication_credentials; `pinpipe credential create` "
                  "makes it");
}

}  // namespace

std::vector<Operation> credential_operations() {
  return {
      {.noun = "credential",
       .verb = "create",
       .summary = "access keys as the Delta table authentication_credentials, for its owner alone",
       .example = "pinpipe credential create --from authentication_credentials.csv",
       .writes = true,
       .parameters = {{.name = "from",
                       .kind = Parameter::Kind::file,
                       .summary = "a CSV of the IAM console; without it, this machine's own keys"}},
       .run = create_credentials},
      {.noun = "credential",
       .verb = "list",
       .summary = "whose keys authentication_credentials holds, without the secrets",
       .example = "pinpipe credential list",
       .parameters = {},
       .run = list_credentials},
  };
}

}  // namespace pinpipe::app
