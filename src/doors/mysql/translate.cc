#include "doors/mysql/translate.h"

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "base/bytes.h"

namespace pinpipe::mysql {
namespace {

constexpr std::string_view mysql_blanks = " \t\r\n\v\f";

bool is_one_of(const Token& token, std::initializer_list<std::string_view> words) {
  return token.kind == Token::Kind::word &&
         std::find(words.begin(), words.end(), token.value) != words.end();
}

std::string literal_of(const std::optional<Value>& value) {
  if (!value) return "NULL";
  return value->is_number ? value->text : literal(value->text);
}

std::optional<source::Kind> kind_of_column(const std::string& name) {
  for (source::Table table : source::all_tables) {
    for (const source::Column& column : source::schema_of(table).columns) {
      if (column.name == name) return column.kind;
    }
  }
  return std::nullopt;
}

// MIN(column) or MAX(table.column), with or without another name.
std::optional<source::Kind> kind_of_extreme(std::span<const Token> item) {
  if (item.size() < 4 || !is_one_of(item[0], {"min", "max"}) || !item[1].is_symbol("("))
    return std::nullopt;
  size_t at = item[3].is_symbol(".") ? 4 : 2;
  if (at + 1 >= item.size() || !item[at].is_name() || !item[at + 1].is_symbol(")"))
    return std::nullopt;
  bool named = at + 2 == item.size() || item[at + 2].is_name();
  return named ? kind_of_column(item[at].value) : std::nullopt;
}

class Translator {
 public:
  Translator(std::string_view statement, std::span<const Token> tokens, const Session& session)
      : statement_(statement), tokens_(tokens), session_(session) {}

  Outcome<Translated> run() {
    while (at_ < tokens_.size()) {
      const Token& token = tokens_[at_];
      if (token.is_symbol(";")) return fail_syntax(statement_.substr(token.begin));
      keep_blank(token);
      note_place(token);
      if (auto done = step(token); !done) return std::unexpected(done.error());
    }
    end_item(statement_.size(), tokens_.size());
    return std::move(out_);
  }

 private:
  const Token& next(size_t ahead = 1) const {
    static const Token none{};
    return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead] : none;
  }
  const Token& before() const {
    static const Token none{};
    return at_ > 0 ? tokens_[at_ - 1] : none;
  }
  void put(std::string_view text, size_t consumed = 1) {
    out_.sql += text;
    at_ += consumed;
  }
  void drop(size_t consumed) { at_ += consumed; }

  void keep_blank(const Token& token) {
    size_t from = at_ == 0 ? token.begin : before().end;
    std::string_view gap = statement_.substr(from, token.begin - from);
    if (gap.empty()) return;
    out_.sql += trimmed(gap, mysql_blanks).empty() ? gap : " ";  // a comment is a blank
  }

  // Follows the outermost select list: from the first SELECT to the word that ends it.
  void note_place(const Token& token) {
    if (token.is_symbol("(")) ++depth_;
    if (token.is_symbol(")")) --depth_;
    if (depth_ != 0 || place_ == Place::after) return;
    if (place_ == Place::in_list && token.is_symbol(",")) {
      end_item(token.begin, at_);
      item_begins_ = true;
    } else if (is_one_of(token, {"from", "where", "group", "having", "order", "limit", "union",
                                 "into", "for", "window"})) {
      end_item(token.begin, at_);
      place_ = Place::after;
    } else if (item_begins_ && !is_one_of(token, {"distinct", "all", "distinctrow", "sql_no_cache",
                                                  "sql_calc_found_rows"})) {
      item_begins_ = false;
      in_item_ = true;
      written_from_ = token.begin;
      first_token_ = at_;
      translated_from_ = out_.sql.size();
    }
    if (place_ == Place::before && token.is("select")) {
      place_ = Place::in_list;
      item_begins_ = true;
    }
  }

  void end_item(size_t written_to, size_t token_to) {
    if (!in_item_) return;
    in_item_ = false;
    out_.items.push_back(
        {std::string(
             trimmed(statement_.substr(written_from_, written_to - written_from_), mysql_blanks)),
         std::string(trimmed(std::string_view(out_.sql).substr(translated_from_))),
         kind_of_extreme(tokens_.subspan(first_token_, token_to - first_token_))});
  }

  Outcome<void> step(const Token& token) {
    switch (token.kind) {
      case Token::Kind::text:
        put(literal(token.value));
        return {};
      case Token::Kind::quoted_name:
        put(name_in_quotes(token.value));
        return {};
      case Token::Kind::system_variable: {
        auto value = session_.variable(token.value);
        if (!value) return fail(1193, "HY000", "Unknown system variable '" + token.value + "'");
        put(literal_of(value));
        return {};
      }
      case Token::Kind::user_variable:
        put(literal_of(session_.user_variable(token.value)));
        return {};
      case Token::Kind::parameter:
        ++out_.parameters;
        put("?");
        return {};
      case Token::Kind::symbol:
        step_symbol(token);
        return {};
      case Token::Kind::word:
        return step_word(token);
      case Token::Kind::number:
        put(token.value);
        return {};
    }
    __builtin_unreachable();
  }

