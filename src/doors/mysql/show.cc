#include "doors/mysql/show.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "doors/mysql/catalog.h"
#include "doors/mysql/translate.h"
#include "source/schema.h"

namespace pinpipe::mysql {
namespace {

// What a SHOW gives before its LIKE or WHERE, and which column LIKE looks at.
struct Shown {
  std::string select;
  std::string filtered;
};

std::string nothing_of(std::initializer_list<std::string_view> columns) {
  std::string select = "SELECT ";
  for (std::string_view column : columns)
    select += fmt::format("{}'' AS \"{}\"", select.size() > 7 ? ", " : "", column);
  return select + " WHERE 0";
}

// Reads one statement from its second word on.
class Show {
 public:
  Show(std::string_view statement, std::span<const Token> tokens, const Session& session)
      : statement_(statement), tokens_(tokens), session_(session), database_(session.database) {}

  Outcome<std::string> run() {
    at_ = 1;
    while (eat("full") || eat("extended") || eat("session") || eat("global") || eat("local"))
      full_ = full_ || tokens_[at_ - 1].is("full");
    auto shown = base();
    if (!shown) return std::unexpected(shown.error());
    return filtered(std::move(*shown));
  }

  Outcome<std::string> describe() {
    at_ = 1;
    auto shown = columns();
    if (!shown) return std::unexpected(shown.error());
    // DESCRIBE table column, or a pattern of columns.
    if (at_ < tokens_.size() &&
        (tokens_[at_].is_name() || tokens_[at_].kind == Token::Kind::text)) {
      shown->select = fmt::format("SELECT * FROM ({}) WHERE \"Field\" LIKE {}", shown->select,
                                  literal(tokens_[at_].value));
      ++at_;
    }
    return filtered(std::move(*shown));
  }

 private:
  bool eat(std::string_view word) {
    if (at_ >= tokens_.size() || !tokens_[at_].is(word)) return false;
    ++at_;
    return true;
  }
  bool eat_one_of(std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return eat(word); });
  }
  std::string_view rest() const {
    return at_ < tokens_.size() ? statement_.substr(tokens_[at_].begin) : std::string_view();
  }

  Outcome<Shown> base() {
    if (eat_one_of({"databases", "schemas"})) {
      return Shown{"SELECT SCHEMA_NAME AS \"Database\" FROM information_schema.SCHEMATA",
                   "Database"};
    }
    if (eat("tables")) return tables();
    if (eat_one_of({"columns", "fields"})) return columns();
    if (eat_one_of({"index", "indexes", "keys"})) return indexes();
    if (eat("variables")) return variables();
    if (eat("create")) return create();
    if (eat("table")) return eat("status") ? table_status() : fail_syntax(rest());
    if (eat("status")) {
      return Shown{
          "SELECT 'Threads_connected' AS \"Variable_name\", '1' AS \"Value\" UNION ALL "
          "SELECT 'Ssl_cipher', '' UNION ALL SELECT 'Ssl_version', ''",
          "Variable_name"};
    }
    if (eat_one_of({"warnings", "errors"})) {
      skip_limit();
      return Shown{nothing_of({"Level", "Code", "Message"}), "Level"};
    }
    return lists();
  }

  Outcome<Shown> lists() {
    if (eat_one_of({"engines", "storage"})) {
      eat("engines");
      return Shown{
          "SELECT ENGINE AS \"Engine\", SUPPORT AS \"Support\", COMMENT AS \"Comment\", "
          "TRANSACTIONS AS \"Transactions\", XA, SAVEPOINTS AS \"Savepoints\" FROM "
          "information_schema.ENGINES",
          "Engine"};
    }
    if (eat("charset") || (eat("character") && eat("set"))) {
      return Shown{
          "SELECT CHARACTER_SET_NAME AS \"Charset\", DESCRIPTION AS \"Description\", "
          "DEFAULT_COLLATE_NAME AS \"Default collation\", MAXLEN AS \"Maxlen\" FROM "
          "information_schema.CHARACTER_SETS",
          "Charset"};
    }
    if (eat("collation")) {
      return Shown{
          "SELECT COLLATION_NAME AS \"Collation\", CHARACTER_SET_NAME AS \"Charset\", "
          "ID AS \"Id\", IS_DEFAULT AS \"Default\", IS_COMPILED AS \"Compiled\", "
          "SORTLEN AS \"Sortlen\", PAD_ATTRIBUTE AS \"Pad_attribute\" FROM "
          "information_schema.COLLATIONS",
          "Collation"};
    }
    if (eat("processlist")) {
      return Shown{fmt::format("SELECT {} AS \"Id\", {} AS \"User\", {} AS \"Host\", {} AS \"db\", "
                               "'Query' AS \"Command\", 0 AS \"Time\", 'executing' AS \"State\", "
                               "'SHOW PROCESSLIST' AS \"Info\"",
                               session_.connection_id, literal(session_.user),
                               literal(session_.host), literal(session_.database)),
                   "User"};
    }
    if (eat("grants")) {
      at_ = tokens_.size();
      std::string who = fmt::format("`{}`@`{}`", session_.user, session_.host);
      return Shown{fmt::format("SELECT {} AS {}", literal("GRANT SELECT ON *.* TO " + who),
                               name_in_quotes("Grants for " + session_.user + "@" + session_.host)),
                   "Grants"};
    }
    if (eat("triggers")) return from_database(nothing_of({"Trigger", "Event", "Table"}), "Trigger");
    if (eat("events")) return from_database(nothing_of({"Db", "Name"}), "Name");
    if (eat("plugins")) return Shown{nothing_of({"Name", "Status", "Type"}), "Name"};
    if (eat_one_of({"procedure", "function"}) && eat("status"))
      return Shown{nothing_of({"Db", "Name", "Type", "Comment"}), "Name"};
    return fail_unsupported("SHOW " + std::string(rest().substr(0, 40)));
  }

