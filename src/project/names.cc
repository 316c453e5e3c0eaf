// Which names the services we stand in for accept.
#include <fmt/format.h>

#include "project/readers.h"

namespace pinpipe::project {
namespace {

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}

struct Rule {
  std::string_view what;
  size_t least, most;
  std::string_view punctuation;
  bool upper_case;
  std::string_view sentence;
};

const Rule& rule_of(NameOf kind) {
  static const Rule topic{"topic", 1, 249, "._-", true, "letters, digits, . _ - and at most 249"};
  static const Rule stream{"stream", 1, 128, "._-", true, "letters, digits, . _ - and at most 128"};
  static const Rule bucket{
      "bucket", 3,     63,
      ".-",     false, "3 to 63 small letters, digits, . and -, a letter or digit at both ends"};
  static const Rule dag{"DAG", 1, 250, "._-", true, "letters, digits, . _ - and at most 250"};
  static const Rule task{"task", 1, 250, "._-", true, "letters, digits, . _ - and at most 250"};
  static const Rule table{"table", 1, 128, "_", true, "letters, digits, _ and at most 128"};
  static const Rule dataset{"data set", 1, 64, "_", true, "letters, digits, _ and at most 64"};
  static const Rule connector{"connector", 1,    128,
                              "._-",       true, "letters, digits, . _ - and at most 128"};
  switch (kind) {
    case NameOf::topic:
      return topic;
    case NameOf::stream:
      return stream;
    case NameOf::bucket:
      return bucket;
    case NameOf::dag:
      return dag;
    case NameOf::task:
      return task;
    case NameOf::table:
      return table;
    case NameOf::dataset:
      return dataset;
    case NameOf::connector:
      return connector;
  }
  return topic;
}

bool is_legal(NameOf kind, std::string_view name) {
  const Rule& rule = rule_of(kind);
  if (name.size() < rule.least || name.size() > rule.most) return false;
  for (char c : name) {
    bool plain = is_digit(c) || is_lower(c) || (rule.upper_case && is_letter(c));
    if (!plain && rule.punctuation.find(c) == std::string_view::npos) return false;
  }
  if (kind == NameOf::topic || kind == NameOf::stream) return name != "." && name != "..";
  if (kind == NameOf::bucket) {
    auto solid = [](char c) { return is_lower(c) || is_digit(c); };
    return solid(name.front()) && solid(name.back()) && name.find("..") == std::string_view::npos;
  }
  return true;
}

}  // namespace

void check_name(NameOf kind, const std::string& name, const Position& at, Diagnostics& out) {
  if (is_legal(kind, name)) return;
  const Rule& rule = rule_of(kind);
  out.add(problems::bad_name, at,
          fmt::format("\"{}\" is no name for a {}: {}", name, rule.what, rule.sentence),
          {.length = name.size()});
}

}  // namespace pinpipe::project
