// tidy: long because a grammar read by descent is one class; each rule is short.
#include "scheduler/python_tree.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

#include "scheduler/python_tokens.h"

namespace pinpipe::scheduler {
namespace {

using Kind = Expression::Kind;

constexpr std::array<std::string_view, 15> keywords_of_statements = {
    "if",  "for",   "while",  "try",      "class", "return", "raise",   "assert",
    "del", "async", "global", "nonlocal", "yield", "break",  "continue"};

// From loose to tight; signs of one line bind alike.
constexpr std::array<std::string_view, 9> levels = {
    " or ",  " and ",       " in is < > <= >= == != ", " | ", " ^ ", " & ", " << >> ",
    " + - ", " * / // % @ "};

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Result<std::vector<Statement>> run() {
    std::vector<Statement> statements;
    while (here().kind != Token::Kind::end) read_line(statements);
    if (!error_.empty()) return Error(Code::invalid, error_);
    return statements;
  }

 private:
  const Token& here() const { return tokens_[at_]; }
  const Token& next() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  void step() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  bool is_sign(std::string_view sign) const {
    return here().kind == Token::Kind::sign && here().text == sign;
  }
  bool is_word(std::string_view word) const {
    return here().kind == Token::Kind::name && here().text == word;
  }
  bool take_sign(std::string_view sign) {
    if (!is_sign(sign)) return false;
    step();
    return true;
  }
  bool take_word(std::string_view word) {
    if (!is_word(word)) return false;
    step();
    return true;
  }
  // The first one counts; reading goes on behind the line.
  void wrong(std::string_view what) {
    if (error_.empty()) error_ = fmt::format("line {}: {}", here().line, what);
    failed_ = true;
  }

  // One line of the file with the block that belongs to it.
  void read_line(std::vector<Statement>& into) {
    if (here().kind == Token::Kind::indent) {
      wrong("unexpected indentation");
      step();
      return;
    }
    if (here().kind == Token::Kind::dedent || here().kind == Token::Kind::line_end) return step();
    if (is_word("with")) return into.push_back(read_with());
    if (is_word("def") || is_sign("@")) return into.push_back(read_function());
    if (is_word("try") && read_guarded_imports(into)) return;
    if (is_other_statement()) return into.push_back(read_other());
    do {
      if (here().kind == Token::Kind::line_end) break;
      into.push_back(read_simple());
      if (failed_) return skip_line();
    } while (take_sign(";"));
    if (here().kind != Token::Kind::line_end && here().kind != Token::Kind::end) {
      wrong(fmt::format("\"{}\" is not expected here", here().text));
      return skip_line();
    }
    step();
  }

  bool is_other_statement() const {
    return here().kind == Token::Kind::name &&
           std::ranges::find(keywords_of_statements, here().text) != keywords_of_statements.end();
  }

  void skip_line() {
    failed_ = false;
    while (here().kind != Token::Kind::line_end && here().kind != Token::Kind::end) step();
    step();
  }

  Statement read_simple() {
    Statement statement;
    statement.line = here().line;
    if (take_word("pass")) {
      statement.kind = Statement::Kind::expression;
      statement.value.kind = Kind::none;
      return statement;
    }
    if (is_word("import") || is_word("from")) return read_import();
    statement.kind = Statement::Kind::expression;
    statement.value = read_expression();
    if (take_sign(":")) (void)read_expression();  // an annotation
    while (take_sign("=")) {
      statement.kind = Statement::Kind::assign;
      if (statement.value.kind == Kind::name) {
        statement.targets.push_back(statement.value.text);
      } else {
        statement.mentions.push_back(described(statement.value));
      }
      statement.value = read_expression();
    }
    if (here().kind == Token::Kind::sign && here().text.size() > 1 && here().text.ends_with('=')) {
      Statement other;
      other.line = statement.line;
      other.text = here().text;
      other.mentions.push_back(described(statement.value));
      step();
      (void)read_expression();
      return other;
    }
    return statement;
  }

