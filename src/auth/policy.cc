#include "auth/policy.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <span>

namespace pinpipe::auth {
namespace {

constexpr std::array<std::string_view, 10> action_names = {
    "read",     "write",         "create",           "remove",           "alter",
    "describe", "alter_configs", "describe_configs", "idempotent_write", "run"};
constexpr std::array<std::string_view, 9> kind_names = {
    "cluster", "topic", "group", "transaction", "bucket", "object", "table", "dag", "connector"};

constexpr std::string_view name_variable = "${name}";

// Like matches_pattern, where `${name}` in the pattern stands for the principal's name, literally.
bool matches_for(std::string_view pattern, std::string_view who, std::string_view text) {
  const size_t variable = pattern.find(name_variable);
  if (variable == std::string_view::npos) return matches_pattern(pattern, text);
  // The name could hold pattern characters, so it is compared and never spliced into the pattern.
  std::string_view before = pattern.substr(0, variable);
  std::string_view after = pattern.substr(variable + name_variable.size());
  for (size_t at = text.find(who); at != std::string_view::npos; at = text.find(who, at + 1)) {
    if (matches_pattern(before, text.substr(0, at)) &&
        matches_for(after, who, text.substr(at + who.size()))) {
      return true;
    }
  }
  return false;
}

// The pattern over names if the resource word speaks of this kind.
std::optional<std::string_view> pattern_for(std::string_view resource, ResourceKind kind) {
  if (resource == "*") return resource;
  std::string_view prefix = name_of(kind);
  if (!resource.starts_with(prefix) || resource.substr(prefix.size(), 1) != ":")
    return std::nullopt;
  return resource.substr(prefix.size() + 1);
}

bool concerns(const Statement& statement, const Principal& who) {
  return std::ranges::any_of(statement.principals, [&](const auto& pattern) {
    return matches_pattern(pattern, who.name);
  });
}

bool names(const Statement& statement, const Principal& who, const Resource& what) {
  return std::ranges::any_of(statement.resources, [&](const auto& resource) {
    auto pattern = pattern_for(resource, what.kind);
    return pattern && matches_for(*pattern, who.name, what.name);
  });
}

// Whether an allow for `granted` includes `asked`. Denials imply nothing.
bool grants(const Actions& granted, Action asked) {
  if (granted.has(asked)) return true;
  if (asked == Action::describe) {
    return granted.has(Action::read) || granted.has(Action::write) || granted.has(Action::remove) ||
           granted.has(Action::alter);
  }
  return asked == Action::describe_configs && granted.has(Action::alter_configs);
}

std::string joined(std::span<const std::string_view> words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace

std::string_view name_of(Action action) {
  return action_names[static_cast<size_t>(action)];
}
std::string_view name_of(ResourceKind kind) {
  return kind_names[static_cast<size_t>(kind)];
}

bool matches_pattern(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;  // the last star met, and where its run would end
  size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Result<Statement> Statement::of_words(Effect effect, std::vector<std::string> principals,
                                      const std::vector<std::string>& actions,
                                      std::vector<std::string> resources) {
  Statement statement{effect, std::move(principals), {}, std::move(resources)};
  for (const std::string& word : actions) {
    auto known = std::ranges::find(action_names, word);
    if (word == "*") {
      statement.actions = Actions::all();
    } else if (known != action_names.end()) {
      statement.actions = statement.actions | static_cast<Action>(known - action_names.begin());
    } else {
      return Error(Code::invalid, fmt::format("unknown action '{}'; there are {} and *", word,
                                              joined(action_names)));
    }
  }
  for (const std::string& resource : statement.resources) {
    std::string_view kind = std::string_view(resource).substr(0, resource.find(':'));
    const bool has_pattern = kind.size() < resource.size();
    if (resource != "*" &&
        (!has_pattern || std::ranges::find(kind_names, kind) == kind_names.end())) {
      return Error(Code::invalid,
                   fmt::format("'{}' is no resource; write <kind>:<name>, kind one of {}", resource,
                               joined(kind_names)));
    }
  }
  return statement;
}

Policy Policy::open_for_local() {
  Policy policy;
  policy.local_may_all_ = true;
  return policy;
}

Status Policy::add(Statement statement) {
  if (statements_.size() == statements_max) {
    return Error(Code::invalid, fmt::format("a policy has at most {} statements", statements_max));
  }
  statements_.push_back(std::move(statement));
  return {};
}

bool Policy::allows(const Principal& who, Action action, const Resource& what) const {
  if (who.kind == PrincipalKind::service) return true;
  bool allowed = local_may_all_ && who.kind == PrincipalKind::local;
  for (const Statement& statement : statements_) {
    const bool is_deny = statement.effect == Effect::deny;
    if (!is_deny && allowed) continue;
    const bool applies =
        is_deny ? statement.actions.has(action) : grants(statement.actions, action);
    if (!applies || !concerns(statement, who) || !names(statement, who, what)) continue;
    if (is_deny) return false;
    allowed = true;
  }
  return allowed;
}

Status Policy::check(const Principal& who, Action action, const Resource& what) const {
  if (allows(who, action, what)) return {};
  return Error(Code::denied, fmt::format("{} may not {} {} {}", who.name, name_of(action),
                                         name_of(what.kind), what.name));
}

bool Policy::allows_on_any(const Principal& who, Action action, ResourceKind kind) const {
  if (who.kind == PrincipalKind::service) return true;
  // A denial takes an allowed pattern away when it covers all of it: then it also matches the
  // allowed pattern read as plain text.
  auto is_taken_away = [&](std::string_view allowed) {
    return std::ranges::any_of(statements_, [&](const Statement& statement) {
      return statement.effect == Effect::deny && statement.actions.has(action) &&
             concerns(statement, who) &&
             std::ranges::any_of(statement.resources, [&](const auto& resource) {
               auto pattern = pattern_for(resource, kind);
               return pattern && matches_for(*pattern, who.name, allowed);
             });
    });
  };
  if (local_may_all_ && who.kind == PrincipalKind::local && !is_taken_away("*")) return true;
  return std::ranges::any_of(statements_, [&](const Statement& statement) {
    return statement.effect == Effect::allow && grants(statement.actions, action) &&
           concerns(statement, who) &&
           std::ranges::any_of(statement.resources, [&](const auto& resource) {
             auto pattern = pattern_for(resource, kind);
             return pattern && !is_taken_away(*pattern);
           });
  });
}

}  // namespace pinpipe::auth
