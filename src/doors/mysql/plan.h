// What a statement asks for, before anything is run: rows, a change of the session, or nothing that
// a read-only server does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "doors/mysql/failure.h"
#include "doors/mysql/session.h"
#include "doors/mysql/translate.h"

namespace pinpipe::mysql {

struct Plan {
  enum class Kind : uint8_t {
    rows,    // run `select`
    done,    // nothing further: the session knows
    change,  // SET: apply() when it is run
  };
  struct Change {
    bool of_user = false;
    std::string name = {};
    Value value = {};
  };
  Kind kind = Kind::done;
  Translated select = {};
  std::string database = {};  // USE
  std::vector<Change> changes = {};
};

Outcome<Plan> plan(std::string_view statement, const Session& session);
// `change` and USE.
Outcome<void> apply(const Plan& plan, Session& session);
// The database of this name, if there is one.
Outcome<void> use_database(std::string_view name, Session& session);

}  // namespace pinpipe::mysql
