// The functions that MySQL has and SQLite lacks, or has with another meaning.
#pragma once

struct sqlite3;

namespace pinpipe::mysql {

class Session;

// Whose statement a SQLite connection is running; functions such as DATABASE() ask it.
struct RunningFor {
  const Session* session = nullptr;
};

// `running` must outlive the connection.
void add_functions(sqlite3* database, RunningFor* running);

}  // namespace pinpipe::mysql
