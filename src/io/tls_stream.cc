// A Stream that is TLS inside another. OpenSSL reads and writes our two buffers through a BIO of
// our own and never waits; what waits is the stream below. What a read makes OpenSSL want to say
// (an answer to a key update) goes out with the next write: the protocol asks for no more, and
// reads never have to wait for writes.
#include <algorithm>
#include <cstring>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "base/check.h"
#include "io/tls.h"

namespace pinpipe::io {
namespace {

// Bytes between the stream below and OpenSSL.
struct Buffers {
  static constexpr size_t input_bytes_first = 2 * 1024;  // what an idle connection costs

  std::unique_ptr<char[]> input;
  size_t capacity = 0, begin = 0, end = 0;
  std::string output;

  bool has_input() const { return begin < end; }
  // Only when all input has been taken. Grows for peers that send much at once.
  std::span<char> room() {
    if (capacity == 0 || (end == capacity && capacity < tls_record_bytes_max)) {
      capacity = std::clamp(capacity * 2, input_bytes_first, tls_record_bytes_max);
      input = std::make_unique_for_overwrite<char[]>(capacity);
    }
    begin = end = 0;
    return {input.get(), capacity};
  }
};

int give_input(BIO* bio, char* to, int room) {
  auto& buffers = *static_cast<Buffers*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (!buffers.has_input()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  size_t count = std::min(static_cast<size_t>(room), buffers.end - buffers.begin);
  std::memcpy(to, buffers.input.get() + buffers.begin, count);
  buffers.begin += count;
  return static_cast<int>(count);
}

int take_output(BIO* bio, const char* bytes, int size) {
  static_cast<Buffers*>(BIO_get_data(bio))->output.append(bytes, static_cast<size_t>(size));
  return size;
}

long answer_control(BIO*, int what, long, void*) {
  return what == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO* make_bio(Buffers& buffers) {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "buffers");
    BIO_meth_set_read(made, give_input);
    BIO_meth_set_write(made, take_output);
    BIO_meth_set_ctrl(made, answer_control);
    return made;
  }();
  BIO* bio = BIO_new(method);
  CHECK(bio != nullptr, "OpenSSL can make a BIO");
  BIO_set_data(bio, &buffers);
  BIO_set_init(bio, 1);
  return bio;
}

std::string last_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason != nullptr ? reason : "the peer closed the connection";
}

class TlsStream final : public Stream {
 public:
  TlsStream(std::unique_ptr<Stream> below, std::shared_ptr<const TlsContext> context)
      : below_(std::move(below)), context_(std::move(context)), ssl_(SSL_new(context_->native())) {
    CHECK(ssl_ != nullptr, "OpenSSL can make a connection");
    BIO* bio = make_bio(buffers_);
    SSL_set_bio(ssl_, bio, bio);
  }
  ~TlsStream() override { SSL_free(ssl_); }

  void expect_host(const std::string& host);
  Task<Status> handshake(bool as_client, std::string_view received);

  Task<Result<size_t>> read_some(std::span<char> into) override;
  Task<Status> write(std::span<const std::string_view> pieces) override;
  Task<Status> send_file(int descriptor, uint64_t offset, uint64_t count) override;
  size_t write_now(std::string_view) override { return 0; }  // a record is whole or not at all
  uint64_t bytes_taken() const override { return below_->bytes_taken(); }
  bool has_news() const override {
    return SSL_has_pending(ssl_) == 1 || buffers_.has_input() || below_->has_news();
  }
  Task<bool> hung_up() override;
  void set_deadline(Instant deadline) override { below_->set_deadline(deadline); }
  void end_writes() override;
  void close() override;
  std::string peer() const override { return below_->peer(); }
  std::string own_address() const override { return below_->own_address(); }
  bool is_local_socket() const override { return below_->is_local_socket(); }
  bool is_secure() const override { return true; }
  std::string_view protocol() const override {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }

 private:
  Task<Status> receive();
  Task<Status> flush();
  Status encrypt(std::string_view bytes);
  Error refusal_of(std::string_view action);
  void say_goodbye();

