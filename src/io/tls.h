// TLS over a Stream that is there already, from its first byte or in mid-connection (a database's
// SSLRequest, STARTTLS). The only header through which libssl is used.
// Promise: a client's handshake ends well only when the server's certificate is trusted and names
// the host; the end of the peer's bytes is an end only when the peer said so (close_notify), a bare
// close is an error. Protocol 1.2 at least, no renegotiation.
// Bounds: record_bytes_max of input and output_bytes_max of output are held per connection.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/stream.h"
#include "io/timer.h"

struct ssl_ctx_st;

namespace pinpipe::io {

// What the connections of one listener or one client share. Thread-safe once made.
class TlsContext {
 public:
  struct ClientOptions {
    std::string ca_file;  // PEM; empty: the system's roots
    bool verify = true;   // false lets anybody answer: only for what is told so by its user
    std::vector<std::string> protocols{};  // offered by ALPN, the preferred one first
  };
  struct ServerOptions {
    std::string certificate_file;          // PEM: the server's own, then what leads to a root
    std::string key_file;                  // PEM, without a passphrase
    std::vector<std::string> protocols{};  // the first that the client also offers is chosen
  };
  static Result<std::shared_ptr<const TlsContext>> for_client(const ClientOptions& options);
  // Reads the files now. `invalid` names the file that is missing, unreadable or does not fit.
  static Result<std::shared_ptr<const TlsContext>> for_server(const ServerOptions& options);

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;

  ssl_ctx_st* native() const { return native_; }
  bool verifies() const { return verifies_; }
  std::string_view protocols() const { return protocols_; }  // as ALPN writes them

 private:
  TlsContext(ssl_ctx_st* native, bool verifies, std::string protocols);

  ssl_ctx_st* native_;
  bool verifies_;
  std::string protocols_;
};

inline constexpr size_t tls_record_bytes_max = 16 * 1024;
inline constexpr size_t tls_output_bytes_max = 4 * tls_record_bytes_max;

// The client's side. `host` is sent (SNI) and is what the certificate must name; a numeric address
// must be named as such. `denied`: the certificate does not do; `unavailable`: no TLS came about.
Task<Result<std::unique_ptr<Stream>>> tls_connect(std::unique_ptr<Stream> stream,
                                                  std::shared_ptr<const TlsContext> context,
                                                  std::string host, Instant deadline);
// The server's side. `received`: what was read from the stream and belongs to TLS already.
Task<Result<std::unique_ptr<Stream>>> tls_accept(std::unique_ptr<Stream> stream,
                                                 std::shared_ptr<const TlsContext> context,
                                                 Instant deadline, std::string received = {});

}  // namespace pinpipe::io
