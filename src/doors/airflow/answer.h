// What the door answers, in the shapes of Airflow's own server (FastAPI): a refusal is
// {"detail": sentence}, wrong input is 422 with {"detail": [one entry for each thing wrong]}.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"

namespace pinpipe::airflow {

struct Answer {
  int status = 200;
  std::string body = {};
  std::string_view content_type = "application/json";
  std::string allow = {};  // the header of that name, for 405
};

Answer answer_json(int status, const codec::Json& body);
// {"detail": sentence}
Answer answer_detail(int status, std::string_view sentence);
Answer answer_error(const Error& error);

// What is wrong with a request's body or query.
class Issues {
 public:
  // `where` is "body" or "query", `name` the field in it; `hint` may be empty.
  void add(std::string_view type, std::string_view where, std::string_view name,
           std::string_view message, const codec::Json& input, std::string_view hint = {});
  // The body is no JSON, from byte `at` on.
  void add_broken_json(int64_t at, std::string_view why);
  bool empty() const { return entries_.empty(); }
  Answer answer() const;

 private:
  codec::Json::Array entries_;
};

}  // namespace pinpipe::airflow
