// Whatever a MySQL client sends: packets in any pieces, logins, parameters of prepared statements,
// and statements, which SQLite prepares after the translation. Properties: nothing reads past its
// end, payloads do not depend on how the bytes were cut, and no statement gets past the planning
// that is no SELECT to SQLite either.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "doors/mysql/database.h"
#include "doors/mysql/login.h"
#include "doors/mysql/packets.h"
#include "doors/mysql/parameters.h"
#include "doors/mysql/plan.h"
#include "io/files.h"
#include "source/sqlite.h"

namespace {

namespace mysql = pinpipe::mysql;

constexpr size_t payload_bytes_max = 1 << 16;

std::vector<std::string> payloads_of(std::string_view bytes, size_t step) {
  mysql::PacketAssembler packets(payload_bytes_max);
  std::vector<std::string> payloads;
  for (size_t at = 0; at < bytes.size(); at += step) {
    packets.add(bytes.substr(at, step));
    while (true) {
      auto payload = packets.take();
      if (!payload) return payloads;
      if (!*payload) break;
      payloads.push_back(std::move(**payload));
    }
  }
  return payloads;
}

mysql::Database& database() {
  static const std::unique_ptr<mysql::Database> made = [] {
    std::string path = "/tmp/pinpipe-fuzz-XXXXXX";
    CHECK(::mkdtemp(path.data()) != nullptr, "a temporary directory can be made");
    auto source = pinpipe::source::SqliteSource::open_or_create(pinpipe::io::posix_files(),
                                                                path + "/s.db", {.rows = 20});
    CHECK(source, "the source is made");
    auto opened = mysql::Database::open(path + "/s.db", {.statement_time = pinpipe::Millis(20)});
    CHECK(opened, "the source is opened");
    (void)pinpipe::io::posix_files().remove_tree(path);  // it stays open
    return std::move(*opened);
  }();
  return *made;
}

void run_statement(std::string_view statement) {
  mysql::Session session;
  auto plan = mysql::plan(statement, session);
  if (!plan) return;
  if (plan->kind != mysql::Plan::Kind::rows) {
    (void)mysql::apply(*plan, session);
    return;
  }
  auto begun = database().begin(plan->select,
                                std::vector<mysql::Parameter>(plan->select.parameters), session);
  if (!begun) return;
  for (mysql::RowForm form : {mysql::RowForm::text, mysql::RowForm::binary}) {
    mysql::PacketWriter out;
    (void)database().add_rows(out, form, 4096);
  }
  database().end();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      CHECK(payloads_of(bytes, 1) == payloads_of(bytes, bytes.size() + 1),
            "payloads do not depend on how the bytes were cut");
      break;
    case 1: {
      auto login = mysql::parse_login(bytes);
      if (login) CHECK(login->user.size() < bytes.size(), "what was read was there");
      (void)mysql::parse_change_user(bytes, ~0U);
      break;
    }
    case 2: {
      mysql::ParameterState state;
      if (bytes.empty()) break;
      auto count = static_cast<uint8_t>(bytes.front());
      auto values = mysql::read_parameters(bytes.substr(1), count, state);
      if (values) CHECK(values->size() == count, "as many values as parameters");
      break;
    }
    default:
      run_statement(bytes);
  }
  return 0;
}
