#include "doors/mysql/login.h"

#include "base/hash.h"
#include "base/id.h"
#include "doors/mysql/wire.h"

namespace pinpipe::mysql {
namespace {

constexpr uint32_t offered = 1U << 0                              // long passwords
                             | 1U << 1                            // found rows
                             | 1U << 2                            // long flags
                             | capability::connect_with_database  //
                             | 1U << 6                            // ODBC
                             | 1U << 8                            // blanks before (
                             | capability::protocol_41            //
                             | 1U << 10                           // interactive
                             | 1U << 13                           // transactions
                             | capability::secure_connection      //
                             | 1U << 17                           // several results
                             | capability::plugin_auth            //
                             | capability::attributes             //
                             | capability::long_answers           //
                             | capability::deprecate_eof;
constexpr uint8_t utf8mb4 = 45;
constexpr uint16_t autocommit = 2;

std::string exclusive_or(std::string a, std::string_view b) {
  for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<char>(a[i] ^ b[i]);
  return a;
}

}  // namespace

std::string greeting_packet(const Greeting& greeting) {
  std::string out;
  out.push_back(10);
  out.append(server_version).push_back('\0');
  append_le(out, greeting.connection_id);
  out.append(greeting.nonce, 0, 8).push_back('\0');
  append_le(out, static_cast<uint16_t>(offered));
  out.push_back(static_cast<char>(utf8mb4));
  append_le(out, autocommit);
  append_le(out, static_cast<uint16_t>(offered >> 16));
  out.push_back(static_cast<char>(nonce_bytes + 1));
  out.append(10, '\0');
  out.append(greeting.nonce, 8).push_back('\0');
  out.append(sha2_plugin).push_back('\0');
  return out;
}

std::string fresh_nonce() {
  std::string nonce = random_bytes(nonce_bytes);
  // Clients end it at a zero byte; seven bits and no dollar sign are what MySQL itself sends.
  for (char& c : nonce) {
    c = static_cast<char>(c & 0x7f);
    if (c == '\0' || c == '$') ++c;
  }
  return nonce;
}

Result<Login> parse_login(std::string_view payload) {
  Decoder in(payload);
  Login login;
  login.capabilities = in.le<uint32_t>();
  if (!in.failed() && (login.capabilities & capability::protocol_41) == 0)
    return Error(Code::denied, "the client speaks a protocol older than 4.1");
  if (login.capabilities & capability::tls)
    return Error(Code::denied, "the client asks for TLS, which this endpoint does not offer");
  login.capabilities &= offered;
  in.take(4 + 1 + 23);  // packet size, character set, filler
  login.user = in.until_zero();
  if (login.capabilities & capability::long_answers) {
    login.answer = in.text();
  } else {
    login.answer = in.take(in.le<uint8_t>());
  }
  if (login.capabilities & capability::connect_with_database) login.database = in.until_zero();
  if (login.capabilities & capability::plugin_auth) login.plugin = in.until_zero();
  if (in.failed()) return Error(Code::invalid, "a malformed login");
  return login;
}

Result<Login> parse_change_user(std::string_view payload, uint32_t capabilities) {
  Decoder in(payload);
  Login login{.capabilities = capabilities};
  login.user = in.until_zero();
  login.answer = in.take(in.le<uint8_t>());
  login.database = in.until_zero();
  if (in.remaining() >= 2) in.take(2);  // character set
  if (in.remaining() > 0 && (capabilities & capability::plugin_auth) != 0)
    login.plugin = in.until_zero();
  if (in.failed()) return Error(Code::invalid, "a malformed change of user");
  return login;
}

std::string switch_packet(std::string_view plugin, std::string_view nonce) {
  std::string out;
  out.push_back(static_cast<char>(0xfe));
  out.append(plugin).push_back('\0');
  out.append(nonce).push_back('\0');
  return out;
}

std::string native_answer(std::string_view password, std::string_view nonce) {
  if (password.empty()) return {};
  std::string once = sha1(password);
  return exclusive_or(once, sha1(std::string(nonce) + sha1(once)));
}

std::string sha2_answer(std::string_view password, std::string_view nonce) {
  if (password.empty()) return {};
  std::string once = sha256(password);
  return exclusive_or(once, sha256(sha256(once) + std::string(nonce)));
}

}  // namespace pinpipe::mysql
