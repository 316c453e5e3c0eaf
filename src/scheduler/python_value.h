// The values of a Python file's expressions, as far as they can be known without running it:
// literals, datetime(…), timedelta(…), time zones, f-strings and sums of known values. Everything
// else is `unknown` and says what it was.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.h"
#include "scheduler/python_tree.h"

namespace pinpipe::scheduler {

struct Value {
  enum class Kind {
    unknown,  // text: what it was
    none,
    boolean,  // number
    integer,  // number
    real,
    text,
    list,    // items
    dict,    // items: key, value, key, value …
    moment,  // text: "2026-01-02T00:00:00" on the clock of `zone`; number: the year as written
    span,    // number: milliseconds
    zone,    // text: its name
    symbol,  // text: a name that was imported or is not known
    dag,     // number: which
    task,    // number: which
  };
  Kind kind = Kind::unknown;
  std::string text = {};
  int64_t number = 0;
  double real = 0;
  std::vector<Value> items = {};
  std::string zone = {};
  int line = 0;

  const Value* find(std::string_view key) const;  // of a dict
  // Nothing where a part of it is not known.
  std::optional<codec::Json> json() const;
};

struct Arguments {
  std::vector<Value> by_position;
  std::vector<std::pair<std::string, Value>> by_name;

  // The argument of that name, taken away.
  std::optional<Value> take(std::string_view name);
};

class Evaluator {
 public:
  // A call that the evaluator does not know itself: `callee` is the last part of the name, `owner`
  // what stands before it, if that is a value. Nothing: not known either.
  using Call = std::function<std::optional<Value>(const std::string& callee, const Value& owner,
                                                  Arguments& arguments, int line)>;
  // left >> right, or left << right; its value is that of the right side.
  using Shift = std::function<void(const Value& left, const Value& right, bool forward, int line)>;

  Evaluator(Call call, Shift shift) : call_(std::move(call)), shift_(std::move(shift)) {}

  Value evaluate(const Expression& expression);
  std::map<std::string, Value> variables;

 private:
  Value evaluate_call(const Expression& call);
  Value evaluate_binary(const Expression& binary);
  Value evaluate_format(const Expression& text) const;
  Value evaluate_item(const Expression& item);

  Call call_;
  Shift shift_;
};

}  // namespace pinpipe::scheduler
