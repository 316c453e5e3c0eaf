// A Python file as statements and expressions, as far as DAG files need them. What is beyond that
// (control flow, comprehensions, lambdas) is kept as `other`, with its line and first word: whoever
// reads the tree says that it is not evaluated.
// Bounds: those of python_tokens; expressions nest depth_max deep.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pinpipe::scheduler {

struct Expression {
  enum class Kind {
    none,
    boolean,
    integer,
    real,
    text,
    formatted,  // an f-string, braces not yet looked at
    name,
    attribute,  // parts[0].text
    call,       // parts[0] called with the others; names[i] is the keyword of parts[i + 1] or empty
    list,       // also tuples and sets
    dict,       // key, value, key, value …
    binary,     // parts[0] text parts[1]
    unary,      // text parts[0]
    item,       // parts[0][parts[1]]
    other,
  };
  Kind kind = Kind::other;
  std::string text = {};
  int line = 0;
  std::vector<Expression> parts = {};
  std::vector<std::string> names = {};
};

struct Statement {
  enum class Kind {
    import,      // names[i] stands for targets[i], both as written, without the module's path
    assign,      // targets = value
    expression,  // value
    with,        // items[i] as targets[i], which may be empty: body
    function,    // targets[0] is its name; its body is not looked at
    other,       // text is its first word; mentions are the names that occur in it
  };
  Kind kind = Kind::other;
  int line = 0;
  std::string text = {};
  std::vector<std::string> targets = {};
  std::vector<std::string> names = {};
  std::vector<Expression> items = {};
  Expression value = {};
  std::vector<Statement> body = {};
  std::vector<std::string> mentions = {};
};

inline constexpr int expression_depth_max = 200;

// The error's text begins with "line N: ".
Result<std::vector<Statement>> python_tree(std::string_view source);

// As a person would write it: "os.getenv", "timedelta(…)", "for".
std::string described(const Expression& expression);

}  // namespace pinpipe::scheduler
