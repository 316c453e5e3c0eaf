// Version checksums (N.crc): what the writer of a version counted, so that a reader whose replay
// came to something else says so instead of giving wrong rows.
// Promise: ours are written with each checkpoint and after it; others' are checked where they are.
#pragma once

#include <string>
#include <string_view>

#include "lake/snapshot.h"

namespace pinpipe::lake {

std::string to_checksum(const Snapshot& snapshot);

// Error `corrupt` when the snapshot has other files than were counted. A checksum that is torn or
// nonsense says nothing.
Status check_against(const Snapshot& snapshot, std::string_view checksum);

}  // namespace pinpipe::lake