  void step_symbol(const Token& token) {
    if (token.value == "/") return put("* 1.0 /");  // 7 / 2 is 3.5
    if (token.value == "&&") return put("AND");
    if (token.value == "||") return put("OR");
    if (token.value == "<=>") return put("IS");
    if (token.value == "!") return put("NOT ");
    put(token.value);
  }

  Outcome<void> step_word(const Token& token) {
    if (before().is_symbol(".")) {  // p.index: behind a dot every word is a name
      put(name_in_quotes(statement_.substr(token.begin, token.end - token.begin)));
      return {};
    }
    if (step_renamed(token) || step_type(token) || step_dropped(token)) return {};
    if (token.is("interval") && !next().is_symbol("(")) return fail_unsupported("INTERVAL");
    if (token.is("xor")) return fail_unsupported("XOR");
    if (token.is("into")) return fail_unsupported("SELECT … INTO");
    // Names in MySQL, words of its own to SQLite.
    bool reserved =
        is_one_of(token, {"abort", "autoincrement", "commit", "deferrable", "glob", "isnull",
                          "nothing", "notnull", "returning", "rollback", "transaction"});
    if (reserved && !next().is_symbol("("))
      return put(name_in_quotes(token.value)), Outcome<void>();
    put(statement_.substr(token.begin, token.end - token.begin));
    return {};
  }

  // Functions and operators of another name. True when it was one.
  bool step_renamed(const Token& token) {
    bool call = next().is_symbol("(");
    if (call && token.is("if")) return put("iif"), true;
    if (call && token.is("left")) return put("mysql_left"), true;
    if (call && token.is("right")) return put("mysql_right"), true;
    if (token.is("div")) return put("/"), true;
    if (!call && token.is("mod")) return put("%"), true;
    if (token.is("rlike")) return put("REGEXP"), true;
    if (token.is("distinctrow")) return put("DISTINCT"), true;
    if (!call && is_one_of(token, {"current_user", "localtime", "localtimestamp", "utc_timestamp",
                                   "utc_date"})) {
      return put(token.value + "()"), true;
    }
    if (depth_ > 0 && token.is("separator")) return put(","), true;
    if (token.is("collate") && next().is_name()) {
      bool exact = next().value == "binary" || next().value.ends_with("_bin");
      return put(exact ? "COLLATE BINARY" : "COLLATE NOCASE", 2), true;
    }
    return false;
  }

  // The target of a CAST. True when it was one.
  bool step_type(const Token& token) {
    if (depth_ == 0 || !before().is("as")) return false;
    if (is_one_of(token, {"signed", "unsigned"})) {
      return put("INTEGER", next().is("integer") || next().is("int") ? 2 : 1), true;
    }
    if (is_one_of(token, {"datetime", "date", "time"}) && next().is_symbol(")"))
      return put("TEXT"), true;
    return false;
  }

  // Words that say nothing here. True when it was one.
  bool step_dropped(const Token& token) {
    if (is_one_of(token, {"sql_no_cache", "sql_calc_found_rows", "high_priority"}))
      return drop(1), true;
    if (token.kind == Token::Kind::word && token.value.starts_with('_') &&
        next().kind == Token::Kind::text) {
      return drop(1), true;  // _utf8mb4'…'
    }
    if (token.is("character") && next().is("set")) return drop(3), true;
    if (token.is("charset") && depth_ > 0) return drop(2), true;
    if (token.is("using") && depth_ > 0 && next().is_name() && next(2).is_symbol(")"))
      return drop(2), true;
    if (token.is("from") && next().is("dual")) return drop(2), true;
    if (depth_ == 0 && token.is("for") && is_one_of(next(), {"update", "share"}))
      return drop(2), true;
    if (depth_ == 0 && token.is("lock") && next().is("in")) return drop(4), true;
    return false;
  }

  enum class Place { before, in_list, after };

  std::string_view statement_;
  std::span<const Token> tokens_;
  const Session& session_;
  Translated out_;
  size_t at_ = 0;
  int depth_ = 0;
  Place place_ = Place::before;
  bool item_begins_ = false;
  bool in_item_ = false;
  size_t written_from_ = 0;
  size_t first_token_ = 0;
  size_t translated_from_ = 0;
};

}  // namespace

std::string literal(std::string_view text) {
  // A zero byte would end the statement for SQLite.
  if (text.find('\0') != std::string_view::npos) return "CAST(x'" + to_hex(text) + "' AS TEXT)";
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out.push_back('\'');
    out.push_back(c);
  }
  return out + "'";
}

std::string name_in_quotes(std::string_view name) {
  std::string out = "`";
  for (char c : name) {
    if (c == '`') out.push_back('`');
    if (c != '\0') out.push_back(c);
  }
  return out + "`";
}

Outcome<Translated> translate(std::string_view statement, std::span<const Token> tokens,
                              const Session& session) {
  return Translator(statement, tokens, session).run();
}

}  // namespace pinpipe::mysql
