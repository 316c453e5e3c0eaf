#include "http/client.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <vector>

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/id.h"
#include "base/random.h"
#include "http/http1_parser.h"
#include "io/stream.h"
#include "io/tls.h"
#include "io/wake.h"

namespace pinpipe::http {
namespace {

constexpr size_t step_bytes = 64 * 1024;

// Whether sending it twice does no more than sending it once, whatever stands behind the URL.
bool is_safe(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

std::string head_of(const Url& to, const Request& request, const std::optional<Signing>& signing) {
  std::string head = request.method + " " + (request.target.empty() ? to.target : request.target) +
                     " HTTP/1.1\r\n";
  if (!request.headers.has("Host")) head += "Host: " + to.host_header() + "\r\n";
  for (const auto& [name, value] : request.headers.lines()) {
    if (equal_without_case(name, "Content-Length")) continue;
    head.append(name).append(": ").append(value).append("\r\n");
  }
  if (signing) {
    for (const auto& [name, value] : signature_of(request, to, *signing))
      head += name + ": " + value + "\r\n";
  }
  bool may_have_body = request.method != "GET" && request.method != "HEAD";
  if (may_have_body || !request.body.empty())
    head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  head += "\r\n";
  return head;
}

// What became of one attempt: an answer, or how far it came.
struct Attempt {
  Result<Response> answer;
  bool untaken = false;     // not one byte of the request was taken
  bool unanswered = false;  // the connection ended without one byte of an answer
};

}  // namespace

struct Client::Impl {
  struct Link {
    std::unique_ptr<io::Stream> stream;
    std::string input;
    HeadParser parser;
    io::Instant rests_since{};
  };

  struct Authority {
    std::vector<std::unique_ptr<Link>> resting;  // the one used last is at the end
    size_t open = 0;
    io::Signal changed;
  };

  explicit Impl(Options given) : options(std::move(given)) {}

  io::Task<Result<std::unique_ptr<Link>>> open_link(const Url& to, io::Instant deadline);
  io::Task<Result<std::unique_ptr<io::Stream>>> secure(std::unique_ptr<io::Stream> plain,
                                                       const Url& to, io::Instant deadline);
  io::Task<Result<std::unique_ptr<Link>>> take_link(Authority& pool, const Url& to,
                                                    io::Instant deadline, bool& kept);
  void drop(Authority& pool, std::unique_ptr<Link> link);
  io::Task<Attempt> exchange(Link& link, const Url& to, const Request& request,
                             io::Instant deadline, bool& reusable);
  io::Task<Result<Response>> read_answer(Link& link, bool head_only, bool& any_byte,
                                         bool& reusable);
  io::Task<Status> read_body(Link& link, const Framing& framing, std::string& body);
  io::Task<Status> read_sized(Link& link, uint64_t length, std::string& body);
  io::Task<Status> read_chunked(Link& link, std::string& body);
  io::Task<Status> receive(Link& link);