  Outcome<Shown> from_database(std::string select, std::string column) {
    if (auto named = read_database(); !named) return std::unexpected(named.error());
    return Shown{std::move(select), std::move(column)};
  }

  void skip_limit() {
    if (eat("limit")) at_ = tokens_.size();
  }

  // [FROM database]
  Outcome<void> read_database() {
    if (eat_one_of({"from", "in"})) {
      if (at_ >= tokens_.size() || !tokens_[at_].is_name()) return fail_syntax(rest());
      database_ = tokens_[at_++].value;
    }
    if (database_.empty()) return fail(1046, "3D000", "No database selected");
    if (database_ != data_name && database_ != schema_name)
      return fail(1049, "42000", "Unknown database '" + database_ + "'");
    return {};
  }

  // [database.]table [FROM database]
  Outcome<const source::TableSchema*> read_table() {
    if (at_ >= tokens_.size() || !tokens_[at_].is_name()) return fail_syntax(rest());
    std::string name = tokens_[at_++].value;
    if (at_ + 1 < tokens_.size() && tokens_[at_].is_symbol(".") && tokens_[at_ + 1].is_name()) {
      database_ = std::exchange(name, tokens_[at_ + 1].value);
      at_ += 2;
    }
    if (auto named = read_database(); !named) return std::unexpected(named.error());
    for (source::Table table : source::all_tables) {
      const source::TableSchema& schema = source::schema_of(table);
      if (database_ == data_name && schema.name == name) return &schema;
    }
    return fail(1146, "42S02", fmt::format("Table '{}.{}' doesn't exist", database_, name));
  }

  Outcome<Shown> tables() {
    if (auto named = read_database(); !named) return std::unexpected(named.error());
    std::string column = "Tables_in_" + database_;
    if (at_ + 1 < tokens_.size() && tokens_[at_].is("like"))
      column += " (" + tokens_[at_ + 1].value + ")";
    return Shown{fmt::format("SELECT TABLE_NAME AS {}{} FROM information_schema.TABLES WHERE "
                             "TABLE_SCHEMA = {} ORDER BY TABLE_NAME",
                             name_in_quotes(column), full_ ? ", TABLE_TYPE AS \"Table_type\"" : "",
                             literal(database_)),
                 column};
  }

  Outcome<Shown> columns() {
    eat_one_of({"from", "in"});
    auto schema = read_table();
    if (!schema) return std::unexpected(schema.error());
    return Shown{
        fmt::format("SELECT COLUMN_NAME AS \"Field\", COLUMN_TYPE AS \"Type\"{}, IS_NULLABLE AS "
                    "\"Null\", COLUMN_KEY AS \"Key\", COLUMN_DEFAULT AS \"Default\", EXTRA AS "
                    "\"Extra\"{} FROM information_schema.COLUMNS WHERE TABLE_NAME = {} ORDER BY "
                    "ORDINAL_POSITION",
                    full_ ? ", COLLATION_NAME AS \"Collation\"" : "",
                    full_ ? ", PRIVILEGES AS \"Privileges\", COLUMN_COMMENT AS \"Comment\"" : "",
                    literal((*schema)->name)),
        "Field"};
  }

