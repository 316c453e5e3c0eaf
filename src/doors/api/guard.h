// Lets nobody past without the house's token: for listeners that other machines reach.
// The token comes as a Bearer, or as the password of any user (Basic), which browsers ask for; what
// is behind sees it as a Bearer. Open to all: /livez, /readyz, and Airflow's /auth/token, whose
// password the token is.
#pragma once

#include <string>

#include "http/message.h"

namespace pinpipe::api {

http::Handler guarded_by_token(http::Handler inner, std::string token);

}  // namespace pinpipe::api
