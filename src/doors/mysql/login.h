// How a client gets in: the greeting, the client's answer, and what proves its password.
//   mysql_native_password   SHA1(p) xor SHA1(nonce + SHA1(SHA1(p)))
//   caching_sha2_password   SHA256(p) xor SHA256(SHA256(SHA256(p)) + nonce)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pinpipe::mysql {

// Of the bits that both sides exchange, those that this side looks at.
namespace capability {
inline constexpr uint32_t connect_with_database = 1U << 3;
inline constexpr uint32_t protocol_41 = 1U << 9;
inline constexpr uint32_t tls = 1U << 11;
inline constexpr uint32_t secure_connection = 1U << 15;
inline constexpr uint32_t plugin_auth = 1U << 19;
inline constexpr uint32_t attributes = 1U << 20;
inline constexpr uint32_t long_answers = 1U << 21;
inline constexpr uint32_t deprecate_eof = 1U << 24;
}  // namespace capability

inline constexpr std::string_view native_plugin = "mysql_native_password";
inline constexpr std::string_view sha2_plugin = "caching_sha2_password";
inline constexpr size_t nonce_bytes = 20;
inline constexpr std::string_view server_version = "8.0.36-pinpipe";

struct Greeting {
  uint32_t connection_id = 0;
  std::string nonce = {};  // nonce_bytes, none of them zero
};
std::string greeting_packet(const Greeting& greeting);
// Bytes that may stand in a greeting.
std::string fresh_nonce();

struct Login {
  uint32_t capabilities = 0;  // of both sides
  std::string user = {};
  std::string answer = {};  // to the nonce
  std::string database = {};
  std::string plugin = {};
};
// `invalid` for bytes that are no login, `denied` for one that asks for TLS or an older protocol.
Result<Login> parse_login(std::string_view payload);
// COM_CHANGE_USER, without its command byte. `capabilities` are those of the connection's login.
Result<Login> parse_change_user(std::string_view payload, uint32_t capabilities);

// "Answer again, with this plugin and this nonce."
std::string switch_packet(std::string_view plugin, std::string_view nonce);

std::string native_answer(std::string_view password, std::string_view nonce);
std::string sha2_answer(std::string_view password, std::string_view nonce);

}  // namespace pinpipe::mysql
