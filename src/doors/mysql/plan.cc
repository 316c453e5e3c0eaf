#include "doors/mysql/plan.h"

#include <algorithm>

#include "doors/mysql/show.h"
#include "doors/mysql/token.h"

namespace pinpipe::mysql {
namespace {

bool is_one_of(const Token& token, std::initializer_list<std::string_view> words) {
  return token.kind == Token::Kind::word &&
         std::find(words.begin(), words.end(), token.value) != words.end();
}

// SET, from its second word on.
class Settings {
 public:
  Settings(std::string_view statement, std::span<const Token> tokens, const Session& session)
      : statement_(statement), tokens_(tokens), session_(session) {}

  Outcome<Plan> run() {
    Plan plan{.kind = Plan::Kind::change};
    if (auto done = names(plan); done)
      return done.value() ? Outcome<Plan>(plan) : assignments(plan);
    else
      return std::unexpected(done.error());
  }

 private:
  const Token& here(size_t ahead = 0) const {
    static const Token none{};
    return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead] : none;
  }
  std::unexpected<Failure> syntax() const {
    return fail_syntax(at_ < tokens_.size() ? statement_.substr(tokens_[at_].begin) : "");
  }

  // SET NAMES, SET CHARACTER SET, SET TRANSACTION. True when it was one of them.
  Outcome<bool> names(Plan& plan) {
    if (here().is("names") || (here().is("character") && here(1).is("set"))) {
      at_ += here().is("names") ? 1 : 2;
      std::string set = here().value == "default" ? "utf8mb4" : here().value;
      for (const char* name :
           {"character_set_client", "character_set_connection", "character_set_results"}) {
        plan.changes.push_back({.name = name, .value = {false, set}});
      }
      return true;
    }
    if (is_one_of(here(), {"session", "local"}) && here(1).is("transaction")) ++at_;
    if (here().is("global") && here(1).is("transaction")) return refuse_global();
    if (!here().is("transaction")) return false;
    ++at_;
    if (here().is("isolation") && here(1).is("level")) {
      at_ += 2;
      std::string level;
      for (; at_ < tokens_.size() && here().kind == Token::Kind::word; ++at_) {
        for (char c : (level.empty() ? "" : "-") + here().value)
          level.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c);
      }
      plan.changes.push_back({.name = "transaction_isolation", .value = {false, level}});
    }
    return true;
  }

  static std::unexpected<Failure> refuse_global() {
    return fail(1227, "42000",
                "Access denied; you need (at least one of) the SUPER or SYSTEM_VARIABLES_ADMIN "
                "privilege(s) for this operation");
  }

  // [SESSION] name = value, …
  Outcome<Plan> assignments(Plan& plan) {
    while (true) {
      Plan::Change change;
      if (is_one_of(here(), {"global", "persist", "persist_only"}) && here(1).is_name())
        return refuse_global();
      if (is_one_of(here(), {"session", "local"}) && here(1).is_name()) ++at_;
      change.of_user = here().kind == Token::Kind::user_variable;
      if (!here().is_name() && !change.of_user && here().kind != Token::Kind::system_variable) {
        return syntax();
      }
      change.name = here().value;
      ++at_;
      if (!here().is_symbol("=") && !here().is_symbol(":=")) return syntax();
      ++at_;
      auto value = read_value(change.name);
      if (!value) return std::unexpected(value.error());
      change.value = std::move(*value);
      plan.changes.push_back(std::move(change));
      if (at_ >= tokens_.size()) return plan;
      if (!here().is_symbol(",")) return syntax();
      ++at_;
    }
  }

