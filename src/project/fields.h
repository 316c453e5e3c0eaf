// Reads one mapping key by key: each call names a key, checks its kind, and remembers that the key
// is known; finish() reports what nobody asked for, with the nearest known key.
// A wrong or missing value is reported once and answered with the fallback, so that reading goes
// on.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "project/diagnostic.h"
#include "project/yaml.h"

namespace pinpipe::project {

class Fields {
 public:
  // `what` names the mapping in messages: "a data set", "task load". Borrows all three. A null node
  // is an empty mapping; another kind is reported.
  Fields(const Node& node, std::string what, Diagnostics& out);

  // The value, or null when the key is absent or has no value.
  const Node* find(std::string_view key);
  bool has(std::string_view key) { return find(key) != nullptr; }

  std::string text(std::string_view key, std::string fallback = "");
  std::string required_text(std::string_view key);
  // One of `allowed`, or the fallback.
  std::string choice(std::string_view key, std::string fallback,
                     std::initializer_list<std::string_view> allowed);
  bool boolean(std::string_view key, bool fallback);
  struct Range {
    int64_t least = 0;
    int64_t most = INT64_MAX;
  };
  int64_t integer(std::string_view key, int64_t fallback, Range range);
  double number(std::string_view key, double fallback);
  // "640MB", "1GiB", "4096": bytes.
  int64_t bytes(std::string_view key, int64_t fallback, Range range);
  // Seconds in the file ("120", "0.5"), milliseconds here.
  int64_t seconds_as_ms(std::string_view key, int64_t fallback_ms, Range range_ms);
  // A list of texts; a single text is a list of one.
  std::vector<std::string> texts(std::string_view key);
  // Calls `each` for every entry of a mapping, in order.
  void each(std::string_view key, const std::function<void(const Node::Entry&)>& each);

  // Where the key's value stands, or the mapping itself.
  Position place(std::string_view key) const;
  void finish();

 private:
  void wrong(const Node& node, std::string_view key, std::string_view wanted);
  const Node* scalar(std::string_view key, std::string_view wanted);

  const Node& node_;
  std::string what_;
  Diagnostics& out_;
  std::vector<std::string> known_;
};

// The scalar as a whole number; nothing when it is not one (or stood in quotes).
std::optional<int64_t> integer_of(const Node& node);
std::optional<double> number_of(const Node& node);
std::optional<bool> boolean_of(const Node& node);
std::optional<int64_t> bytes_of(std::string_view text);

}  // namespace pinpipe::project
