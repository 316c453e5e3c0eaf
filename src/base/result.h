// What can fail, in a type: Result<T> is a T or an Error, and ignoring one is a warning.
// An Error is a code from one short list, a sentence for a person, and one line of context per
// layer that had something to add. Doors translate the code; people read the text. Bounds: no
// allocation when all is well.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace pinpipe {

enum class Code {
  not_found,    // the named thing does not exist
  invalid,      // the caller's input is wrong; trying again will not help
  denied,       // the principal may not do this
  conflict,     // somebody else was first, or the thing exists already
  busy,         // a bound was reached; try again later
  timeout,      // the deadline passed; the outcome may be unknown
  corrupt,      // stored bytes are not what was written
  unavailable,  // a device or peer does not answer
  cancelled,    // the owner of the task gave up
  internal,     // a bug, or a device error nobody planned for
};

std::string_view name_of(Code code);

class [[nodiscard]] Error {
 public:
  Error(Code code, std::string sentence) : code_(code), text_(std::move(sentence)) {}

  Code code() const { return code_; }
  // Outermost context first: "topic orders: segment 0: cannot write: No space left on device".
  const std::string& text() const { return text_; }

  Error with(std::string_view context) && {
    text_.insert(0, ": ").insert(0, context);
    return std::move(*this);
  }
  Error with(std::string_view context) const& { return Error(*this).with(context); }

 private:
  Code code_;
  std::string text_;
};

// The code and text for errno `number` after trying to `action`: "cannot <action>: <reason>".
Error error_of_errno(int number, std::string_view action);

template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
  using Base = std::expected<T, Error>;

 public:
  using Base::Base;
  Result(Error error)
      : Base(std::unexpect, std::move(error)) {}  // NOLINT(google-explicit-constructor)
};

template <>
class [[nodiscard]] Result<void> : public std::expected<void, Error> {
  using Base = std::expected<void, Error>;

 public:
  using Base::Base;
  Result(Error error)
      : Base(std::unexpect, std::move(error)) {}  // NOLINT(google-explicit-constructor)
};

using Status = Result<void>;

}  // namespace pinpipe
