#include "source/emulator.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/id.h"

namespace pinpipe::source {
namespace {

// Rounds asked of the pool at once: enough that the way to the pool and back costs little.
constexpr size_t batch_rounds = 64;
static_assert(2 * batch_rounds <= Emulator::rounds_ahead_max);

constexpr int rest_retriable_error = 50'003;

// The REST proxy answers 200 even when Kafka refused the record; then its line carries a number.
std::optional<int> record_error(std::string_view body) {
  constexpr std::string_view name = "\"error_code\":";
  size_t at = body.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  at = body.find_first_not_of(' ', at + name.size());
  int code = 0;
  bool number = false;
  for (; at < body.size() && body[at] >= '0' && body[at] <= '9' && code < 1'000'000; ++at) {
    code = code * 10 + (body[at] - '0');
    number = true;
  }
  return number ? std::optional(code) : std::nullopt;
}

Millis retry_after(const http::Response& answer) {
  auto text = answer.headers.find("Retry-After");
  int64_t seconds = 0;
  for (char digit : text.value_or("")) {
    if (digit < '0' || digit > '9' || seconds > 60) break;
    seconds = seconds * 10 + (digit - '0');
  }
  return Millis(1'000 * std::min<int64_t>(seconds, 60));
}

std::string trouble_of(const http::Response& answer) {
  constexpr size_t body_bytes_max = 200;
  return fmt::format("{} {}: {}", answer.status, http::reason_of(answer.status),
                     std::string_view(answer.body).substr(0, body_bytes_max));
}

}  // namespace

// One worker's requests, made once; a post only changes their body and one header.
struct Emulator::Poster {
  std::array<http::Request, all_tables.size()> requests;

