// YAML text as a tree that remembers where everything stood. A strict part of YAML 1.2: one
// document, keys are plain or quoted names and appear once, no tabs in indentation, no tags; a
// plain scalar stays the text that was written (`no` is the text "no", 007 keeps its zeros) until a
// reader asks for a number or a boolean. Bounds: FileSet::file_bytes_max, depth_max, entries_max,
// nodes_max after aliases are expanded.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "project/diagnostic.h"

namespace pinpipe::project {

struct Node {
  enum class Kind { null, scalar, sequence, mapping };
  struct Entry;

  Kind kind = Kind::null;
  bool quoted = false;  // the scalar stood in quotes or in a block
  Position at;
  std::string text;            // of a scalar
  std::vector<Node> items;     // of a sequence
  std::vector<Entry> entries;  // of a mapping, in order

  const Node* find(std::string_view key) const;
  bool is_mapping() const { return kind == Kind::mapping; }
};

struct Node::Entry {
  std::string key;
  Position at;  // of the key
  Node value;
};

inline constexpr size_t depth_max = 32;
inline constexpr size_t nodes_max = 50'000;
inline constexpr size_t entries_max = 2'000;  // keys of one mapping

// The document, or nothing after reporting what is wrong. An empty file is a null node.
std::optional<Node> read_yaml(std::shared_ptr<const Source> source, Diagnostics& out);

// Lays `over` on `under`: mappings key by key, anything else is replaced; null takes a key away.
void lay_over(Node& under, const Node& over);

// "a mapping", "a list", "a text", "nothing": for messages.
std::string_view kind_name(const Node& node);

}  // namespace pinpipe::project
