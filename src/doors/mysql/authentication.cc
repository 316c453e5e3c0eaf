// A connection's way in: greeting, login, proof of the password.
#include "base/hash.h"
#include "base/log_line.h"
#include "doors/mysql/connection.h"
#include "doors/mysql/wire.h"

namespace pinpipe::mysql {
namespace {

constexpr std::string_view fast_success = "\x01\x03";
constexpr std::string_view full_wanted = "\x01\x04";
constexpr std::string_view key_wanted = "\x02";

std::string without_mask(std::string bytes, std::string_view nonce) {
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(bytes[i] ^ nonce[i % nonce.size()]);
  if (bytes.ends_with('\0')) bytes.pop_back();
  return bytes;
}

}  // namespace

// False when the client was refused, or went away.
io::Task<Result<bool>> Connection::log_in() {
  Status greeted = co_await send_one(
      greeting_packet({.connection_id = session_.connection_id, .nonce = nonce_}));
  if (!greeted) co_return greeted.error();
  auto payload = co_await read(io::after(parts_.options.login_timeout));
  if (!payload) co_return payload.error();
  if (!*payload) co_return false;
  auto login = parse_login(**payload);
  if (!login && login.error().code() == Code::denied) {
    Status told = co_await send_failure({1043, "08S01", "Bad handshake: " + login.error().text()});
    co_return told ? Result<bool>(false) : told.error();
  }
  if (!login) co_return login.error();
  capabilities_ = login->capabilities;
  co_return co_await prove(std::move(*login));
}

io::Task<Result<bool>> Connection::prove(Login login) {
  if (login.plugin.empty()) {
    login.plugin = native_plugin;  // the client knows of no plugins
  } else if (login.plugin != sha2_plugin) {
    // The nonce of the greeting was for the other plugin: it is asked for anew.
    if (login.plugin != native_plugin) login.plugin = sha2_plugin;
    if (Status asked = co_await send_one(switch_packet(login.plugin, nonce_)); !asked)
      co_return asked.error();
    auto answer = co_await read(io::after(parts_.options.login_timeout));
    if (!answer) co_return answer.error();
    if (!*answer) co_return false;
    login.answer = std::move(**answer);
    if (login.answer == std::string_view("\0", 1)) login.answer.clear();
  }
  bool fast = login.plugin == sha2_plugin && !login.answer.empty();
  if (!is_admitted(login)) {
    if (fast) co_return co_await prove_in_full(login);
    co_return co_await deny(login, "");
  }
  Status admitted = co_await admit(login, fast);
  co_return admitted ? Result<bool>(true) : admitted.error();
}

bool Connection::is_admitted(const Login& login) const {
  if (trusted_) return true;
  auto known = parts_.options.logins.find(login.user);
  if (known == parts_.options.logins.end()) return false;
  std::string expected = login.plugin == native_plugin ? native_answer(known->second, nonce_)
                                                       : sha2_answer(known->second, nonce_);
  return equal_constant_time(login.answer, expected);
}

// As MySQL does when the fast way does not prove it: the password itself, under the server's key.
io::Task<Result<bool>> Connection::prove_in_full(const Login& login) {
  io::Instant deadline = io::after(parts_.options.login_timeout);
  if (Status asked = co_await send_one(full_wanted); !asked) co_return asked.error();
  auto answer = co_await read(deadline);
  if (!answer) co_return answer.error();
  if (!*answer) co_return false;
  const RsaKey* key = co_await parts_.rsa_key();
  if (key == nullptr) co_return Error(Code::internal, "there is no RSA key");
  if (**answer == key_wanted) {
    if (Status told = co_await send_one("\x01" + key->public_pem()); !told) co_return told.error();
    answer = co_await read(deadline);
    if (!answer) co_return answer.error();
    if (!*answer) co_return false;
  }
  auto masked = key->decrypt(**answer);
  if (!masked) co_return co_await deny(login, "; the password was not under this server's key");
  std::string password = without_mask(std::move(*masked), nonce_);
  auto known = parts_.options.logins.find(login.user);
  if (known == parts_.options.logins.end() || !equal_constant_time(password, known->second))
    co_return co_await deny(login, "");
  Status admitted = co_await admit(login, false);
  co_return admitted ? Result<bool>(true) : admitted.error();
}

io::Task<Result<bool>> Connection::deny(const Login& login, std::string_view more) {
  log_warn("mysql", "a login was refused", {{"peer", stream_.peer()}, {"user", login.user}});
  std::string text = "Access denied for user '" + login.user + "'@'" + session_.host +
                     "' (using password: " + (login.answer.empty() ? "NO)" : "YES)");
  Status told = co_await send_failure({1045, "28000", text.append(more)});
  co_return told ? Result<bool>(false) : told.error();
}

io::Task<Status> Connection::admit(const Login& login, bool proven_fast) {
  session_.user = login.user;
  if (!login.database.empty()) {
    auto used = use_database(login.database, session_);
    if (!used) {
      ending_ = true;
      co_return co_await send_failure(used.error());
    }
  }
  PacketWriter out(packets_.next_sequence());
  if (proven_fast) out.add(fast_success);
  out.add(ok_packet(session_.autocommit()));
  co_return co_await send(out);
}

io::Task<Status> Connection::change_user(std::string_view payload) {
  auto login = parse_change_user(payload, capabilities_);
  if (!login) co_return login.error();
  session_.reset();
  session_.database.clear();
  prepared_.clear();
  // Its answer is to the nonce of the connection's begin.
  auto proven = co_await prove(std::move(*login));
  if (!proven) co_return proven.error();
  ending_ = ending_ || !*proven;
  co_return Status{};
}

}  // namespace pinpipe::mysql
