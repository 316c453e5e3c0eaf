// Who may do what: statements over principals, actions and resources, in our own words. Doors
// translate Kafka's ACL operations and AWS's action names into these before they ask. Promise: a
// deny beats every allow; what no statement allows is denied; service principals pass. read, write,
// remove and alter imply describe; alter_configs implies describe_configs. Patterns: `*` is any run
// of characters, `?` any one, `${name}` the asking principal's name (which then matches literally);
// everything else stands for itself. Bounds: statements_max. A Policy is a value; sharing a const
// one among threads is safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/principal.h"
#include "base/result.h"

namespace pinpipe::auth {

enum class Action : uint8_t {
  read,
  write,
  create,
  remove,
  alter,
  describe,
  alter_configs,
  describe_configs,
  idempotent_write,
  run,  // queries, DAGs, jobs
};
enum class ResourceKind : uint8_t {
  cluster,
  topic,  // and stream: they share one name space
  group,
  transaction,
  bucket,
  object,  // named bucket/key
  table,
  dag,
  connector,
};

struct Resource {
  ResourceKind kind;
  std::string_view name;
};

std::string_view name_of(Action action);
std::string_view name_of(ResourceKind kind);

// A set of actions.
class Actions {
 public:
  constexpr Actions() = default;
  constexpr Actions(Action action) : bits_(bit(action)) {}  // NOLINT(google-explicit-constructor)
  static constexpr Actions all() { return Actions(0xFFFFFFFF); }
  constexpr Actions operator|(Actions other) const { return Actions(bits_ | other.bits_); }
  constexpr bool has(Action action) const { return (bits_ & bit(action)) != 0; }

 private:
  constexpr explicit Actions(uint32_t bits) : bits_(bits) {}
  static constexpr uint32_t bit(Action action) {
    return uint32_t{1} << static_cast<uint8_t>(action);
  }
  uint32_t bits_ = 0;
};

enum class Effect { allow, deny };

struct Statement {
  Effect effect = Effect::allow;
  std::vector<std::string> principals;  // patterns over names
  Actions actions;
  std::vector<std::string> resources;  // "<kind>:<pattern>", or "*" for everything

  // Checks the words: an unknown action or resource kind is `invalid`, with the known ones named.
  // The action "*" is every action.
  static Result<Statement> of_words(Effect effect, std::vector<std::string> principals,
                                    const std::vector<std::string>& actions,
                                    std::vector<std::string> resources);
};

class Policy {
 public:
  static constexpr size_t statements_max = 10'000;

  // Everything is allowed to local principals, and to nobody else.
  static Policy open_for_local();
  Policy() = default;  // nothing is allowed
  Status add(Statement statement);

  // `denied` with a sentence that names principal, action and resource.
  Status check(const Principal& who, Action action, const Resource& what) const;
  bool allows(const Principal& who, Action action, const Resource& what) const;
  // Whether there may be some resource of this kind on which the action is allowed (Kafka asks so
  // before it gives out a producer id).
  bool allows_on_any(const Principal& who, Action action, ResourceKind kind) const;

 private:
  bool local_may_all_ = false;
  std::vector<Statement> statements_;
};

// `pattern` with `*` and `?` against the whole of `text`. Time is at most their sizes multiplied.
bool matches_pattern(std::string_view pattern, std::string_view text);

}  // namespace pinpipe::auth
