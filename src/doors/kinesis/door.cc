#include "doors/kinesis/door.h"

#include <fmt/format.h>

#include "auth/sigv4.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/id.h"
#include "doors/kinesis/action.h"
#include "doors/kinesis/signature.h"

namespace pinpipe::kinesis {
namespace {

constexpr std::string_view json_type = "application/x-amz-json-1.1";
constexpr std::string_view plain_json_type = "application/json";
constexpr size_t host_id_bytes = 72;

Answer refuse(std::string_view type, std::string_view message = {}, int status = 400) {
  Answer answer{.status = status, .body = {}, .error_type = std::string(type)};
  codec::JsonWriter out(answer.body);
  out.begin_object().field("__type", type);
  // Recorded: this one exception writes its message with a capital.
  if (!message.empty())
    out.field(type == "SerializationException" ? "Message" : "message", message);
  out.end_object();
  return answer;
}

std::string_view content_type_of(const http::Request& request) {
  std::string_view type = request.headers.find("content-type").value_or(std::string_view());
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return type;
}

// The action's name from the target header or, as the gateway's integrations have it, the query.
std::string action_of(const http::Request& request) {
  if (auto target = request.headers.find("x-amz-target")) {
    if (!target->starts_with(target_prefix)) return {};
    return std::string(target->substr(target_prefix.size()));
  }
  return request.query_param("Action").value_or("");
}

void set_xml_refusal(http::Response& response, int status, std::string_view type,
                     std::string_view message) {
  response.headers.set("x-amzn-ErrorType", type);
  std::string body = message.empty()
                         ? fmt::format("<{}/>\n", type)
                         : fmt::format("<{0}>\n  <Message>{1}</Message>\n</{0}>\n", type, message);
  response.set_body(status, "application/xml", std::move(body));
}

// What AWS says to application/json, which it knows and does not take.
void set_plain_json_refusal(http::Response& response, bool parses) {
  std::string_view type = parses ? "UnknownOperationException" : "SerializationException";
  response.headers.set("x-amzn-ErrorType", type);
  response.set_body(
      parses ? 404 : 400, plain_json_type,
      fmt::format(R"({{"Output":{{"__type":"com.amazon.coral.service#{}"}},"Version":"1.0"}})",
                  type));
}

void set_answer(http::Response& response, Answer answer) {
  if (!answer.error_type.empty()) response.headers.set("x-amzn-ErrorType", answer.error_type);
  response.set_body(answer.status, json_type, std::move(answer.body));
}

}  // namespace

Door::Door(Options options, broker::Streams& streams, const Clock& clock)
    : options_(std::move(options)), streams_(streams), clock_(clock) {}

bool Door::is_mine(const http::Request& request) {
  if (auto target = request.headers.find("x-amz-target")) return target->starts_with(target_prefix);
  return request.method == "POST" && request.path() == "/" && !action_of(request).empty() &&
         content_type_of(request) == json_type;
}

http::Handler Door::handler() const {
  return [this](http::Request& request, http::Response& response) {
    return handle(request, response);
  };
}

io::Task<> Door::handle(http::Request& request, http::Response& response) const {
  response.headers.set("x-amzn-RequestId", Uuid::random().text());
  response.headers.set("x-amz-id-2", to_base64(random_bytes(host_id_bytes)));
  const std::string name = action_of(request);
  if (request.method != "POST") {
    set_xml_refusal(response, 403, "AccessDeniedException",
                    "Unable to determine service/operation name to be authorized");
    co_return;
  }
  std::string_view type = content_type_of(request);
  if (request.body.empty()) {
    set_answer(response, refuse(find_action(name) != nullptr ? "SerializationException"
                                                             : "UnknownOperationException"));
    co_return;
  }
  if (type == plain_json_type) {
    set_plain_json_refusal(response, codec::parse_json(request.body).has_value());
    co_return;
  }
  if (type != json_type) {
    if (name.empty())
      set_xml_refusal(response, 403, "AccessDeniedException",
                      "Unable to determine service/operation name to be authorized");
    else
      set_xml_refusal(response, 404, "UnknownOperationException", "");
    co_return;
  }
  Asker asker{options_.principal, options_.region};
  Answer refusal;
  // AWS reads the JSON before it looks at who asks; run() does both for those it lets in.
  if (!identify(request, asker, refusal)) {
    bool parses = codec::parse_json(request.body).has_value();
    if (!parses) refusal = refuse("SerializationException");
    if (parses && find_action(name) == nullptr) refusal = refuse("UnknownOperationException");
    set_answer(response, std::move(refusal));
    co_return;
  }
  set_answer(response, co_await run(name, request.body, std::move(asker)));
}

bool Door::identify(const http::Request& request, Asker& asker, Answer& refusal) const {
  if (auto wrong = signature_form_problem(request)) {
    refusal = refuse(wrong->type, wrong->message, wrong->status);
    return false;
  }
  std::string_view region = region_of_signature(request);
  if (!region.empty()) asker.region = region;
  if (options_.credentials == nullptr) return true;
  auto verified = verify_signature(request, *options_.credentials, clock_.wall_ms());
  if (!verified) {
    const Failure& wrong = verified.error();
    refusal = refuse(wrong.type, wrong.message, wrong.status);
    return false;
  }
  asker.principal = std::move(*verified);
  return true;
}

io::Task<Answer> Door::call(std::string action, std::string json_body) const {
  co_return co_await run(action, json_body, {options_.principal, options_.region});
}

io::Task<Answer> Door::run(std::string_view name, std::string_view json, Asker asker) const {
  auto given = codec::parse_json(json);
  if (!given || (!given->is_object() && !given->is_array()))
    co_return refuse("SerializationException");
  const Action* action = find_action(name);
  if (action == nullptr) co_return refuse("UnknownOperationException");
  if (auto wrong = check_members(*given, action->members))
    co_return refuse(wrong->type, wrong->message, wrong->status);
  broker::StreamAccess access = streams_.as(asker.principal);
  const Call call{.streams = access,
                  .given = *given,
                  .action = action->name,
                  .account = options_.account,
                  .region = asker.region,
                  .principal = asker.principal.name,
                  .shards_max = streams_.options().shards_max,
                  .now_ms = clock_.wall_ms()};
  Outcome outcome = co_await action->run(call);
  if (!outcome)
    co_return refuse(outcome.error().type, outcome.error().message, outcome.error().status);
  co_return Answer{.status = 200, .body = std::move(*outcome), .error_type = {}};
}

}  // namespace pinpipe::kinesis
