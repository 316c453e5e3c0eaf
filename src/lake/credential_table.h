// authentication_credentials: access keys as a Delta table, with the columns that the IAM console's
// CSV has ("User name", "Access key ID", "Secret access key") and the course's notebooks read.
// Promise: a secret stands in the table's data files alone: in no statistics, log line or error.
// Who can read these files is the caller's care: give it a store that is its owner's alone.
// Bounds: credentials_max rows.
#pragma once

#include <vector>

#include "auth/credentials.h"
#include "io/task.h"
#include "lake/table.h"

namespace pinpipe::lake {

inline constexpr size_t credential_rows_max = 10'000;

// The table holds these and no others afterwards; it is made when absent.
io::Task<Result<Version>> write_credentials(const Services& services, Location location,
                                            std::vector<auth::Credential> credentials);

// The rows with both keys; the columns' case and order do not matter. Error `not_found`: there is
// no such table. `invalid`: it has not these columns, or no such row.
io::Task<Result<std::vector<auth::Credential>>> read_credentials(const Services& services,
                                                                 Location location);

}  // namespace pinpipe::lake
