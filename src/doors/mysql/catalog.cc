#include "doors/mysql/catalog.h"

#include <fmt/format.h>

#include "doors/mysql/session.h"
#include "doors/mysql/translate.h"

namespace pinpipe::mysql {
namespace {

// Empty ones are there because clients ask whether there is anything in them.
constexpr std::string_view tables = R"(
CREATE TABLE information_schema.SCHEMATA(CATALOG_NAME varchar, SCHEMA_NAME varchar,
  DEFAULT_CHARACTER_SET_NAME varchar, DEFAULT_COLLATION_NAME varchar, SQL_PATH varchar,
  DEFAULT_ENCRYPTION varchar);
CREATE TABLE information_schema.TABLES(TABLE_CATALOG varchar, TABLE_SCHEMA varchar COLLATE NOCASE,
  TABLE_NAME varchar COLLATE NOCASE, TABLE_TYPE varchar, ENGINE varchar, VERSION int,
  ROW_FORMAT varchar, TABLE_ROWS bigint, AVG_ROW_LENGTH bigint, DATA_LENGTH bigint,
  MAX_DATA_LENGTH bigint, INDEX_LENGTH bigint, DATA_FREE bigint, AUTO_INCREMENT bigint,
  CREATE_TIME datetime, UPDATE_TIME datetime, CHECK_TIME datetime, TABLE_COLLATION varchar,
  CHECKSUM bigint, CREATE_OPTIONS varchar, TABLE_COMMENT varchar);
CREATE TABLE information_schema.COLUMNS(TABLE_CATALOG varchar, TABLE_SCHEMA varchar COLLATE NOCASE,
  TABLE_NAME varchar COLLATE NOCASE, COLUMN_NAME varchar COLLATE NOCASE, ORDINAL_POSITION int,
  COLUMN_DEFAULT varchar, IS_NULLABLE varchar, DATA_TYPE varchar, CHARACTER_MAXIMUM_LENGTH bigint,
  CHARACTER_OCTET_LENGTH bigint, NUMERIC_PRECISION bigint, NUMERIC_SCALE bigint,
  DATETIME_PRECISION int, CHARACTER_SET_NAME varchar, COLLATION_NAME varchar, COLUMN_TYPE varchar,
  COLUMN_KEY varchar, EXTRA varchar, PRIVILEGES varchar, COLUMN_COMMENT varchar,
  GENERATION_EXPRESSION varchar, SRS_ID int);
CREATE TABLE information_schema.STATISTICS(TABLE_CATALOG varchar,
  TABLE_SCHEMA varchar COLLATE NOCASE, TABLE_NAME varchar COLLATE NOCASE, NON_UNIQUE int,
  INDEX_SCHEMA varchar, INDEX_NAME varchar, SEQ_IN_INDEX int, COLUMN_NAME varchar,
  COLLATION varchar, CARDINALITY bigint, SUB_PART bigint, PACKED varchar, NULLABLE varchar,
  INDEX_TYPE varchar, COMMENT varchar, INDEX_COMMENT varchar, IS_VISIBLE varchar,
  EXPRESSION varchar);
CREATE TABLE information_schema.KEY_COLUMN_USAGE(CONSTRAINT_CATALOG varchar,
  CONSTRAINT_SCHEMA varchar, CONSTRAINT_NAME varchar, TABLE_CATALOG varchar,
  TABLE_SCHEMA varchar COLLATE NOCASE, TABLE_NAME varchar COLLATE NOCASE, COLUMN_NAME varchar,
  ORDINAL_POSITION int, POSITION_IN_UNIQUE_CONSTRAINT int, REFERENCED_TABLE_SCHEMA varchar,
  REFERENCED_TABLE_NAME varchar, REFERENCED_COLUMN_NAME varchar);
CREATE TABLE information_schema.TABLE_CONSTRAINTS(CONSTRAINT_CATALOG varchar,
  CONSTRAINT_SCHEMA varchar, CONSTRAINT_NAME varchar, TABLE_SCHEMA varchar COLLATE NOCASE,
  TABLE_NAME varchar COLLATE NOCASE, CONSTRAINT_TYPE varchar, ENFORCED varchar);
CREATE TABLE information_schema.REFERENTIAL_CONSTRAINTS(CONSTRAINT_CATALOG varchar,
  CONSTRAINT_SCHEMA varchar, CONSTRAINT_NAME varchar, UNIQUE_CONSTRAINT_CATALOG varchar,
  UNIQUE_CONSTRAINT_SCHEMA varchar, UNIQUE_CONSTRAINT_NAME varchar, MATCH_OPTION varchar,
  UPDATE_RULE varchar, DELETE_RULE varchar, TABLE_NAME varchar, REFERENCED_TABLE_NAME varchar);
CREATE TABLE information_schema.VIEWS(TABLE_CATALOG varchar, TABLE_SCHEMA varchar,
  TABLE_NAME varchar, VIEW_DEFINITION varchar, CHECK_OPTION varchar, IS_UPDATABLE varchar);
CREATE TABLE information_schema.ROUTINES(SPECIFIC_NAME varchar, ROUTINE_CATALOG varchar,
  ROUTINE_SCHEMA varchar, ROUTINE_NAME varchar, ROUTINE_TYPE varchar, DATA_TYPE varchar,
  ROUTINE_COMMENT varchar);
CREATE TABLE information_schema.PARAMETERS(SPECIFIC_SCHEMA varchar, SPECIFIC_NAME varchar,
  ORDINAL_POSITION int, PARAMETER_MODE varchar, PARAMETER_NAME varchar, DATA_TYPE varchar);
CREATE TABLE information_schema.TRIGGERS(TRIGGER_SCHEMA varchar, TRIGGER_NAME varchar,
  EVENT_MANIPULATION varchar, EVENT_OBJECT_SCHEMA varchar, EVENT_OBJECT_TABLE varchar,
  ACTION_STATEMENT varchar, ACTION_TIMING varchar);
CREATE TABLE information_schema.EVENTS(EVENT_SCHEMA varchar, EVENT_NAME varchar);
CREATE TABLE information_schema.PARTITIONS(TABLE_SCHEMA varchar, TABLE_NAME varchar,
  PARTITION_NAME varchar);
CREATE TABLE information_schema.ENGINES(ENGINE varchar, SUPPORT varchar, COMMENT varchar,
  TRANSACTIONS varchar, XA varchar, SAVEPOINTS varchar);
CREATE TABLE information_schema.CHARACTER_SETS(CHARACTER_SET_NAME varchar,
  DEFAULT_COLLATE_NAME varchar, DESCRIPTION varchar, MAXLEN int);
CREATE TABLE information_schema.COLLATIONS(COLLATION_NAME varchar, CHARACTER_SET_NAME varchar,
  ID int, IS_DEFAULT varchar, IS_COMPILED varchar, SORTLEN int, PAD_ATTRIBUTE varchar);
INSERT INTO information_schema.SCHEMATA VALUES
  ('def', 'information_schema', 'utf8mb3', 'utf8mb3_general_ci', NULL, 'NO'),
  ('def', 'pinterest_data', 'utf8mb4', 'utf8mb4_general_ci', NULL, 'NO');
INSERT INTO information_schema.ENGINES VALUES
  ('InnoDB', 'DEFAULT', 'stands for: SQLite, read-only', 'YES', 'NO', 'YES');
INSERT INTO information_schema.CHARACTER_SETS VALUES
  ('utf8mb4', 'utf8mb4_general_ci', 'UTF-8 Unicode', 4);
INSERT INTO information_schema.COLLATIONS VALUES
  ('utf8mb4_bin', 'utf8mb4', 46, '', 'Yes', 1, 'PAD SPACE'),
  ('utf8mb4_general_ci', 'utf8mb4', 45, 'Yes', 'Yes', 1, 'PAD SPACE');
)";

constexpr std::string_view collation = "utf8mb4_general_ci";

std::string table_rows(const source::TableSchema& schema) {
  std::string key = name_in_quotes(schema.columns.front().name);
  return fmt::format(
      "INSERT INTO information_schema.TABLES SELECT 'def', '{0}', '{1}', 'BASE TABLE', 'InnoDB', "
      "10, 'Dynamic', coalesce(max({2}) + 1, 0), 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, '{3}', "
      "NULL, '', '' FROM {0}.{1};\n"
      "INSERT INTO information_schema.STATISTICS SELECT 'def', '{0}', '{1}', 0, '{0}', 'PRIMARY', "
      "1, '{4}', 'A', coalesce(max({2}) + 1, 0), NULL, NULL, '', 'BTREE', '', '', 'YES', NULL "
      "FROM {0}.{1};\n"
      "INSERT INTO information_schema.KEY_COLUMN_USAGE VALUES('def', '{0}', 'PRIMARY', 'def', "
      "'{0}', '{1}', '{4}', 1, NULL, NULL, NULL, NULL);\n"
      "INSERT INTO information_schema.TABLE_CONSTRAINTS VALUES('def', '{0}', 'PRIMARY', '{0}', "
      "'{1}', 'PRIMARY KEY', 'YES');\n",
      data_name, schema.name, key, collation, schema.columns.front().name);
}

std::string column_row(const source::TableSchema& schema, size_t at) {
  const source::Column& column = schema.columns[at];
  bool text = column.kind == source::Kind::text;
  std::string_view lengths = text ? "65535, 65535" : "NULL, NULL";
  std::string_view numbers = column.kind == source::Kind::integer ? "10, 0"
                             : column.kind == source::Kind::real  ? "12, NULL"
                                                                  : "NULL, NULL";
  std::string_view when = column.kind == source::Kind::datetime ? "0" : "NULL";
  return fmt::format(
      "INSERT INTO information_schema.COLUMNS VALUES('def', '{}', '{}', '{}', {}, NULL, '{}', "
      "'{}', {}, {}, {}, {}, {}, '{}', '{}', '', 'select', '', '', NULL);\n",
      data_name, schema.name, column.name, at + 1, "NO", column.mysql_type, lengths, numbers, when,
      text ? "'utf8mb4'" : "NULL", text ? fmt::format("'{}'", collation) : "NULL",
      column.mysql_type, at == 0 ? "PRI" : "");
}

}  // namespace

std::string catalog_script() {
  std::string script(tables);
  for (source::Table table : source::all_tables) {
    const source::TableSchema& schema = source::schema_of(table);
    script += table_rows(schema);
    for (size_t i = 0; i < schema.columns.size(); ++i) script += column_row(schema, i);
  }
  return script;
}

std::string create_statement(const source::TableSchema& schema) {
  std::string out = fmt::format("CREATE TABLE {} (\n", name_in_quotes(schema.name));
  for (const source::Column& column : schema.columns)
    out += fmt::format("  {} {} NOT NULL,\n", name_in_quotes(column.name), column.mysql_type);
  out += fmt::format("  PRIMARY KEY ({})\n", name_in_quotes(schema.columns.front().name));
  return out + fmt::format(") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE={}", collation);
}

}  // namespace pinpipe::mysql
