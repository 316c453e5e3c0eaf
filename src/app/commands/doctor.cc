// `pinpipe doctor`: whether this machine can run the project, and what to do where it cannot. Asks
// the machine only; a server may run on the directory meanwhile. Leaves nothing behind.
#include <arpa/inet.h>
#include <cerrno>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "app/command.h"
#include "app/data_directory.h"
#include "base/clock.h"
#include "io/files.h"
#include "sql/library.h"

namespace pinpipe::app {
namespace {

using codec::Json;

constexpr uint64_t disk_bytes_wanted = 2'000'000'000;
constexpr uint64_t memory_bytes_beside_sql = 200'000'000;
constexpr rlim_t descriptors_wanted = 8'192;
constexpr int sync_rounds = 8;
constexpr double sync_ms_slow = 20;

enum class Verdict { good, notice, bad };

class Examination {
 public:
  Examination() { answer_.columns = {"check", "verdict", "finding"}; }

  void note(std::string_view check, Verdict verdict, const std::string& finding) {
    constexpr std::string_view names[] = {"ok", "notice", "PROBLEM"};
    answer_.add_row(
        {std::string(check), std::string(names[static_cast<size_t>(verdict)]), finding});
    answer_.failed = answer_.failed || verdict == Verdict::bad;
  }
  const Answer& answer() const { return answer_; }

 private:
  Answer answer_;
};

std::string in_gb(uint64_t bytes) {
  return fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9);
}

// The directory itself, or the nearest one above it that is there.
std::string existing_part(std::string path) {
  while (!path.empty() && !io::posix_files().exists(path)) {
    size_t slash = path.find_last_of('/');
    if (slash == std::string::npos) return ".";
    path.resize(slash);
  }
  return path.empty() ? "/" : path;
}

void look_at_processor(Examination& out) {
#if defined(__x86_64__)
  bool has = __builtin_cpu_supports("avx2") != 0;
  out.note("processor", has ? Verdict::good : Verdict::bad,
           has ? "has AVX2" : "has no AVX2; pinpipe's record decoder needs it");
#else
  out.note("processor", Verdict::good, "not x86-64; nothing special is needed");
#endif
}

void look_at_memory(const project::Project& project, Examination& out) {
  uint64_t pages = static_cast<uint64_t>(::sysconf(_SC_AVPHYS_PAGES));
  uint64_t free_bytes = pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  uint64_t wanted =
      static_cast<uint64_t>(project.limits.sql_memory_bytes) + memory_bytes_beside_sql;
  bool enough = free_bytes >= wanted;
  out.note("memory", enough ? Verdict::good : Verdict::notice,
           enough ? in_gb(free_bytes) + " free"
                  : fmt::format("{} free, {} may be used: lower `sql: {{memory: …}}`",
                                in_gb(free_bytes), in_gb(wanted)));
}

void look_at_disk(const std::string& data_path, Examination& out) {
  std::string place = existing_part(data_path);
  struct statvfs facts{};
  if (::statvfs(place.c_str(), &facts) != 0) {
    out.note("disk", Verdict::bad, error_of_errno(errno, "ask for the space of " + place).text());
    return;
  }
  uint64_t free_bytes = facts.f_bavail * facts.f_frsize;
  bool enough = free_bytes >= disk_bytes_wanted;
  out.note("disk", enough ? Verdict::good : Verdict::notice,
           fmt::format("{} free at {}{}", in_gb(free_bytes), place,
                       enough ? "" : "; when it is full, posts are refused until there is space"));
}

// What one acknowledged write costs there, and whether there may be one at all.
Result<double> sync_ms_at(const std::string& folder) {
  io::Files& files = io::posix_files();
  std::string path = fmt::format("{}/.pinpipe-doctor-{}", folder, ::getpid());
  auto file = files.open(path, io::OpenMode::create_new);
  if (!file) return file.error();
  int64_t begin_ms = system_clock().steady_ms();
  Status done;
  for (int round = 0; done && round < sync_rounds; ++round) {
    done = (*file)->write_at(std::string_view("x"), static_cast<uint64_t>(round));
    if (done) done = (*file)->sync();
  }
  int64_t end_ms = system_clock().steady_ms();
  (void)files.remove(path);
  if (!done) return done.error();
  return static_cast<double>(end_ms - begin_ms) / sync_rounds;
}

void look_at_data(const std::string& data_path, Examination& out) {
  std::string place = existing_part(data_path);
  auto sync_ms = sync_ms_at(place);
  if (!sync_ms) {
    out.note("data directory", Verdict::bad,
             sync_ms.error().text() + "; choose another with --data, or mend its owner");
    return;
  }
  std::string held = is_in_use(data_path) ? "a pinpipe runs on it" : "free";
  out.note("data directory", Verdict::good, fmt::format("{}: {}", data_path, held));
  out.note("durable write", *sync_ms < sync_ms_slow ? Verdict::good : Verdict::notice,
           fmt::format("{:.1f} ms{}", *sync_ms,
                       *sync_ms < sync_ms_slow
                           ? ""
                           : "; acknowledging waits for it: `broker: {fsync: os}` does not"));
}

bool can_listen(uint16_t port) {
  int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) return false;
  int yes = 1;
  (void)::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool can = ::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  ::close(listener);
  return can;
}