  std::string dotted_name() {
    std::string name;
    while (here().kind == Token::Kind::name || is_sign(".") || is_sign("...")) {
      if (here().kind == Token::Kind::name && !name.empty() && !name.ends_with('.')) break;
      name += here().text;
      step();
    }
    return name;
  }

  // import a.b [as c], …   from a.b import c [as d], …   with or without brackets
  Statement read_import() {
    Statement statement{.kind = Statement::Kind::import, .line = here().line};
    bool from = is_word("from");
    step();
    if (from) {
      statement.text = dotted_name();
      if (!take_word("import")) wrong("\"import\" is missing");
    }
    bool bracket = take_sign("(");
    while (!failed_) {
      if (bracket && take_sign(")")) return statement;
      std::string name = take_sign("*") ? "*" : dotted_name();
      if (name.empty()) {
        wrong("the name of a module is missing");
        break;
      }
      std::string as = from ? name : name.substr(0, name.find('.'));
      if (take_word("as")) {
        as = here().text;
        step();
      } else if (!from) {
        name = as;
      }
      statement.names.push_back(name);
      statement.targets.push_back(as);
      if (!take_sign(",")) break;
    }
    if (bracket && !take_sign(")")) wrong("\")\" is missing");
    return statement;
  }

  Statement read_with() {
    Statement statement{.kind = Statement::Kind::with, .line = here().line};
    step();
    bool bracket = is_sign("(") && bracket_holds_as();
    if (bracket) step();
    while (!failed_) {
      if (bracket && is_sign(")")) break;
      statement.items.push_back(read_expression_without_comma());
      std::string name;
      if (take_word("as")) {
        name = here().text;
        step();
      }
      statement.targets.push_back(name);
      if (!take_sign(",")) break;
    }
    if (bracket && !take_sign(")")) wrong("\")\" is missing");
    if (!take_sign(":")) {
      wrong("\":\" is missing");
      skip_line();
      return statement;
    }
    statement.body = read_block();
    return statement;
  }

  // Whether `with (` begins a list of `… as name` and not an expression in brackets.
  bool bracket_holds_as() const {
    int depth = 0;
    for (size_t i = at_; i < tokens_.size(); ++i) {
      const Token& token = tokens_[i];
      if (token.kind == Token::Kind::line_end) return false;
      if (token.kind == Token::Kind::name && token.text == "as" && depth == 1) return true;
      if (token.kind != Token::Kind::sign) continue;
      if (token.text == "(" || token.text == "[" || token.text == "{") ++depth;
      if (token.text == ")" || token.text == "]" || token.text == "}") --depth;
      if (depth == 0) return false;
    }
    return false;
  }

  // What follows a colon: a block, or statements on the same line.
  std::vector<Statement> read_block() {
    std::vector<Statement> body;
    if (here().kind != Token::Kind::line_end) {
      read_line(body);
      return body;
    }
    step();
    if (here().kind != Token::Kind::indent) {
      wrong("an indented block is missing");
      failed_ = false;
      return body;
    }
    step();
    while (here().kind != Token::Kind::dedent && here().kind != Token::Kind::end) read_line(body);
    if (here().kind == Token::Kind::dedent) step();
    return body;
  }

  // Passes over the rest of a statement and its block; collects the names in it.
  void skip_statement(std::vector<std::string>& mentions) {
    auto note = [&] {
      if (here().kind == Token::Kind::name || here().text == ">>" || here().text == "<<") {
        mentions.push_back(here().text);
      }
      step();
    };
    while (here().kind != Token::Kind::line_end && here().kind != Token::Kind::end) note();
    step();
    if (here().kind != Token::Kind::indent) return;
    int depth = 0;
    do {
      if (here().kind == Token::Kind::indent) ++depth;
      if (here().kind == Token::Kind::dedent) --depth;
      note();
    } while (depth > 0 && here().kind != Token::Kind::end);
  }

