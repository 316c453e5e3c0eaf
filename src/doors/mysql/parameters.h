// The values of a prepared statement's parameters, as COM_STMT_EXECUTE brings them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pinpipe::mysql {

struct Parameter {
  enum class Kind : uint8_t { null, integer, real, text };
  Kind kind = Kind::null;
  int64_t integer = 0;
  double real = 0;
  std::string text = {};
};

// What the client has said about a statement's parameters before.
struct ParameterState {
  std::vector<uint16_t> types = {};                // of the last execution
  std::map<uint16_t, std::string> long_data = {};  // sent ahead of the execution
};

// `bytes` is what follows the iteration count. `invalid` when they are not `count` values.
Result<std::vector<Parameter>> read_parameters(std::string_view bytes, size_t count,
                                               ParameterState& state);

}  // namespace pinpipe::mysql