void look_at_ports(const project::Project& project, const std::string& data_path,
                   Examination& out) {
  if (is_in_use(data_path)) {
    out.note("ports", Verdict::good, "the running pinpipe has its own: `pinpipe env`");
    return;
  }
  const project::Ports& ports = project.ports;
  std::string taken;
  for (auto [name, port] :
       std::initializer_list<std::pair<std::string_view, uint16_t>>{{"kafka", ports.kafka},
                                                                    {"gateway", ports.gateway},
                                                                    {"connect", ports.connect},
                                                                    {"aws", ports.aws},
                                                                    {"console", ports.console},
                                                                    {"mysql", ports.mysql}}) {
    if (port != 0 && !can_listen(port))
      taken += fmt::format("{}{} ({})", taken.empty() ? "" : ", ", port, name);
  }
  out.note("ports", taken.empty() ? Verdict::good : Verdict::bad,
           taken.empty() ? "all are free"
                         : taken +
                               " taken: end what uses them, set `ports:` in the project, or "
                               "start with --ports auto");
}

void look_at_limits(const project::Project& project, Examination& out) {
  rlimit limit{};
  (void)::getrlimit(RLIMIT_NOFILE, &limit);
  rlim_t wanted = std::max(descriptors_wanted, static_cast<rlim_t>(project.limits.connections) / 2);
  bool enough = limit.rlim_max >= wanted;
  out.note("open files", enough ? Verdict::good : Verdict::notice,
           enough ? fmt::format("{} allowed", limit.rlim_max)
                  : fmt::format("{} allowed, {} wanted for {} connections: `ulimit -Hn`, or lower "
                                "`limits: {{connections: …}}`",
                                limit.rlim_max, wanted, project.limits.connections));
}

void look_at_clock(Examination& out) {
  timex facts{};
  int state = ::adjtimex(&facts);
  bool synchronised = state >= 0 && (facts.status & STA_UNSYNC) == 0;
  out.note("clock", synchronised ? Verdict::good : Verdict::notice,
           synchronised ? to_rfc3339(system_clock().wall_ms()) + ", kept by the network"
                        : to_rfc3339(system_clock().wall_ms()) +
                              ", not kept by the network: signed requests fail beyond 15 minutes");
}

void look_at_sql(Examination& out) {
  auto library = sql::load_library();
  out.note("sql engine", library ? Verdict::good : Verdict::bad,
           library ? "libduckdb " + std::string(sql::Library::version_wanted)
                   : library.error().text() + "; `make build` fetches it");
}

void look_at_clients(Examination& out) {
  constexpr std::string_view wanted[] = {"kcat", "aws", "curl", "python3"};
  std::string here;
  std::string absent;
  const char* path = ::getenv("PATH");
  for (std::string_view client : wanted) {
    bool found = false;
    std::string_view rest = path == nullptr ? "" : path;
    while (!found && !rest.empty()) {
      std::string_view folder = rest.substr(0, rest.find(':'));
      rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
      found = ::access(fmt::format("{}/{}", folder, client).c_str(), X_OK) == 0;
    }
    std::string& list = found ? here : absent;
    list += (list.empty() ? "" : " ") + std::string(client);
  }
  out.note("clients", Verdict::good,
           (here.empty() ? "none" : here) + (absent.empty() ? "" : "; not here: " + absent));
}

}  // namespace

ExitCode run_doctor(const Invocation& invocation) {
  auto project = open_project(invocation);
  if (!project) return ExitCode::project;
  Examination out;
  out.note("project", Verdict::good, fmt::format("{} from {}", project->name, project->origin));
  look_at_processor(out);
  look_at_memory(*project, out);
  look_at_disk(invocation.data_path, out);
  look_at_data(invocation.data_path, out);
  look_at_ports(*project, invocation.data_path, out);
  look_at_limits(*project, out);
  look_at_clock(out);
  look_at_sql(out);
  look_at_clients(out);
  return print(out.answer(), invocation.form);
}

}  // namespace pinpipe::app