  Statement read_other() {
    Statement statement{.line = here().line, .text = here().text};
    skip_statement(statement.mentions);
    // The other branches belong to it.
    while (is_word("else") || is_word("elif") || is_word("except") || is_word("finally")) {
      skip_statement(statement.mentions);
    }
    return statement;
  }

  // try: import … except …: import …  is how a file suits several versions of Airflow; the names of
  // all branches mean the same. Any other `try` is left where it is.
  bool read_guarded_imports(std::vector<Statement>& into) {
    size_t begin = at_;
    std::vector<Statement> imports;
    bool plain = true;
    while (plain &&
           (is_word("try") || is_word("except") || is_word("else") || is_word("finally"))) {
      while (!is_sign(":") && here().kind != Token::Kind::line_end) step();
      if (!take_sign(":")) break;
      for (Statement& statement : read_block()) {
        bool pass =
            statement.kind == Statement::Kind::expression && statement.value.kind == Kind::none;
        plain &= pass || statement.kind == Statement::Kind::import;
        if (!pass) imports.push_back(std::move(statement));
      }
      plain &= !failed_ && error_.empty();
    }
    if (!plain) {
      at_ = begin;
      return false;
    }
    std::ranges::move(imports, std::back_inserter(into));
    return true;
  }

  Statement read_function() {
    Statement statement{.kind = Statement::Kind::function, .line = here().line};
    while (take_sign("@")) {
      statement.text = described(read_expression());
      step();
    }
    (void)take_word("async");
    statement.targets.push_back(next().text);
    skip_statement(statement.mentions);
    return statement;
  }

  // Several with commas between them are a list.
  Expression read_expression() {
    Expression first = read_expression_without_comma();
    if (!is_sign(",")) return first;
    Expression list{.kind = Kind::list, .text = "", .line = first.line};
    list.parts.push_back(std::move(first));
    while (take_sign(",") && !ends_expression()) {
      list.parts.push_back(read_expression_without_comma());
    }
    return list;
  }

  bool ends_expression() const {
    return here().kind == Token::Kind::line_end || here().kind == Token::Kind::end ||
           is_sign("=") || is_sign(")") || is_sign("]") || is_sign("}") || is_sign(";");
  }

  Expression other(std::string text, int line) {
    return {.kind = Kind::other, .text = std::move(text), .line = line};
  }

  Expression read_expression_without_comma() {
    int line = here().line;
    if (is_word("lambda") || is_word("await") || is_word("yield")) {
      Expression result = other(here().text, line);
      skip_to_end_of_part();
      return result;
    }
    if (++depth_ > expression_depth_max) {
      wrong("an expression is nested too deep");
      --depth_;
      return {};
    }
    Expression value = read_binary(0);
    --depth_;
    if (take_word("if")) {
      (void)read_binary(0);
      if (!take_word("else")) wrong("\"else\" is missing");
      (void)read_expression_without_comma();
      return other("… if … else …", line);
    }
    if (take_sign(":=")) {
      (void)read_expression_without_comma();
      return other(":=", line);
    }
    return value;
  }

  // To the comma or bracket that ends this part of an expression.
  void skip_to_end_of_part() {
    int depth = 0;
    while (here().kind != Token::Kind::line_end && here().kind != Token::Kind::end) {
      bool closes = is_sign(")") || is_sign("]") || is_sign("}");
      if (depth == 0 && (closes || is_sign(","))) return;
      if (is_sign("(") || is_sign("[") || is_sign("{")) ++depth;
      if (closes) --depth;
      step();
    }
  }

  bool binds_at(size_t level) const {
    if (here().kind != Token::Kind::sign && here().kind != Token::Kind::name) return false;
    if (is_word("not")) return level == 2 && next().text == "in";
    return levels[level].find(" " + here().text + " ") != std::string_view::npos;
  }

