// Bodies and queries, read strictly: every field is asked for by name and type, what is left over
// is refused. A query parameter that Airflow knows and we do not is refused too: a filter that is
// left out in silence gives a wrong answer.
// Whatever is wrong goes into the Issues; the values read are then of no use.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "codec/percent.h"
#include "doors/airflow/answer.h"
#include "http/message.h"

namespace pinpipe::airflow {

inline constexpr int64_t page_max = 100;        // rows, as Airflow's maximum_page_limit
inline constexpr size_t note_chars_max = 1000;  // as Airflow's

class Body {
 public:
  // Both have to live longer.
  Body(const http::Request& request, Issues& issues);

  // A field that has to be there, though it may be null.
  void require(std::string_view name, std::string_view hint);
  // Nothing when absent or null.
  std::optional<std::string> text(std::string_view name);
  std::optional<int64_t> time_ms(std::string_view name);
  const codec::Json* object(std::string_view name);  // nullptr for nothing
  std::vector<std::string> texts(std::string_view name);
  bool flag(std::string_view name, bool otherwise);
  // Not below 0.
  int64_t count(std::string_view name, int64_t otherwise);
  // At most note_chars_max characters.
  std::optional<std::string> note();
  // A field that Airflow has and whose meaning we do not have: only null and `harmless` pass.
  void only_without(std::string_view name, const codec::Json& harmless, std::string_view why);
  // For what the caller checks by itself.
  const codec::Json* raw(std::string_view name);
  void refuse(std::string_view type, std::string_view name, std::string_view message,
              std::string_view hint = {});

  // Refuses the fields that nobody asked for.
  void finish();

 private:
  codec::Json json_;
  Issues& issues_;
  std::set<std::string, std::less<>> known_;
};

class Query {
 public:
  Query(const http::Request& request, Issues& issues);

  std::optional<std::string> text(std::string_view name);
  std::vector<std::string> texts(std::string_view name);
  std::optional<int64_t> time_ms(std::string_view name);
  std::optional<bool> flag(std::string_view name);
  // Not below 0.
  int64_t count(std::string_view name, int64_t otherwise);
  void refuse(std::string_view type, std::string_view name, std::string_view message);

  // Refuses the parameters that nobody asked for.
  void finish();

 private:
  std::vector<codec::QueryParameter> parameters_;
  Issues& issues_;
  std::set<std::string, std::less<>> known_;
};

// A part of a list: at most page_max rows.
struct Page {
  int64_t limit = 0;
  int64_t offset = 0;
};
Page page_of(Query& query);

// Airflow's search patterns: SQL LIKE without regard to case, found anywhere in the text; `~` is
// everything, `|` stands between alternatives.
bool matches_pattern(std::string_view text, std::string_view pattern);

}  // namespace pinpipe::airflow
