#include "sql/engine.h"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <thread>
#include <unistd.h>

#include "sql/connection.h"
#include "sql/engine_state.h"
#include "sql/library.h"
#include "sql/prelude.h"

namespace pinpipe::sql {
namespace {

std::atomic<uint64_t> engines_opened{0};

class Config {
 public:
  Config() { library().create_config(&config_); }
  ~Config() { library().destroy_config(&config_); }
  Config(const Config&) = delete;

  Status set(const char* name, const std::string& value) {
    if (library().set_config(config_, name, value.c_str()) == DuckDBSuccess) return {};
    return Error(Code::internal, fmt::format("libduckdb does not know the setting {}", name));
  }
  duckdb_config get() const { return config_; }

 private:
  duckdb_config config_ = nullptr;
};

Status set_all(Config& config, const Engine::Options& options, int threads) {
  bool is_jobs = options.role == Role::jobs;
  const std::pair<const char*, std::string> settings[] = {
      {"threads", std::to_string(threads)},
      {"memory_limit", fmt::format("{}B", options.memory_bytes)},
      {"temp_directory",
       fmt::format("{}/duckdb-{}-{}", options.temp_root, getpid(), ++engines_opened)},
      {"preserve_insertion_order", is_jobs ? "false" : "true"},
      {"default_null_order", "nulls_first_on_asc_last_on_desc"},
      // It keeps a copy of what was read of each Parquet file until the memory limit is reached,
      // and our files are read a few times each: the system's own cache of them is enough.
      {"enable_external_file_cache", "false"},
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"},
  };
  for (const auto& [name, value] : settings) {
    if (auto set = config.set(name, value); !set) return set;
  }
  return {};
}

// Statements of the first connection, for all later ones. The bound on temporary files has no
// effect when it is given before the database is open (seen on 1.4.4: 300 MB written under a bound
// of 50).
std::string settings_for_all(const Engine::Options& options) {
  std::string sql = fmt::format(
      "load icu; load parquet; load json; set global timezone = 'UTC'; "
      "set global max_temp_directory_size = '{}B';",
      options.temp_bytes_max);
  if (options.role == Role::user) {
    std::string directories;
    for (const std::string& directory : options.readable_directories) {
      // The database compares prefixes: without the slash /data/lake would open /data/lake2 as
      // well.
      std::string path = directory.ends_with('/') ? directory : directory + "/";
      directories += (directories.empty() ? "" : ", ") + quoted_text(path);
    }
    // Constants are not worked out beforehand: a list among them would be made of single values,
    // nine times its size, in memory that nobody counts.
    sql += "set global disabled_optimizers = 'expression_rewriter'; ";
    sql += fmt::format(
        "set global allowed_directories = [{}]; set global enable_external_access = false; "
        "set global lock_configuration = true;",
        directories);
  }
  return sql;
}

}  // namespace

Engine::Engine(std::shared_ptr<State> state) : state_(std::move(state)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::open(const Options& options) {
  if (auto loaded = load_library(); !loaded) return loaded.error();
  int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  int threads = options.threads > 0 ? options.threads : cores;
  Config config;
  if (auto set = set_all(config, options, threads); !set) return set.error();
  auto state = std::make_shared<State>(options.role, threads, options.memory_bytes);
  char* reason = nullptr;
  if (library().open_ext(nullptr, &state->database, config.get(), &reason) != DuckDBSuccess) {
    Error error(Code::internal,
                fmt::format("cannot open the SQL engine: {}", reason ? reason : "?"));
    library().free(reason);
    return error;
  }
  duckdb_connection handle = nullptr;
  if (library().connect(state->database, &handle) != DuckDBSuccess) {
    return Error(Code::internal, "cannot connect to the SQL engine");
  }
  Connection first(state, handle, "");
  if (auto made = first.execute(prelude()); !made) return made.error().with("prelude");
  if (auto set = first.execute(settings_for_all(options)); !set)
    return set.error().with("settings");
  if (auto made = state->json_tables.register_function(handle); !made) return made.error();
  if (auto made = state->row_tables.register_function(handle); !made) return made.error();
  return std::unique_ptr<Engine>(new Engine(std::move(state)));
}

Result<std::unique_ptr<Connection>> Engine::connect() {
  duckdb_connection handle = nullptr;
  if (library().connect(state_->database, &handle) != DuckDBSuccess) {
    return Error(Code::internal, "cannot connect to the SQL engine");
  }
  std::string catalog = fmt::format("session_{}", ++state_->sessions);
  std::unique_ptr<Connection> connection(new Connection(state_, handle, catalog));
  // Unqualified names are looked up in the session's own catalog, then among the prelude's macros.
  // Errors with exact places, where the settings are still open.
  const char* errors = state_->role == Role::jobs ? "; set errors_as_json = true" : "";
  auto made = connection->execute(fmt::format(
      "attach ':memory:' as {0}; set search_path = '{0}.main,memory.main'{1}", catalog, errors));
  if (!made) return made.error().with("cannot open a session");
  return connection;
}

}  // namespace pinpipe::sql
