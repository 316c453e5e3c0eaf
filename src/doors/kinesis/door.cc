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

constexpr std::string_view plain_json_type = "application/json";
constexpr size_t host_id_bytes = 72;

constexpr std::string_view event_type = "application/vnd.amazon.eventstream";

Answer refuse(Form form, const Failure& failure) {
  const auto& [type, message, status] = failure;
  Answer answer{.status = status, .body = {}, .error_type = type};
  AnswerWriter out(form, answer.body);
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

std::optional<Form> form_of(std::string_view content_type) {
  if (content_type == json_type) return Form::json;
  if (content_type == cbor_type) return Form::cbor;
  return std::nullopt;
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

void set_answer(http::Response& response, Form form, Answer answer) {
  if (!answer.error_type.empty()) response.headers.set("x-amzn-ErrorType", answer.error_type);
  response.set_body(answer.status, form == Form::cbor ? cbor_type : json_type,
                    std::move(answer.body));
  if (!answer.events) return;
  response.headers.set("Content-Type", event_type);
  response.stream = std::move(answer.events);
}

// AWS's own rates of an account or a stream, where they are asked for.
std::optional<Failure> rate_refusal(const Call& call, const Action& action) {
  if (action.per_second == 0 || !call.streams.has_aws_limits()) return std::nullopt;
  std::string_view arn = call.text(call.has("ConsumerARN") ? "ConsumerARN" : "StreamARN");
  std::string_view stream = call.has("StreamName") ? call.text("StreamName") : name_in_arn(arn);
  std::string_view subject = action.by_stream ? stream : std::string_view();
  if (call.streams.admit_action(action.name, subject, action.per_second)) return std::nullopt;
  return Failure{"LimitExceededException",
                 action.by_stream ? fmt::format("Rate exceeded for stream {} under account {}.",
                                                stream, call.account)
                                  : fmt::format("Rate exceeded for account {}.", call.account)};
}

}  // namespace

Door::Door(Options options, broker::Streams& streams, const Clock& clock)
    : options_(std::move(options)), streams_(streams), clock_(clock) {}

bool Door::is_mine(const http::Request& request) {
  if (auto target = request.headers.find("x-amz-target")) return target->starts_with(target_prefix);
  return request.method == "POST" && request.path() == "/" && !action_of(request).empty() &&
         form_of(content_type_of(request)).has_value();
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
  const std::optional<Form> form = form_of(type);
  if (request.body.empty()) {
    const char* refusal =
        find_action(name) != nullptr ? "SerializationException" : "UnknownOperationException";
    const Form answered = form.value_or(Form::json);
    set_answer(response, answered, refuse(answered, {refusal, ""}));
    co_return;
  }
  if (type == plain_json_type) {
    set_plain_json_refusal(response, codec::parse_json(request.body).has_value());
    co_return;
  }
  if (!form) {
    if (name.empty())
      set_xml_refusal(response, 403, "AccessDeniedException",
                      "Unable to determine service/operation name to be authorized");
    else
      set_xml_refusal(response, 404, "UnknownOperationException", "");
    co_return;
  }
  Asker asker{options_.principal, options_.region};
  // AWS reads the body before it looks at who asks; run() does both for those it lets in.
  if (auto refusal = identify(request, asker)) {
    if (!parses(request.body, *form))
      refusal = Failure{"SerializationException", ""};
    else if (find_action(name) == nullptr)
      refusal = Failure{"UnknownOperationException", ""};
    set_answer(response, *form, refuse(*form, *refusal));
    co_return;
  }
  if (const Action* action = find_action(name)) request.operation = action->name;
  set_answer(response, *form, co_await run(name, request.body, *form, std::move(asker)));
}

std::optional<Failure> Door::identify(const http::Request& request, Asker& asker) const {
  if (auto wrong = signature_form_problem(request)) return wrong;
  std::string_view region = region_of_signature(request);
  if (!region.empty()) asker.region = region;
  if (options_.credentials == nullptr) return std::nullopt;
  auto verified = verify_signature(request, *options_.credentials, clock_.wall_ms());
  if (!verified) return verified.error();
  asker.principal = std::move(*verified);
  return std::nullopt;
}

io::Task<Answer> Door::call(std::string action, std::string json_body) const {
  co_return co_await run(action, json_body, Form::json, {options_.principal, options_.region});
}

io::Task<Answer> Door::run(std::string_view name, std::string_view body, Form form,
                           Asker asker) const {
  const Action* action = find_action(name);
  auto given = parse_request(body, form, action != nullptr ? action->members : std::span<Member>());
  if (!given) co_return refuse(form, {"SerializationException", ""});
  if (action == nullptr) co_return refuse(form, {"UnknownOperationException", ""});
  if (auto wrong = check_members(*given, action->members, form)) co_return refuse(form, *wrong);
  auto access = std::make_shared<broker::StreamAccess>(streams_.as(asker.principal));
  const Call call{.access = access,
                  .streams = *access,
                  .given = *given,
                  .form = form,
                  .action = action->name,
                  .account = options_.account,
                  .region = asker.region,
                  .principal = asker.principal.name,
                  .shards_max = streams_.options().shards_max,
                  .now_ms = clock_.wall_ms()};
  if (auto refusal = rate_refusal(call, *action)) co_return refuse(form, *refusal);
  Outcome outcome = co_await action->run(call);
  if (!outcome) co_return refuse(form, outcome.error());
  co_return Answer{.status = 200,
                   .body = std::move(outcome->body),
                   .error_type = {},
                   .events = std::move(outcome->events)};
}

}  // namespace pinpipe::kinesis