  // A value as scripts set them: a word, a text, a number, another variable. SQLAlchemy and others
  // wrap one in CONCAT(@@sql_mode, …): what a function gives is not computed.
  Outcome<Value> read_value(const std::string& name) {
    bool negative = here().is_symbol("-");
    if (negative) ++at_;
    const Token token = here();
    if (token.kind != Token::Kind::symbol && here(1).is_symbol("(")) {
      int depth = 0;
      for (++at_; at_ < tokens_.size(); ++at_) {
        depth += here().is_symbol("(") ? 1 : here().is_symbol(")") ? -1 : 0;
        if (depth == 0) break;
      }
      ++at_;
      return session_.variable(name).value_or(Value{});
    }
    ++at_;
    switch (token.kind) {
      case Token::Kind::number:
        return Value{true, (negative ? "-" : "") + token.value};
      case Token::Kind::text:
      case Token::Kind::quoted_name:
      case Token::Kind::word:
        return Value{false, token.value};
      case Token::Kind::system_variable:
        return session_.variable(token.value).value_or(Value{});
      case Token::Kind::user_variable:
        return session_.user_variable(token.value).value_or(Value{});
      default:
        --at_;
        return syntax();
    }
  }

  std::string_view statement_;
  std::span<const Token> tokens_;
  const Session& session_;
  size_t at_ = 1;
};

Outcome<Plan> plan_rows(std::string_view statement, std::span<const Token> tokens,
                        const Session& session) {
  auto select = translate(statement, tokens, session);
  if (!select) return std::unexpected(select.error());
  return Plan{.kind = Plan::Kind::rows, .select = std::move(*select)};
}

Outcome<Plan> plan_shown(Outcome<std::string> sql) {
  if (!sql) return std::unexpected(sql.error());
  return Plan{.kind = Plan::Kind::rows, .select = {.sql = std::move(*sql), .items = {}}};
}

}  // namespace

Outcome<Plan> plan(std::string_view statement, const Session& session) {
  auto read = tokens_of(statement);
  if (!read) return std::unexpected(read.error());
  const std::vector<Token>& tokens = *read;
  if (tokens.empty()) return fail(1065, "42000", "Query was empty");
  const Token& first = tokens.front();
  bool alone = tokens.size() == 1;
  if (is_one_of(first, {"select", "with", "values"}) || first.is_symbol("("))
    return plan_rows(statement, tokens, session);
  if (first.is("show") && !alone) return plan_shown(show(statement, tokens, session));
  if (is_one_of(first, {"describe", "desc", "explain"}) && !alone) {
    if (is_one_of(tokens[1], {"select", "with", "format", "analyze", "extended"}))
      return fail_unsupported("EXPLAIN");
    return plan_shown(describe(statement, tokens, session));
  }
  if (first.is("set") && !alone) return Settings(statement, tokens, session).run();
  if (first.is("use") && tokens.size() == 2)
    return Plan{.kind = Plan::Kind::done, .database = tokens[1].value};
  if (is_one_of(first, {"begin", "start", "commit", "rollback", "savepoint", "release", "unlock",
                        "lock", "do"})) {
    return Plan{.kind = Plan::Kind::done};
  }
  if (is_one_of(first, {"insert",    "update",   "delete",   "replace", "create", "drop",
                        "alter",     "truncate", "load",     "grant",   "revoke", "rename",
                        "import",    "analyze",  "optimize", "repair",  "flush",  "install",
                        "uninstall", "reset",    "purge",    "change"})) {
    return fail_read_only();
  }
  if (is_one_of(first, {"call", "handler", "kill", "prepare", "execute", "deallocate", "check",
                        "checksum", "xa", "help", "table"})) {
    return fail_unsupported(first.value);
  }
  return fail_syntax(statement.substr(first.begin));
}

Outcome<void> apply(const Plan& plan, Session& session) {
  if (!plan.database.empty()) return use_database(plan.database, session);
  for (const Plan::Change& change : plan.changes) {
    auto done = change.of_user ? session.set_user_variable(change.name, change.value)
                               : session.set_variable(change.name, change.value);
    if (!done) return done;
  }
  return {};
}

Outcome<void> use_database(std::string_view name, Session& session) {
  if (name != data_name && name != schema_name)
    return fail(1049, "42000", "Unknown database '" + std::string(name) + "'");
  session.database = name;
  return {};
}

}  // namespace pinpipe::mysql
