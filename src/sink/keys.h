// The keys of Kafka Connect and of Confluent's S3 sink, one by one: what each does here, or why it
// is refused. The connector's configuration, Connect's validate and the documentation read it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pinpipe::sink {

enum class Use {
  used,      // changes what a connector does
  harmless,  // cannot change the result on a local store; any value is fine
  one_of,    // only the listed values mean what we do
  refused,   // only the listed values, which switch it off, are accepted
};

struct Key {
  std::string_view name;  // ends with '.' for all keys that begin so
  Use use;
  std::string_view values;  // separated by '|'
  std::string_view default_value;
  std::string_view about;
  std::string_view type = "STRING";  // as Connect's validate tells it
  bool required = false;
};

std::span<const Key> keys();
// The key of that name, or the family it belongs to; nullptr when there is none.
const Key* find_key(std::string_view name);
// What is wrong with this key or its value in itself; empty when nothing is.
std::string first_problem(std::string_view name, std::string_view value);

// Pieces between separators, without blanks around them; empty pieces are dropped.
std::vector<std::string> split_list(std::string_view text, char separator);

}  // namespace pinpipe::sink
