// information_schema, as a script for a SQLite connection: the tables that clients ask about
// tables, with what this server has.
#pragma once

#include <string>

#include "source/schema.h"

namespace pinpipe::mysql {

// Makes and fills the tables of the attached database information_schema; reads the row counts from
// the attached data.
std::string catalog_script();

// As SHOW CREATE TABLE gives it.
std::string create_statement(const source::TableSchema& schema);

}  // namespace pinpipe::mysql
