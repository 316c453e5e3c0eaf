// The rows of a checkpoint file, or of a V2 checkpoint's sidecar, as actions.
// Promise: columns and members that a checkpoint lacks are absent actions and members; unknown ones
// are ignored. Malformed files are `corrupt`. Bounds: one row group's columns are in memory, and
// the actions of rows_at_once rows.
#pragma once

#include <functional>

#include "io/files.h"
#include "lake/action.h"

namespace pinpipe::lake {

inline constexpr int64_t checkpoint_rows_at_once = 8192;

// Hands out the actions in portions, in the order of the rows. Blocks: on the work pool only.
Status read_checkpoint_rows(io::File& file, const std::function<Status(Actions)>& on_actions);

}  // namespace pinpipe::lake