  Options options;
  std::shared_ptr<const io::TlsContext> tls;  // made when first needed
  std::map<std::string, Authority, std::less<>> pools;
};

io::Task<Result<std::unique_ptr<io::Stream>>> Client::Impl::secure(
    std::unique_ptr<io::Stream> plain, const Url& to, io::Instant deadline) {
  if (!tls) {
    auto made = io::TlsContext::for_client(
        {.ca_file = options.ca_file, .verify = options.verify_tls, .protocols = {"http/1.1"}});
    if (!made) co_return made.error();
    tls = std::move(*made);
  }
  co_return co_await io::tls_connect(std::move(plain), tls, to.host, deadline);
}

io::Task<Result<std::unique_ptr<Client::Impl::Link>>> Client::Impl::open_link(
    const Url& to, io::Instant deadline) {
  io::Instant connected_by = std::min(deadline, io::after(options.connect_timeout));
  auto stream = to.scheme == "unix" ? co_await io::connect_local(to.socket_path, connected_by)
                                    : co_await io::connect_tcp(to.host, to.port, connected_by);
  if (stream && to.scheme == "https")
    stream = co_await secure(std::move(*stream), to, connected_by);
  if (!stream) {
    Code code = stream.error().code();
    if (code == Code::cancelled || code == Code::denied || code == Code::invalid)
      co_return stream.error();
    // Nothing has been sent: whatever the reason, the request was not acted on.
    co_return Error(Code::unavailable, stream.error().text());
  }
  auto link = std::make_unique<Link>();
  link->stream = std::move(*stream);
  co_return link;
}

// Whether a connection at rest is still open. One without news is; news may be the end, an answer
// that nobody asked for, or TLS's own talk, which a read takes and finds nothing behind.
static io::Task<bool> is_open(io::Stream& stream) {
  if (!stream.has_news()) co_return true;
  if (!stream.is_secure()) co_return false;
  std::array<char, 1> byte;
  stream.set_deadline(std::chrono::steady_clock::now());
  auto got = co_await stream.read_some(byte);
  co_return !got && got.error().code() == Code::timeout;
}

io::Task<Result<std::unique_ptr<Client::Impl::Link>>> Client::Impl::take_link(Authority& pool,
                                                                              const Url& to,
                                                                              io::Instant deadline,
                                                                              bool& kept) {
  while (true) {
    uint64_t version = pool.changed.version();
    while (!pool.resting.empty()) {
      auto link = std::move(pool.resting.back());
      pool.resting.pop_back();
      auto rested = std::chrono::steady_clock::now() - link->rests_since;
      kept = true;
      if (rested < options.idle_timeout && co_await is_open(*link->stream)) co_return link;
      drop(pool, std::move(link));
    }
    if (pool.open < options.connections_per_authority_max) break;
    Status waited = co_await pool.changed.wait_beyond(version, deadline);
    if (!waited && waited.error().code() == Code::timeout)
      co_return Error(Code::unavailable, "all connections to " + to.authority() + " are in use");
    if (!waited) co_return waited.error();
  }
  kept = false;
  ++pool.open;
  auto link = co_await open_link(to, deadline);
  if (!link) drop(pool, nullptr);
  co_return link;
}

void Client::Impl::drop(Authority& pool, std::unique_ptr<Link> link) {
  if (link) link->stream->close();
  --pool.open;
  pool.changed.notify_all();
}

io::Task<Status> Client::Impl::receive(Link& link) {
  size_t have = link.input.size();
  link.input.resize_and_overwrite(have + 16 * 1024, [](char*, size_t size) { return size; });
  auto got = co_await link.stream->read_some(std::span(link.input).subspan(have));
  link.input.resize(have + (got ? *got : 0));
  if (!got) co_return got.error();
  if (*got == 0) co_return Error(Code::unavailable, "the server closed the connection");
  co_return Status{};
}

io::Task<Status> Client::Impl::read_sized(Link& link, uint64_t length, std::string& body) {
  size_t have = static_cast<size_t>(std::min<uint64_t>(link.input.size(), length));
  body.assign(link.input, 0, have);
  link.input.erase(0, have);
  while (have < length) {
    if (have == body.size()) {
      size_t grown =
          static_cast<size_t>(std::min<uint64_t>(length, std::max(2 * have, have + step_bytes)));
      body.resize_and_overwrite(grown, [](char*, size_t size) { return size; });
    }
    auto got = co_await link.stream->read_some(std::span(body).subspan(have));
    if (!got) co_return got.error();
    if (*got == 0) co_return Error(Code::unavailable, "the server closed the connection");
    have += *got;
  }
  body.resize(have);
  co_return Status{};
}

io::Task<Status> Client::Impl::read_chunked(Link& link, std::string& body) {
  ChunkedDecoder chunks;
  while (true) {
    size_t have = body.size();
    size_t room = link.input.size() + 1;
    body.resize_and_overwrite(have + room, [](char*, size_t size) { return size; });
    auto step = chunks.decode(link.input, std::span(body).subspan(have));
    if (!step) co_return step.error();
    link.input.erase(0, step->consumed);
    body.resize(have + step->produced);
    if (body.size() > options.body_bytes_max)
      co_return Error(Code::invalid, "the answer is larger than this client reads");
    if (chunks.done()) co_return Status{};
    if (Status received = co_await receive(link); !received) co_return received;
  }
}

io::Task<Status> Client::Impl::read_body(Link& link, const Framing& framing, std::string& body) {
  switch (framing.kind) {
    case Framing::Kind::none:
      co_return Status{};
    case Framing::Kind::length:
      if (framing.length > options.body_bytes_max)
        co_return Error(Code::invalid, "the answer is larger than this client reads");
      co_return co_await read_sized(link, framing.length, body);
    case Framing::Kind::chunked:
      co_return co_await read_chunked(link, body);
    case Framing::Kind::until_close:
      break;
  }
  while (link.input.size() <= options.body_bytes_max) {
    Status received = co_await receive(link);
    if (!received && received.error().code() != Code::unavailable) co_return received;
    if (!received) {
      body = std::move(link.input);
      co_return Status{};
    }
  }
  co_return Error(Code::invalid, "the answer is larger than this client reads");
}

io::Task<Result<Response>> Client::Impl::read_answer(Link& link, bool head_only, bool& any_byte,
                                                     bool& reusable) {
  Response answer;
  link.parser.begin(answer);
  while (true) {
    if (link.input.empty()) {
      if (Status received = co_await receive(link); !received) co_return received.error();
      any_byte = true;
    }
    auto progress = link.parser.feed(link.input);
    link.input.erase(0, progress.consumed);
    if (progress.state == HeadParser::State::refused)
      co_return Error(Code::invalid, "the server's answer is not HTTP");
    if (link.parser.bytes_seen() > options.head_bytes_max)
      co_return Error(Code::invalid, "the head of the server's answer is too long");
    if (progress.state != HeadParser::State::complete) continue;
    if (link.parser.status() >= 200) break;
    answer.clear();  // 100 Continue and the like announce the answer
    link.parser.begin(answer);
  }
  answer.status = link.parser.status();
  reusable = link.parser.keeps_alive();
  if (head_only) {
    reusable = !answer.headers.lists("Connection", "close");
    co_return answer;
  }
  Status read = co_await read_body(link, link.parser.framing(), answer.body);
  if (!read) co_return read.error();
  co_return answer;
}

io::Task<Attempt> Client::Impl::exchange(Link& link, const Url& to, const Request& request,
                                         io::Instant deadline, bool& reusable) {
  link.stream->set_deadline(deadline);
  std::string head = head_of(to, request, options.signing);
  std::array<std::string_view, 2> pieces = {head, request.body};
  uint64_t taken_before = link.stream->bytes_taken();
  Status sent = co_await link.stream->write(pieces);
  if (!sent && sent.error().code() == Code::cancelled) co_return Attempt{.answer = sent.error()};
  bool untaken = !sent && link.stream->bytes_taken() == taken_before;
  if (untaken) co_return Attempt{.answer = sent.error(), .untaken = true};
  // A server that refuses a body may answer and close before it has read all: its answer counts.
  bool any_byte = !link.input.empty();
  auto answer = co_await read_answer(link, request.method == "HEAD", any_byte, reusable);
  if (!sent || !answer || !link.input.empty()) reusable = false;
  bool unanswered = !answer && !any_byte && answer.error().code() != Code::timeout;
  co_return Attempt{.answer = std::move(answer), .unanswered = unanswered};
}

Client::Client(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Client::Client() : Client(Options{}) {}
Client::~Client() = default;

size_t Client::connection_count() const {
  size_t count = 0;
  for (const auto& [name, pool] : impl_->pools) count += pool.open;
  return count;
}

io::Task<Result<Response>> Client::fetch(const Url& to, const Request& request,
                                         io::Instant deadline) {
  Impl::Authority& pool = impl_->pools[to.scheme + "://" + to.authority()];
  while (true) {
    bool kept = false;
    auto link = co_await impl_->take_link(pool, to, deadline, kept);
    if (!link) co_return link.error();
    bool reusable = false;
    Attempt attempt = co_await impl_->exchange(**link, to, request, deadline, reusable);
    if (reusable) {
      (*link)->rests_since = std::chrono::steady_clock::now();
      pool.resting.push_back(std::move(*link));
      pool.changed.notify_all();
    } else {
      impl_->drop(pool, std::move(*link));
    }
    if (attempt.answer) co_return std::move(attempt.answer);
    const Error& error = attempt.answer.error();
    bool again = attempt.untaken || (attempt.unanswered && is_safe(request.method));
    bool may_wait = error.code() != Code::timeout && error.code() != Code::cancelled;
    if (kept && again && may_wait) continue;
    if (attempt.untaken && error.code() != Code::cancelled)
      co_return Error(Code::unavailable, error.text());
    if (!may_wait) co_return error;
    co_return Error(Code::internal, error.text()).with("no whole answer from " + to.authority());
  }
}

namespace {

// Seconds as a number; a date is not worth reading here.
Millis retry_after(const Response& response) {
  auto text = response.headers.find("Retry-After");
  unsigned seconds = 0;
  if (text) (void)std::from_chars(text->data(), text->data() + text->size(), seconds);
  return Millis(1000) * std::min(seconds, 60U);
}

bool is_worth_another(const Result<Response>& outcome, const Client::Retry& retry) {
  if (!outcome) {
    Code code = outcome.error().code();
    return code == Code::unavailable || (retry.when_maybe_done && code == Code::internal);
  }
  int status = outcome->status;
  if (status == 429 || status == 503) return true;
  return retry.when_maybe_done && (status == 500 || status == 502 || status == 504);
}

}  // namespace

io::Task<Result<Response>> Client::fetch(const Url& to, const Request& request,
                                         io::Instant deadline, Retry retry) {
  thread_local Random random(load_be<uint64_t>(random_bytes(8).data()));
  Millis delay = retry.delay;
  for (int attempt = 1;; ++attempt) {
    auto outcome = co_await fetch(to, request, deadline);
    if (attempt >= retry.attempts_max || !is_worth_another(outcome, retry)) co_return outcome;
    auto half = static_cast<uint64_t>(delay.count() / 2);
    Millis wait(static_cast<int64_t>(half + random.below(half + 1)));
    if (outcome) wait = std::max(wait, retry_after(*outcome));
    if (io::after(wait) >= deadline) co_return outcome;
    if (Status slept = co_await io::sleep_for(wait); !slept) co_return slept.error();
    delay = std::min(delay * 2, retry.delay_max);
  }
}

}  // namespace pinpipe::http