  explicit Poster(const Emulator& emulator) {
    bool batch = emulator.options_.rounds.target == Target::batch;
    std::string base = emulator.url_.target;
    while (base.ends_with('/')) base.pop_back();
    for (size_t i = 0; i < requests.size(); ++i) {
      const std::string& name = emulator.options_.rounds.destinations[i].name;
      http::Request& request = requests[i];
      request.method = batch ? "POST" : "PUT";
      request.target = base + (batch ? "/topics/" + name : "/streams/" + name + "/record");
      request.headers.set("Content-Type",
                          batch ? "application/vnd.kafka.json.v2+json" : "application/json");
    }
  }
};

Emulator::Emulator(Options options, Source& source, io::Pool& pool)
    : options_(std::move(options)),
      rounds_(options_.rounds, source),
      pool_(pool),
      client_({.connections_per_authority_max = std::max<size_t>(options_.concurrency, 1),
               .ca_file = options_.ca_file}),
      random_(load_be<uint64_t>(random_bytes(8).data())) {
  if (options_.run.empty()) options_.run = to_hex(random_bytes(6));
}

Emulator::~Emulator() = default;

io::Task<Status> Emulator::run() {
  auto url = http::Url::parse(options_.base_url);
  if (!url) co_return url.error();
  if (options_.concurrency == 0 || options_.concurrency > concurrency_max) {
    co_return Error(Code::invalid,
                    fmt::format("concurrency is a number from 1 to {}", concurrency_max));
  }
  if (!(options_.posts_per_second >= 0)) co_return Error(Code::invalid, "a rate is not negative");
  url_ = std::move(*url);

  io::Scope scope(io::Loop::current());
  workers_ = options_.concurrency;
  next_turn_ = std::chrono::steady_clock::now();
  scope.spawn("emulator feed", feed());
  for (size_t i = 0; i < options_.concurrency; ++i) scope.spawn("emulator worker", work());
  while (workers_ > 0) {
    uint64_t version = changed_.version();
    Status waited = co_await changed_.wait_beyond(version, io::never);
    if (waited) continue;
    end_with(waited.error());
    scope.cancel();
    break;
  }
  stop();  // the feed has nothing left to feed
  co_await scope.join();
  co_return outcome_;
}

void Emulator::stop() {
  stopping_ = true;
  stopped_.notify_all();
  changed_.notify_all();
}

void Emulator::end_with(Error error) {
  if (outcome_) outcome_ = std::move(error);
  stop();
}

io::Task<> Emulator::feed() {
  std::vector<Round> batch;
  while (!stopping_) {
    if (ready_.size() > rounds_ahead_max - batch_rounds) {
      uint64_t version = changed_.version();
      Status waited = co_await changed_.wait_beyond(version, io::never);
      if (!waited) break;
      continue;
    }
    size_t reused = std::min(spare_.size(), batch_rounds);
    std::move(spare_.end() - static_cast<std::ptrdiff_t>(reused), spare_.end(),
              std::back_inserter(batch));
    spare_.resize(spare_.size() - reused);
    batch.resize(batch_rounds);
    auto fill = [this, &batch] { return rounds_.fill(batch); };
    Result<size_t> filled = co_await pool_.run(fill);
    if (!filled) {
      end_with(filled.error());
      break;
    }
    for (size_t i = 0; i < *filled; ++i) ready_.push_back(std::move(batch[i]));
    batch.clear();
    if (*filled < batch_rounds) break;
    changed_.notify_all();
  }
  fed_ = true;
  changed_.notify_all();
}

io::Task<std::optional<Round>> Emulator::next_round() {
  while (!stopping_) {
    if (!ready_.empty()) {
      Round round = std::move(ready_.front());
      ready_.pop_front();
      if (ready_.size() == rounds_ahead_max - batch_rounds) changed_.notify_all();
      co_return round;
    }
    if (fed_) break;
    uint64_t version = changed_.version();
    Status waited = co_await changed_.wait_beyond(version, io::never);
    if (!waited) break;
  }
  co_return std::nullopt;
}

io::Task<> Emulator::work() {
  Poster poster(*this);
  while (true) {
    std::optional<Round> round = co_await next_round();
    if (!round) break;
    bool posted = co_await post_round(*round, poster);
    if (spare_.size() < rounds_ahead_max) spare_.push_back(std::move(*round));
    if (!posted) break;
  }
  --workers_;
  changed_.notify_all();
}

io::Task<bool> Emulator::post_round(Round& round, Poster& poster) {
  if (options_.sleeps) {
    bool rested = co_await pause_until(io::after(Millis(1'000 * round.sleep_s)));
    if (!rested) co_return false;
  }
  for (size_t i = 0; i < poster.requests.size(); ++i) {
    bool in_turn = co_await await_turn();
    // A round that has begun is brought to its end, so that the three tables stay equally long.
    if (!in_turn && i == 0) co_return false;
    if (co_await io::cancelled()) co_return false;
    uint64_t number = round.number * poster.requests.size() + i + 1;
    if (options_.is_stored(number)) continue;
    poster.requests[i].body.swap(round.bodies[i]);
    co_await post(poster.requests[i], number);
    poster.requests[i].body.swap(round.bodies[i]);
  }
  tally_.rounds += 1;
  co_return true;
}

io::Task<> Emulator::post(http::Request& request, uint64_t number) {
  request.headers.set("pinpipe-post", fmt::format("{}/{}", options_.run, number));
  tally_.sent += 1;
  bool maybe_stored = false;
  Millis delay = options_.retry_delay;
  for (int attempts = 1;; ++attempts) {
    auto half = static_cast<uint64_t>(delay.count() / 2);
    Millis wait(static_cast<int64_t>(half + random_.below(half + 1)));
    Verdict verdict = co_await attempt(request, wait);
    if (verdict == Verdict::done) {
      tally_.acknowledged += 1;
      co_return;
    }
    maybe_stored |= verdict == Verdict::maybe_done;
    if (verdict == Verdict::refused || attempts >= options_.attempts_max) break;
    bool go_on = co_await pause_until(io::after(wait));
    if (!go_on) break;
    tally_.retried += 1;
    delay = std::min(delay * 2, options_.retry_delay_max);
  }
  // A refusal at last does not tell what became of an attempt whose answer was lost.
  (maybe_stored ? tally_.unknown : tally_.failed) += 1;
}

io::Task<Emulator::Verdict> Emulator::attempt(const http::Request& request, Millis& wait) {
  auto answer = co_await client_.fetch(url_, request, io::after(options_.post_timeout));
  if (!answer) {
    tally_.last_trouble = answer.error().text();
    switch (answer.error().code()) {
      case Code::unavailable:
        co_return Verdict::not_done;
      case Code::invalid:  // the URL, or the server's certificate: no later post can fare better
      case Code::denied:
        end_with(answer.error());
        co_return Verdict::refused;
      default:
        co_return Verdict::maybe_done;
    }
  }
  if (answer->status >= 200 && answer->status < 300) {
    std::optional<int> error;
    if (options_.rounds.target == Target::batch) error = record_error(answer->body);
    if (!error) co_return Verdict::done;
    tally_.last_trouble = trouble_of(*answer);
    co_return *error == rest_retriable_error ? Verdict::maybe_done : Verdict::refused;
  }
  tally_.last_trouble = trouble_of(*answer);
  wait = std::max(wait, retry_after(*answer));
  if (answer->status == 429 || answer->status == 503) co_return Verdict::not_done;
  co_return answer->status >= 500 ? Verdict::maybe_done : Verdict::refused;
}

io::Task<bool> Emulator::pause_until(io::Instant when) {
  while (!stopping_) {
    uint64_t version = stopped_.version();
    Status waited = co_await stopped_.wait_beyond(version, when);
    if (waited) continue;
    co_return waited.error().code() == Code::timeout;
  }
  co_return false;
}

io::Task<bool> Emulator::await_turn() {
  if (options_.posts_per_second <= 0) co_return !stopping_;
  // What could not be posted in time is made up for, but only for so long.
  constexpr Millis backlog_max{100};
  auto now = std::chrono::steady_clock::now();
  io::Instant turn = std::max(next_turn_, now - backlog_max);
  next_turn_ =
      turn + std::chrono::nanoseconds(static_cast<int64_t>(1e9 / options_.posts_per_second));
  if (turn <= now) co_return !stopping_;
  co_return co_await pause_until(turn);
}

}  // namespace pinpipe::source