  Expression read_binary(size_t level) {
    if (level == levels.size()) return read_unary();
    if (level == 2 && is_word("not")) {
      Expression negation{.kind = Kind::unary, .text = "not", .line = here().line};
      step();
      negation.parts.push_back(read_binary(level));
      return negation;
    }
    Expression left = read_binary(level + 1);
    while (!failed_ && binds_at(level)) {
      Expression both{.kind = Kind::binary, .text = here().text, .line = here().line};
      step();
      if (both.text == "not" || (both.text == "is" && is_word("not"))) step();
      both.parts.push_back(std::move(left));
      both.parts.push_back(read_binary(level + 1));
      left = std::move(both);
    }
    return left;
  }

  Expression read_unary() {
    if (is_sign("-") || is_sign("+") || is_sign("~") || is_sign("*") || is_sign("**")) {
      Expression unary{.kind = Kind::unary, .text = here().text, .line = here().line};
      step();
      if (++depth_ > expression_depth_max) wrong("an expression is nested too deep");
      if (!failed_) unary.parts.push_back(read_unary());
      --depth_;
      return unary;
    }
    Expression base = read_postfix();
    if (!take_sign("**")) return base;
    Expression power{.kind = Kind::binary, .text = "**", .line = base.line};
    power.parts.push_back(std::move(base));
    if (++depth_ > expression_depth_max) wrong("an expression is nested too deep");
    if (!failed_) power.parts.push_back(read_unary());
    --depth_;
    return power;
  }

  Expression read_postfix() {
    Expression value = read_atom();
    int chained = 0;
    while (!failed_) {
      Expression outer{.line = value.line};
      if (take_sign(".")) {
        outer.kind = Kind::attribute;
        outer.text = here().text;
        if (here().kind != Token::Kind::name) wrong("a name is missing after \".\"");
        step();
        outer.parts.push_back(std::move(value));
      } else if (is_sign("(")) {
        outer.kind = Kind::call;
        outer.parts.push_back(std::move(value));
        read_arguments(outer);
      } else if (take_sign("[")) {
        outer.kind = Kind::item;
        outer.parts.push_back(std::move(value));
        outer.parts.push_back(is_sign(":") ? other("a slice", here().line) : read_expression());
        if (is_sign(":")) {
          outer.parts.back() = other("a slice", here().line);
          skip_to_end_of_part();
        }
        if (!take_sign("]")) wrong("\"]\" is missing");
      } else {
        return value;
      }
      if (++chained > expression_depth_max) wrong("an expression is too long");
      value = std::move(outer);
    }
    return value;
  }

  void read_arguments(Expression& call) {
    step();
    while (!failed_ && !is_sign(")")) {
      std::string name;
      if (is_sign("*") || is_sign("**")) {
        name = here().text;
        step();
      } else if (here().kind == Token::Kind::name && next().text == "=" &&
                 next().kind == Token::Kind::sign) {
        name = here().text;
        step();
        step();
      }
      Expression value = read_expression_without_comma();
      if (is_word("for") || is_word("async")) value = read_comprehension(value.line);
      call.names.push_back(std::move(name));
      call.parts.push_back(std::move(value));
      if (!take_sign(",")) break;
    }
    if (!take_sign(")")) wrong("\")\" is missing");
  }

  Expression read_comprehension(int line) {
    int depth = 0;
    while (here().kind != Token::Kind::line_end && here().kind != Token::Kind::end) {
      bool closes = is_sign(")") || is_sign("]") || is_sign("}");
      if (depth == 0 && closes) break;
      if (is_sign("(") || is_sign("[") || is_sign("{")) ++depth;
      if (closes) --depth;
      step();
    }
    return other("… for … in …", line);
  }

