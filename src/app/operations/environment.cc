// env: what people look up in the consoles of the original.
#include <fmt/format.h>

#include "app/operations/list.h"

namespace pinpipe::app {

using codec::Json;

namespace {

std::string quoted(std::string_view value) {
  std::string out = "'";
  for (char c : value) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string cell(const Json& json) {
  return std::string(json.as_string().value_or(""));
}

io::Task<Result<Answer>> tell_environment(House& house, Json) {
  const Endpoints& at = house.endpoints();
  const project::Project& project = house.project();
  const std::string& id = house.user_id();
  std::string account = project.account.id;
  auto url = [](const std::string& address) { return address.empty() ? "" : "http://" + address; };
  Answer answer;
  answer.columns = {"name", "value", "what_it_is"};
  auto add = [&](std::string_view name, std::string value, std::string_view meaning) {
    answer.add_row({name, std::move(value), meaning});
  };
  add("AWS_ACCESS_KEY_ID", "pinpipe", "any key works on this machine");
  add("AWS_SECRET_ACCESS_KEY", "pinpipe", "any secret works on this machine");
  add("AWS_DEFAULT_REGION", project.account.region, "region");
  add("AWS_ENDPOINT_URL", url(at.aws), "Kinesis and S3, for --endpoint-url");
  add("KAFKA_BOOTSTRAP_SERVERS", at.kafka, "bootstrap servers (plaintext)");
  add("PINPIPE_ZOOKEEPER", "none", "ZooKeeper: there is none");
  add("PINPIPE_INVOKE_URL", at.gateway.empty() ? "" : url(at.gateway) + "/test",
      "API invoke URL; any stage name works");
  add("PINPIPE_REST_PROXY_URL", url(at.gateway), "Kafka REST proxy");
  add("PINPIPE_CONNECT_URL", url(at.connect), "Kafka Connect REST API");
  add("PINPIPE_CONSOLE_URL", url(at.console), "console and /api/v1");
  size_t colon = at.mysql.rfind(':');
  bool open = !project.access.required || project.access.secrets.empty();
  add("RDS_HOST", at.mysql.substr(0, colon), "source database (MySQL, read-only)");
  add("RDS_PORT", colon == std::string::npos ? "" : at.mysql.substr(colon + 1), "its port");
  add("RDS_USER", open ? "pinpipe" : project.access.secrets.begin()->first, "its user");
  add("RDS_PASSWORD", open ? "pinpipe" : "",
      open ? "its password" : "its password is that access key's secret");
  add("RDS_DATABASE", "pinterest_data", "its database");
  add("PINPIPE_TOKEN", house.token(), "for calls over the console's port that change something");
  add("PINPIPE_USER_ID", id, "user id: it prefixes every name");
  add("PINPIPE_ACCOUNT_ID", account, "AWS account id");
  add("PINPIPE_BUCKET", fmt::format("user-{}-bucket", id), "S3 bucket");
  add("PINPIPE_PLUGIN", fmt::format("{}-plugin", id), "custom plugin of the connector");
  add("PINPIPE_EC2_ROLE_ARN", fmt::format("arn:aws:iam::{}:role/{}-ec2-access-role", account, id),
      "awsRoleArn of client.properties");
  add("PINPIPE_KINESIS_ROLE_ARN",
      fmt::format("arn:aws:iam::{}:role/{}-kinesis-access-role", account, id),
      "execution role of the gateway's Kinesis methods");
  co_return answer;
}

}  // namespace

std::string shell_lines(const Answer& answer) {
  std::string out;
  for (const auto& row : answer.rows)
    out += fmt::format("export {}={}\n", cell(row[0]), quoted(cell(row[1])));
  return out;
}

std::string first_cells(const Answer& answer) {
  std::string out;
  for (const auto& row : answer.rows) out += cell(row[0]) + "\n";
  return out;
}

std::vector<Operation> environment_operations() {
  return {
      {.noun = "",
       .verb = "env",
       .summary = "addresses, names and keys, as one looks them up in the consoles of the original",
       .example = "eval \"$(pinpipe env)\"     or: pinpipe env -o json",
       .parameters = {},
       .run = tell_environment,
       .plain = shell_lines},
  };
}

}  // namespace pinpipe::app
