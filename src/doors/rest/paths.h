// What several routes read from their paths.
#pragma once

#include <optional>

#include "broker/topics.h"
#include "doors/rest/errors.h"
#include "http/message.h"

namespace pinpipe::rest {

// The parameter "partition" as a number; nothing when it is none.
std::optional<broker::PartitionId> partition_of_path(const http::Request& request);
Refusal no_such_partition(const broker::TopicFacts& topic);

}  // namespace pinpipe::rest