  std::unique_ptr<Stream> below_;
  std::shared_ptr<const TlsContext> context_;
  SSL* ssl_;
  Buffers buffers_;
  std::string host_;     // of a client, for its errors
  bool ready_ = false;   // the handshake is done
  bool broken_ = false;  // nothing more can be said or understood
  bool ended_ = false;   // we have said that we end
  bool writing_ = false;
};

void TlsStream::expect_host(const std::string& host) {
  host_ = host;
  X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl_);
  if (X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1) return;
  ERR_clear_error();
  SSL_set_hostflags(ssl_, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  CHECK(SSL_set1_host(ssl_, host.c_str()) == 1, "OpenSSL takes a host's name");
  SSL_set_tlsext_host_name(ssl_, host.c_str());
}

Task<Status> TlsStream::handshake(bool as_client, std::string_view received) {
  if (as_client) {
    SSL_set_connect_state(ssl_);
  } else {
    SSL_set_accept_state(ssl_);
  }
  while (true) {
    // What came before the upgrade is given in pieces that the input holds.
    while (!received.empty() && !buffers_.has_input()) {
      std::span<char> room = buffers_.room();
      size_t count = std::min(room.size(), received.size());
      std::memcpy(room.data(), received.data(), count);
      buffers_.end = count;
      received.remove_prefix(count);
    }
    ERR_clear_error();
    int done = SSL_do_handshake(ssl_);
    int why = SSL_get_error(ssl_, done);
    if (done != 1 && why != SSL_ERROR_WANT_READ) {
      Error refusal = refusal_of("agree on TLS with");
      (void)co_await flush();  // the alert that says why
      co_return refusal;
    }
    if (Status flushed = co_await flush(); !flushed) co_return flushed;
    if (done == 1) break;
    if (!received.empty()) continue;
    if (Status got = co_await receive(); !got) co_return got;
  }
  ready_ = true;
  if (received.empty()) co_return Status{};
  co_return Error(Code::invalid, "bytes came before TLS was agreed on that do not belong to it");
}

Error TlsStream::refusal_of(std::string_view action) {
  broken_ = true;
  std::string who = host_.empty() ? below_->peer() : host_;
  long verified = SSL_get_verify_result(ssl_);
  if (context_->verifies() && verified != X509_V_OK) {
    return {Code::denied, "the certificate of " + who +
                              " does not do: " + X509_verify_cert_error_string(verified)};
  }
  return {Code::unavailable, "cannot " + std::string(action) + " " + who + ": " + last_reason()};
}

Task<Status> TlsStream::receive() {
  auto got = co_await below_->read_some(buffers_.room());
  if (!got) co_return got.error();
  if (*got == 0)
    co_return Error(Code::unavailable, "the peer closed the connection without ending TLS");
  buffers_.end = *got;
  co_return Status{};
}

Task<Status> TlsStream::flush() {
  if (buffers_.output.empty()) co_return Status{};
  std::string sending = std::move(buffers_.output);  // a read may add to it meanwhile
  buffers_.output.clear();
  Status sent = co_await below_->write(sending);
  if (!sent) broken_ = true;
  co_return sent;
}

Task<Result<size_t>> TlsStream::read_some(std::span<char> into) {
  while (true) {
    ERR_clear_error();
    size_t count = 0;
    int done = SSL_read_ex(ssl_, into.data(), into.size(), &count);
    if (done == 1) co_return count;
    switch (SSL_get_error(ssl_, done)) {
      case SSL_ERROR_ZERO_RETURN:
        co_return 0;
      case SSL_ERROR_WANT_READ:
        break;
      default: {
        Error refusal = refusal_of("read from");
        if (!writing_) (void)below_->write_now(buffers_.output);  // the alert that says why
        co_return refusal;
      }
    }
    if (Status got = co_await receive(); !got) co_return got.error();
  }
}

Status TlsStream::encrypt(std::string_view bytes) {
  while (!bytes.empty()) {
    ERR_clear_error();
    size_t count = 0;
    if (SSL_write_ex(ssl_, bytes.data(), std::min(bytes.size(), tls_record_bytes_max), &count) != 1)
      return refusal_of("write to");
    bytes.remove_prefix(count);
  }
  return {};
}

// Small pieces share a record: an answer's head and body cost one.
Task<Status> TlsStream::write(std::span<const std::string_view> pieces) {
  if (broken_ || ended_) co_return Error(Code::unavailable, "the connection's TLS has ended");
  std::string record;
  Status done;
  writing_ = true;
  for (size_t i = 0; i <= pieces.size() && done; ++i) {
    std::string_view piece = i < pieces.size() ? pieces[i] : std::string_view();
    bool last = i == pieces.size();
    if (!last && record.size() + piece.size() <= tls_record_bytes_max) {
      record += piece;
      continue;
    }
    done = encrypt(record);
    record.clear();
    while (done && !piece.empty()) {
      size_t step = std::min(piece.size(), tls_record_bytes_max);
      done = encrypt(piece.substr(0, step));
      piece.remove_prefix(step);
      if (done && buffers_.output.size() >= tls_output_bytes_max - tls_record_bytes_max)
        done = co_await flush();
    }
  }
  if (done) done = co_await flush();
  writing_ = false;
  co_return done;
}

Task<Status> TlsStream::send_file(int descriptor, uint64_t offset, uint64_t count) {
  std::string block(std::min<uint64_t>(count, tls_output_bytes_max - tls_record_bytes_max), '\0');
  while (count > 0) {
    ssize_t got = ::pread(descriptor, block.data(), std::min<uint64_t>(count, block.size()),
                          static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) co_return error_of_errno(errno, "read a file for the connection");
    if (got == 0) co_return Error(Code::corrupt, "the file ended before its sent length");
    std::string_view piece(block.data(), static_cast<size_t>(got));
    if (Status sent = co_await write(std::span(&piece, 1)); !sent) co_return sent;
    offset += piece.size();
    count -= piece.size();
  }
  co_return Status{};
}

Task<bool> TlsStream::hung_up() {
  while (true) {
    ERR_clear_error();
    char byte;
    size_t count = 0;
    int done = SSL_peek_ex(ssl_, &byte, 1, &count);
    if (done == 1) co_return false;
    if (SSL_get_error(ssl_, done) != SSL_ERROR_WANT_READ) co_return true;
    Status got = co_await receive();
    if (!got) {
      Code code = got.error().code();
      co_return code != Code::cancelled&& code != Code::timeout;
    }
  }
}

void TlsStream::say_goodbye() {
  if (!ready_ || broken_ || ended_ || writing_) return;
  ended_ = true;
  ERR_clear_error();
  (void)SSL_shutdown(ssl_);
  (void)below_->write_now(buffers_.output);
  buffers_.output.clear();
}

void TlsStream::end_writes() {
  say_goodbye();
  below_->end_writes();
}

void TlsStream::close() {
  say_goodbye();
  below_->close();
}

Task<Result<std::unique_ptr<Stream>>> upgrade(std::unique_ptr<TlsStream> stream, bool as_client,
                                              std::string received, Instant deadline) {
  stream->set_deadline(deadline);
  Status agreed = co_await stream->handshake(as_client, received);
  if (!agreed) {
    stream->close();
    co_return agreed.error();
  }
  stream->set_deadline(never);
  co_return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace

Task<Result<std::unique_ptr<Stream>>> tls_connect(std::unique_ptr<Stream> stream,
                                                  std::shared_ptr<const TlsContext> context,
                                                  std::string host, Instant deadline) {
  auto secured = std::make_unique<TlsStream>(std::move(stream), std::move(context));
  secured->expect_host(host);
  co_return co_await upgrade(std::move(secured), true, {}, deadline);
}

Task<Result<std::unique_ptr<Stream>>> tls_accept(std::unique_ptr<Stream> stream,
                                                 std::shared_ptr<const TlsContext> context,
                                                 Instant deadline, std::string received) {
  auto secured = std::make_unique<TlsStream>(std::move(stream), std::move(context));
  co_return co_await upgrade(std::move(secured), false, std::move(received), deadline);
}

}  // namespace pinpipe::io
