// $(name), $(env:NAME) and $(secret:name) in the scalars and keys of a tree, replaced after
// parsing: what comes in can never become YAML. $$( is a literal $(; ${ is refused with a hint.
// Promise: a secret's value is registered with the log's redaction before anybody sees it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "project/diagnostic.h"
#include "project/yaml.h"

namespace pinpipe::project {

using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

// The process's environment.
std::optional<std::string> from_environment(const std::string& name);

class Variables {
 public:
  static constexpr size_t text_bytes_max = 64 * 1024;  // of one scalar after replacement

  Variables(Lookup environment, Lookup secrets)
      : environment_(std::move(environment)), secrets_(std::move(secrets)) {}

  // Takes the `vars` mapping and `given`, which wins. Variables may refer to each other; a circle
  // is reported.
  void define(const Node* vars, const std::map<std::string, std::string>& given, Diagnostics& out);
  // Replaces every reference in the tree; what cannot be replaced is reported and stays.
  void replace_in(Node& node, Diagnostics& out) const;

  const std::map<std::string, std::string>& values() const { return values_; }

 private:
  struct Definition {
    const Node* node = nullptr;
    bool being_resolved = false;
  };
  using Definitions = std::map<std::string, Definition>;

  void resolve(const std::string& name, Definitions& definitions, Diagnostics& out);
  std::string replaced(const std::string& text, const Position& at, Diagnostics& out) const;
  std::optional<std::string> value_of(const std::string& reference, const Position& at,
                                      Diagnostics& out) const;

  Lookup environment_;
  Lookup secrets_;
  std::map<std::string, std::string> values_;
};

}  // namespace pinpipe::project