  Outcome<Shown> indexes() {
    eat_one_of({"from", "in"});
    auto schema = read_table();
    if (!schema) return std::unexpected(schema.error());
    return Shown{
        fmt::format("SELECT TABLE_NAME AS \"Table\", NON_UNIQUE AS \"Non_unique\", INDEX_NAME AS "
                    "\"Key_name\", SEQ_IN_INDEX AS \"Seq_in_index\", COLUMN_NAME AS "
                    "\"Column_name\", COLLATION AS \"Collation\", CARDINALITY AS \"Cardinality\", "
                    "SUB_PART AS \"Sub_part\", PACKED AS \"Packed\", NULLABLE AS \"Null\", "
                    "INDEX_TYPE AS \"Index_type\", COMMENT AS \"Comment\", INDEX_COMMENT AS "
                    "\"Index_comment\", IS_VISIBLE AS \"Visible\", EXPRESSION AS \"Expression\" "
                    "FROM information_schema.STATISTICS WHERE TABLE_NAME = {}",
                    literal((*schema)->name)),
        "Key_name"};
  }

  Outcome<Shown> table_status() {
    if (auto named = read_database(); !named) return std::unexpected(named.error());
    return Shown{fmt::format("SELECT TABLE_NAME AS \"Name\", ENGINE AS \"Engine\", VERSION AS "
                             "\"Version\", ROW_FORMAT AS \"Row_format\", TABLE_ROWS AS \"Rows\", "
                             "AVG_ROW_LENGTH AS \"Avg_row_length\", DATA_LENGTH AS "
                             "\"Data_length\", MAX_DATA_LENGTH AS \"Max_data_length\", "
                             "INDEX_LENGTH AS \"Index_length\", DATA_FREE AS \"Data_free\", "
                             "AUTO_INCREMENT AS \"Auto_increment\", CREATE_TIME AS "
                             "\"Create_time\", UPDATE_TIME AS \"Update_time\", CHECK_TIME AS "
                             "\"Check_time\", TABLE_COLLATION AS \"Collation\", CHECKSUM AS "
                             "\"Checksum\", CREATE_OPTIONS AS \"Create_options\", TABLE_COMMENT AS "
                             "\"Comment\" FROM information_schema.TABLES WHERE TABLE_SCHEMA = {}",
                             literal(database_)),
                 "Name"};
  }

  Outcome<Shown> variables() {
    std::string rows;
    for (const auto& [name, value] : session_.all_variables()) {
      std::string told = value.text;
      bool is_switch = value.is_number && (told == "0" || told == "1") &&
                       (name.ends_with("commit") || name.ends_with("checks") ||
                        name.ends_with("read_only") || name == "performance_schema");
      if (is_switch) told = told == "1" ? "ON" : "OFF";
      rows += fmt::format("{}({}, {})", rows.empty() ? "" : ", ", literal(name), literal(told));
    }
    return Shown{
        "SELECT column1 AS \"Variable_name\", column2 AS \"Value\" FROM (VALUES " + rows + ")",
        "Variable_name"};
  }

  Outcome<Shown> create() {
    if (eat_one_of({"database", "schema"})) {
      if (at_ >= tokens_.size() || tokens_[at_].value != data_name) return fail_syntax(rest());
      ++at_;
      return Shown{fmt::format("SELECT '{0}' AS \"Database\", 'CREATE DATABASE `{0}`' AS "
                               "\"Create Database\"",
                               data_name),
                   "Database"};
    }
    if (!eat("table")) return fail_unsupported("SHOW CREATE of anything but a table");
    auto schema = read_table();
    if (!schema) return std::unexpected(schema.error());
    return Shown{fmt::format("SELECT '{}' AS \"Table\", {} AS \"Create Table\"", (*schema)->name,
                             literal(create_statement(**schema))),
                 "Table"};
  }

  // [LIKE 'pattern' | WHERE expression]
  Outcome<std::string> filtered(Shown shown) {
    if (at_ >= tokens_.size()) return std::move(shown.select);
    if (tokens_[at_].is("like") && at_ + 2 == tokens_.size() &&
        tokens_[at_ + 1].kind == Token::Kind::text) {
      return fmt::format("SELECT * FROM ({}) WHERE {} LIKE {}", shown.select,
                         name_in_quotes(shown.filtered), literal(tokens_[at_ + 1].value));
    }
    if (!tokens_[at_].is("where")) return fail_syntax(rest());
    auto where = translate(statement_, tokens_.subspan(at_), session_);
    if (!where) return std::unexpected(where.error());
    if (where->parameters > 0) return fail_unsupported("a parameter in SHOW");
    return fmt::format("SELECT * FROM ({}) {}", shown.select, where->sql);
  }

  std::string_view statement_;
  std::span<const Token> tokens_;
  const Session& session_;
  std::string database_;
  size_t at_ = 0;
  bool full_ = false;
};

}  // namespace

Outcome<std::string> show(std::string_view statement, std::span<const Token> tokens,
                          const Session& session) {
  return Show(statement, tokens, session).run();
}

Outcome<std::string> describe(std::string_view statement, std::span<const Token> tokens,
                              const Session& session) {
  return Show(statement, tokens, session).describe();
}

}  // namespace pinpipe::mysql
