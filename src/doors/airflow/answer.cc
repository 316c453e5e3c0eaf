#include "doors/airflow/answer.h"

namespace pinpipe::airflow {

using codec::Json;

namespace {

int status_of(Code code) {
  switch (code) {
    case Code::not_found:
      return 404;
    case Code::invalid:
      return 400;
    case Code::denied:
      return 403;
    case Code::conflict:
      return 409;
    case Code::busy:
      return 429;
    case Code::timeout:
      return 504;
    case Code::corrupt:
      return 500;
    case Code::unavailable:
      return 503;
    case Code::cancelled:
      return 503;
    case Code::internal:
      return 500;
  }
  return 500;
}

}  // namespace

Answer answer_json(int status, const Json& body) {
  return {.status = status, .body = codec::to_json(body)};
}

Answer answer_detail(int status, std::string_view sentence) {
  return answer_json(status, Json::object({{"detail", sentence}}));
}

Answer answer_error(const Error& error) {
  return answer_detail(status_of(error.code()), error.text());
}

void Issues::add(std::string_view type, std::string_view where, std::string_view name,
                 std::string_view message, const Json& input, std::string_view hint) {
  Json entry = Json::object(
      {{"type", type}, {"loc", Json::array({where, name})}, {"msg", message}, {"input", input}});
  if (!hint.empty()) entry.set("ctx", Json::object({{"hint", hint}}));
  entries_.push_back(std::move(entry));
}

void Issues::add_broken_json(int64_t at, std::string_view why) {
  entries_.push_back(Json::object({{"type", "json_invalid"},
                                   {"loc", Json::array({"body", at})},
                                   {"msg", "JSON decode error"},
                                   {"input", Json::object()},
                                   {"ctx", Json::object({{"error", why}})}}));
}

Answer Issues::answer() const {
  return answer_json(422, Json::object({{"detail", entries_}}));
}

}  // namespace pinpipe::airflow