  Expression read_atom() {
    const Token token = here();
    Expression value{.kind = Kind::other, .text = token.text, .line = token.line};
    switch (token.kind) {
      case Token::Kind::text:
        step();
        value.kind = token.bytes ? Kind::other : token.formatted ? Kind::formatted : Kind::text;
        return value;
      case Token::Kind::number:
        step();
        return read_number(std::move(value));
      case Token::Kind::name:
        step();
        if (token.text == "True" || token.text == "False")
          value.kind = Kind::boolean;
        else if (token.text == "None")
          value.kind = Kind::none;
        else
          value.kind = Kind::name;
        return value;
      default:
        break;
    }
    if (token.text == "...") {
      step();
      return value;
    }
    if (token.text == "(" || token.text == "[") return read_list(token.text == "(" ? ")" : "]");
    if (token.text == "{") return read_dict();
    wrong(token.text.empty() ? "something is missing here"
                             : fmt::format("\"{}\" is not expected here", token.text));
    return value;
  }

  static Expression read_number(Expression value) {
    int64_t whole = 0;
    const char* end = value.text.data() + value.text.size();
    auto read = std::from_chars(value.text.data(), end, whole);
    if (read.ec == std::errc() && read.ptr == end) {
      value.kind = Kind::integer;
    } else {
      double real = 0;
      auto read_real = std::from_chars(value.text.data(), end, real);
      bool is_real = read_real.ec == std::errc() && read_real.ptr == end;
      value.kind = is_real ? Kind::real : Kind::other;
    }
    return value;
  }

  // (a, b) and [a, b]; (a) is a itself.
  Expression read_list(std::string_view close) {
    Expression list{.kind = Kind::list, .text = "", .line = here().line};
    step();
    bool comma = false;
    while (!failed_ && !is_sign(close)) {
      list.parts.push_back(read_expression_without_comma());
      if (is_word("for") || is_word("async")) {
        Expression built = read_comprehension(list.line);
        if (!take_sign(close)) wrong(fmt::format("\"{}\" is missing", close));
        return built;
      }
      comma = take_sign(",");
      if (!comma) break;
    }
    if (!take_sign(close)) wrong(fmt::format("\"{}\" is missing", close));
    if (close == ")" && list.parts.size() == 1 && !comma) {
      Expression inner = std::move(list.parts.front());
      return inner;
    }
    return list;
  }

  Expression read_dict() {
    Expression dict{.kind = Kind::dict, .text = "", .line = here().line};
    step();
    while (!failed_ && !is_sign("}")) {
      if (is_sign("**")) {
        Expression spread = other("**", here().line);
        skip_to_end_of_part();
        dict.parts.push_back(spread);
        dict.parts.push_back(spread);
      } else {
        dict.parts.push_back(read_expression_without_comma());
        if (take_sign(":")) {
          dict.parts.push_back(read_expression_without_comma());
        } else {
          dict.kind = Kind::list;  // a set
        }
      }
      if (is_word("for") || is_word("async")) {
        dict = read_comprehension(dict.line);
        break;
      }
      if (!take_sign(",")) break;
    }
    if (!take_sign("}")) wrong("\"}\" is missing");
    return dict;
  }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  bool failed_ = false;
  std::string error_;
};

}  // namespace

Result<std::vector<Statement>> python_tree(std::string_view source) {
  auto tokens = python_tokens(source);
  if (!tokens) return tokens.error();
  return Parser(std::move(*tokens)).run();
}

std::string described(const Expression& expression) {
  switch (expression.kind) {
    case Kind::attribute:
      return described(expression.parts.front()) + "." + expression.text;
    case Kind::call:
      return described(expression.parts.front()) + "(…)";
    case Kind::item:
      return described(expression.parts.front()) + "[…]";
    case Kind::binary:
      return fmt::format("… {} …", expression.text);
    case Kind::list:
      return "[…]";
    case Kind::dict:
      return "{…}";
    default:
      return expression.text;
  }
}

}  // namespace pinpipe::scheduler
