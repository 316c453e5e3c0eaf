// Certificates, trust and what a TLS listener or client offers.
#include <cstring>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/check.h"
#include "io/tls.h"

namespace pinpipe::io {
namespace {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Owned = std::unique_ptr<SSL_CTX, Free>;

// "\x02h2\x08http/1.1"
Result<std::string> on_the_wire(const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& one : protocols) {
    if (one.empty() || one.size() > 255)
      return Error(Code::invalid, "a protocol's name has 1 to 255 bytes");
    list += static_cast<char>(one.size());
    list += one;
  }
  return list;
}

Owned make_context(const SSL_METHOD* method) {
  Owned context(SSL_CTX_new(method));
  CHECK(context != nullptr, "OpenSSL can make a context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  // A key with a passphrase is refused; the default would ask on the terminal.
  SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return -1; });
  ERR_clear_error();
  return context;
}

Error unusable(std::string_view what, const std::string& file) {
  unsigned long first = ERR_peek_error();
  const char* reason = ERR_SYSTEM_ERROR(first) ? std::strerror(ERR_GET_REASON(first))
                                               : ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return {Code::invalid, "cannot use " + std::string(what) + " " + file + ": " +
                             (reason != nullptr ? reason : "it cannot be read")};
}

// The server's choice: its own order counts. Without a common protocol TLS goes on without one.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void* own) {
  const auto* context = static_cast<const TlsContext*>(own);
  std::string_view ours = context->protocols();
  unsigned char* found = nullptr;
  int outcome = SSL_select_next_proto(&found, chosen_size,
                                      reinterpret_cast<const unsigned char*>(ours.data()),
                                      static_cast<unsigned>(ours.size()), offered, offered_size);
  *chosen = found;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

TlsContext::TlsContext(ssl_ctx_st* native, bool verifies, std::string protocols)
    : native_(native), verifies_(verifies), protocols_(std::move(protocols)) {}

TlsContext::~TlsContext() {
  SSL_CTX_free(native_);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::for_client(const ClientOptions& options) {
  Owned context = make_context(TLS_client_method());
  auto protocols = on_the_wire(options.protocols);
  if (!protocols) return protocols.error();
  if (!options.ca_file.empty()) {
    if (SSL_CTX_load_verify_file(context.get(), options.ca_file.c_str()) != 1)
      return unusable("the certificates in", options.ca_file);
  } else if (options.verify) {
    CHECK(SSL_CTX_set_default_verify_paths(context.get()) == 1, "the system's roots have a place");
  }
  SSL_CTX_set_verify(context.get(), options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (!protocols->empty()) {
    int refused = SSL_CTX_set_alpn_protos(context.get(),
                                          reinterpret_cast<const unsigned char*>(protocols->data()),
                                          static_cast<unsigned>(protocols->size()));
    CHECK(refused == 0, "a list of protocols that was written well is taken");
  }
  return std::shared_ptr<const TlsContext>(
      new TlsContext(context.release(), options.verify, std::move(*protocols)));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::for_server(const ServerOptions& options) {
  Owned context = make_context(TLS_server_method());
  auto protocols = on_the_wire(options.protocols);
  if (!protocols) return protocols.error();
  const char* certificate = options.certificate_file.c_str();
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate) != 1)
    return unusable("the certificate", options.certificate_file);
  if (SSL_CTX_use_PrivateKey_file(context.get(), options.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return unusable("the key", options.key_file);
  if (SSL_CTX_check_private_key(context.get()) != 1) return unusable("the key", options.key_file);
  std::shared_ptr<const TlsContext> made(
      new TlsContext(context.release(), false, std::move(*protocols)));
  if (!made->protocols_.empty())
    SSL_CTX_set_alpn_select_cb(made->native_, choose_protocol, const_cast<TlsContext*>(made.get()));
  return made;
}

}  // namespace pinpipe::io
