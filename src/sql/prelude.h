// Macros that give DuckDB the names and meanings of Spark SQL, for the portable subset in which
// projects write their queries. They shadow the database's own functions of the same name, which
// stay reachable as system.main.<name>. Not covered, write the common form instead: backslashes in
// text literals (use [0-9] classes), x[i] on arrays (element_at), infix rlike (regexp_like),
// QUALIFY (a subquery), 1/0 (x / nullif(y, 0)).
#pragma once

#include <string_view>

namespace pinpipe::sql {

// Statements that create them, in the schema where unqualified names are looked up first.
std::string_view prelude();

}  // namespace pinpipe::sql
