// Connect's JSON: connectors, statuses, plugins, errors; and configurations read from it.
#pragma once

#include <string>

#include "codec/json.h"
#include "http/message.h"
#include "sink/connectors.h"

namespace pinpipe::connect {

inline constexpr std::string_view sink_class = "io.confluent.connect.s3.S3SinkConnector";

codec::Json config_json(const sink::Properties& properties);
// {"name","config","tasks":[{"connector","task"}],"type":"sink"}
codec::Json connector_json(const sink::ConnectorFacts& facts);
// {"name","connector":{"state","worker_id"},"tasks":[…],"type":"sink"}
codec::Json status_json(const sink::SinkStatus& status, const std::string& worker);
codec::Json task_json(const sink::TaskStatus& task, const std::string& worker);
codec::Json offsets_json(const sink::SinkStatus& status);
// Of one key: Connect's definition, and with a value its errors.
codec::Json definition_json();
codec::Json validation_json(const std::string& plugin, const sink::Properties& given,
                            const std::vector<sink::KeyProblem>& problems);

void answer_error(http::Response& response, int status, std::string_view message);
// What an error of ours means to a Connect client.
void answer_error(http::Response& response, const Error& error);

}  // namespace pinpipe::connect
