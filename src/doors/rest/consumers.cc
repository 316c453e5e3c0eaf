#include "doors/rest/consumers.h"

#include <array>

#include "codec/json.h"
#include "codec/percent.h"
#include "doors/rest/consumer_body.h"
#include "doors/rest/errors.h"

namespace pinpipe::rest {
namespace {

using broker::Consumer;
using broker::TopicPartition;
using codec::JsonWriter;

// What the broker says of a consumer's partitions, in the API's terms.
Refusal refusal_of_consumer(const Error& error) {
  switch (error.code()) {
    case Code::not_found:
      return {404, 40403, "This server does not host this topic-partition.", error.text() + "."};
    case Code::conflict:
      return {409, 40903, "Illegal state: " + error.text(), ""};
    case Code::invalid:
      return {500, 50002, "Kafka error: " + error.text(), ""};
    default:
      return refusal_of(error);
  }
}

// A commit that comes too late is the cluster's refusal, not a wrong call.
Refusal refusal_of_commit(const Error& error) {
  if (error.code() == Code::conflict) return {500, 50002, "Kafka error: " + error.text(), ""};
  return refusal_of_consumer(error);
}

void answer_nothing(http::Response& response) {
  response.status = 204;
  response.body.clear();
}

void answer(http::Response& response, const Status& done) {
  if (done) return answer_nothing(response);
  answer_refusal(response, refusal_of_consumer(done.error()));
}

void write_partitions(JsonWriter& writer, const std::vector<TopicPartition>& partitions) {
  writer.begin_object().key("partitions").begin_array();
  for (const TopicPartition& where : partitions) {
    writer.begin_object();
    writer.field("topic", where.topic).field("partition", where.partition);
    writer.end_object();
  }
  writer.end_array().end_object();
}

// Where the client reaches this server: what stands in front of us knows better than we do.
std::string base_uri_of(const http::Request& request, const broker::ConsumerSpec& spec) {
  const http::Headers& headers = request.headers;
  auto first_of = [&](std::string_view name) {
    std::string_view value = headers.find(name).value_or("");
    return std::string(value.substr(0, value.find(',')));
  };
  std::string scheme = first_of("X-Forwarded-Proto");
  if (scheme != "http" && scheme != "https") scheme = request.secure ? "https" : "http";
  std::string host = first_of("X-Forwarded-Host");
  if (host.empty()) host = first_of("Host");
  if (host.empty()) host = "localhost";
  std::string prefix = first_of("X-Forwarded-Prefix");
  while (!prefix.empty() && prefix.back() == '/') prefix.pop_back();
  return scheme + "://" + host + prefix + "/consumers/" + codec::percent_encode(spec.group) +
         "/instances/" + codec::percent_encode(spec.name);
}

}  // namespace

std::span<const ConsumerCalls::Route> ConsumerCalls::routes() {
  using C = ConsumerCalls;
  static constexpr std::array table = {
      Route{"POST", "/consumers/{group}", &C::create},
      Route{"DELETE", "/consumers/{group}/instances/{instance}", &C::remove},
      Route{"POST", "/consumers/{group}/instances/{instance}/subscription", &C::subscribe},
      Route{"GET", "/consumers/{group}/instances/{instance}/subscription", &C::tell_subscription},
      Route{"DELETE", "/consumers/{group}/instances/{instance}/subscription", &C::unsubscribe},
      Route{"POST", "/consumers/{group}/instances/{instance}/assignments", &C::assign},
      Route{"GET", "/consumers/{group}/instances/{instance}/assignments", &C::tell_assignment},
      Route{"POST", "/consumers/{group}/instances/{instance}/positions", &C::seek},
      Route{"POST", "/consumers/{group}/instances/{instance}/positions/beginning",
            &C::seek_to_beginning},
      Route{"POST", "/consumers/{group}/instances/{instance}/positions/end", &C::seek_to_end},
      Route{"POST", "/consumers/{group}/instances/{instance}/offsets", &C::commit},
      Route{"GET", "/consumers/{group}/instances/{instance}/offsets", &C::tell_committed},
      Route{"GET", "/consumers/{group}/instances/{instance}/records", &C::read},
  };
  return table;
}

ConsumerCalls::Instance ConsumerCalls::find(const auth::Principal& who,
                                            const http::Request& request,
                                            http::Response& response) const {
  auto found = consumers_.find(who, request.param("group"), request.param("instance"));
  if (found) return *found;
  answer_refusal(response, {404, 40403, "Consumer instance not found.",
                            "The " + found.error().text() +
                                "; an instance that nobody asks for 5 minutes ends."});
  return nullptr;
}

io::Task<> ConsumerCalls::create(auth::Principal who, http::Request& request,
                                 http::Response& response) {
  auto spec = parse_consumer(request.body, request.param("group"));
  if (!spec) co_return answer_refusal(response, spec.error());
  auto made = co_await consumers_.create(std::move(who), std::move(*spec));
  if (!made && made.error().code() == Code::conflict) {
    co_return answer_refusal(
        response, {409, 40902,
                   "Consumer with specified consumer ID already exists in the specified consumer "
                   "group.",
                   "DELETE /consumers/{group}/instances/{name} ends it."});
  }
  if (!made) co_return answer_refusal(response, refusal_of(made.error()));
  JsonWriter writer(response.body);
  writer.begin_object();
  writer.field("instance_id", (*made)->spec().name);
  writer.field("base_uri", base_uri_of(request, (*made)->spec()));
  writer.end_object();
}

io::Task<> ConsumerCalls::remove(auth::Principal who, http::Request& request,
                                 http::Response& response) {
  Instance instance = find(who, request, response);
  if (!instance) co_return;
  Status removed = co_await consumers_.remove(std::move(instance));
  answer(response, removed);
}

io::Task<> ConsumerCalls::subscribe(auth::Principal who, http::Request& request,
                                    http::Response& response) {
  Instance instance = find(who, request, response);
  if (!instance) co_return;
  auto body = parse_subscription(request.body);
  if (!body) co_return answer_refusal(response, body.error());
  Status done = body->pattern.empty() ? instance->subscribe(std::move(body->topics))
                                      : instance->subscribe_to_pattern(std::move(body->pattern));
  if (!done && done.error().code() == Code::invalid) {
    co_return answer_refusal(response,
                             {422, 422, "Invalid topic_pattern.", done.error().text() + "."});
  }
  if (done) done = co_await consumers_.save_plan(instance);
  answer(response, done);
}

io::Task<> ConsumerCalls::tell_subscription(auth::Principal who, http::Request& request,
                                            http::Response& response) {
  Instance instance = find(who, request, response);
  if (!instance) co_return;
  JsonWriter writer(response.body);
  writer.begin_object().key("topics").begin_array();
  for (const std::string& topic : instance->subscription()) writer.value(topic);
  writer.end_array().end_object();
}

io::Task<> ConsumerCalls::unsubscribe(auth::Principal who, http::Request& request,
                                      http::Response& response) {
  Instance instance = find(who, request, response);
  if (!instance) co_return;
  Status done = co_await instance->unsubscribe();
  if (done) done = co_await consumers_.save_plan(instance);
  answer(response, done);
}

io::Task<> ConsumerCalls::assign(auth::Principal who, http::Request& request,
                                 http::Response& response) {
  Instance instance = find(who, request, response);
  if (!instance) co_return;
  auto partitions = parse_partitions(request.body);
  if (!partitions) co_return answer_refusal(response, partitions.error());
  Status done = co_await instance->assign(std::move(*partitions));
  if (done) done = co_await consumers_.save_plan(instance);
  answer(response, done);
}

io::Task<> ConsumerCalls::tell_assignment(auth::Principal who, http::Request& request,
                                          http::Response& response) {
  Instance instance = find(who, request, response);
  if (!instance) co_return;
  JsonWriter writer(response.body);
  write_partitions(writer, instance->assignment());
}

io::Task<> ConsumerCalls::seek(auth::Principal who, http::Request& request,
                               http::Response& response) {
  Instance instance = find(who, request, response);
  if (!instance) co_return;
  auto body = parse_offsets(request.body);
  if (!body) co_return answer_refusal(response, body.error());
  std::map<TopicPartition, broker::Offset> to;
  for (auto& one : body->offsets) to[one.where] = one.offset;
  std::vector<TopicPartition> to_end;
  for (auto& one : body->timestamps) {
    auto offset = co_await instance->offset_at(one.where, one.timestamp_ms);
    if (!offset) co_return answer_refusal(response, refusal_of_consumer(offset.error()));
    if (*offset) {
      to[one.where] = **offset;
    } else {
      to_end.push_back(one.where);  // all records are older
    }
  }
  Status done = co_await instance->seek(std::move(to));
  if (done && !to_end.empty())
    done = co_await instance->seek_to(Consumer::End::end, std::move(to_end));
  answer(response, done);
}

io::Task<> ConsumerCalls::seek_to(Consumer::End end, auth::Principal who, http::Request& request,
                                  http::Response& response) {
  Instance instance = find(who, request, response);
  if (!instance) co_return;
  auto partitions = parse_partitions(request.body);
  if (!partitions) co_return answer_refusal(response, partitions.error());
  Status done = co_await instance->seek_to(end, std::move(*partitions));
  answer(response, done);
}

io::Task<> ConsumerCalls::seek_to_beginning(auth::Principal who, http::Request& request,
                                            http::Response& response) {
  return seek_to(Consumer::End::beginning, std::move(who), request, response);
}

io::Task<> ConsumerCalls::seek_to_end(auth::Principal who, http::Request& request,
                                      http::Response& response) {
  return seek_to(Consumer::End::end, std::move(who), request, response);
}

// The offset given is the last one processed: the position committed is the one after it.
io::Task<> ConsumerCalls::commit(auth::Principal who, http::Request& request,
                                 http::Response& response) {
  Instance instance = find(who, request, response);
  if (!instance) co_return;
  Status done;
  if (is_blank(request.body)) {
    done = co_await instance->commit();
  } else {
    auto body = parse_offsets(request.body);
    if (!body) co_return answer_refusal(response, body.error());
    std::map<TopicPartition, broker::Position> positions;
    for (auto& one : body->offsets) {
      positions[one.where] = {.offset = one.offset + 1, .metadata = std::move(one.metadata)};
    }
    done = co_await instance->commit(std::move(positions));
  }
  if (!done) co_return answer_refusal(response, refusal_of_commit(done.error()));
  response.body = "[]";
}

io::Task<> ConsumerCalls::tell_committed(auth::Principal who, http::Request& request,
                                         http::Response& response) {
  Instance instance = find(who, request, response);
  if (!instance) co_return;
  auto listed = request.query_param("partitions");
  if (!listed && is_blank(request.body)) {
    co_return answer_refusal(response,
                             {404, 40402, "Partition not found.",
                              "Send {\"partitions\":[{\"topic\":\"t\",\"partition\":0}]}, or "
                              "?partitions=t:0 where a GET may not have a body."});
  }
  auto partitions = listed ? parse_partition_list(*listed) : parse_partitions(request.body);
  if (!partitions) co_return answer_refusal(response, partitions.error());
  auto committed = co_await instance->committed(std::move(*partitions));
  if (!committed) co_return answer_refusal(response, refusal_of_consumer(committed.error()));
  JsonWriter writer(response.body);
  writer.begin_object().key("offsets").begin_array();
  for (const auto& [where, position] : *committed) {
    writer.begin_object();
    writer.field("topic", where.topic).field("partition", where.partition);
    writer.field("offset", position.offset).field("metadata", position.metadata);
    writer.end_object();
  }
  writer.end_array().end_object();
}

}  // namespace pinpipe::rest
