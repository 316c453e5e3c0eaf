#include "doors/kafka/door.h"

#include <charconv>
#include <deque>

#include "base/log_line.h"
#include "doors/kafka/call.h"
#include "doors/kafka/frames.h"

namespace pinpipe::kafka {
namespace {

constexpr int16_t api_versions_key = 18;
constexpr int16_t produce_key = 0;

// "127.0.0.1:9092" or "[::1]:9092".
std::pair<std::string, int32_t> parts_of(const std::string& address) {
  size_t colon = address.rfind(':');
  if (colon == std::string::npos) return {"127.0.0.1", 0};
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  int32_t port = 0;
  std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
  return {host, port};
}

bool is_loopback(std::string_view peer) {
  return peer.starts_with("127.") || peer.starts_with("[::1]") ||
         peer.starts_with("[::ffff:127.") || peer == "local";
}

// One connection: bursts of requests in, responses out in the same order.
class Connection {
 public:
  Connection(const Door::Options& options, io::Stream& stream, broker::Cluster& cluster)
      : options_(options),
        stream_(stream),
        frames_(stream, options.request_bytes_max),
        session_{.cluster = cluster, .host = {}, .port = 0, .peer = stream.peer()} {
    auto [host, port] = parts_of(stream.own_address());
    session_.host = options.advertised_host.empty() ? host : options.advertised_host;
    session_.port = options.advertised_port == 0 ? port : options.advertised_port;
  }

  // Until the peer has finished, or an error says why not.
  io::Task<Status> serve() {
    while (true) {
      stream_.set_deadline(io::after(options_.idle_timeout));
      auto frames = co_await frames_.next_burst(options_.burst_bytes_max);
      if (!frames) co_return frames.error();
      if (frames->empty()) co_return Status{};
      Status done = co_await answer(std::move(*frames));
      if (!done) co_return done;
    }
  }

 private:
  struct Pending {
    Call call;
    const Api* api;
    std::unique_ptr<Begun> begun;
  };

  io::Task<Status> answer(std::vector<Frame> frames) {
    std::deque<Pending> pending;
    Status broken;
    for (Frame& frame : frames) {
      broken = begin(std::move(frame), pending);
      if (!broken) break;  // what came before it is still answered
    }
    std::vector<std::string_view> pieces;
    std::deque<std::string> heads;
    size_t unsent_bytes = 0;
    for (Pending& one : pending) {
      Status done = one.begun ? co_await one.begun->finish(one.call) : co_await run(one);
      if (!done) co_return done;
      if (!one.call.wants_reply) continue;
      add_head(one, heads, pieces);
      one.call.out.pieces(pieces);
      unsent_bytes += one.call.out.size_bytes();
      if (unsent_bytes < options_.burst_bytes_max) continue;
      if (Status sent = co_await send(pieces); !sent) co_return sent;
      unsent_bytes = 0;
    }
    if (Status sent = co_await send(pieces); !sent) co_return sent;
    co_return broken;
  }

  io::Task<Status> send(std::vector<std::string_view>& pieces) {
    if (pieces.empty()) co_return Status{};
    stream_.set_deadline(io::after(options_.idle_timeout));
    Status sent = co_await stream_.write(pieces);
    pieces.clear();
    co_return sent;
  }

  Status begin(Frame frame, std::deque<Pending>& pending) {
    std::string_view bytes(frame.bytes.get(), frame.size);
    Decoder head(bytes, false);
    auto key = head.number<int16_t>();
    auto version = head.number<int16_t>();
    auto correlation_id = head.number<int32_t>();
    const Api* api = find_api(key);
    if (api == nullptr) return Error(Code::invalid, "API key " + std::to_string(key));
    bool known = version >= api->lowest_served && version <= api->highest;
    if (!known && key != api_versions_key)
      return Error(Code::invalid, std::string(api->name) + " version " + std::to_string(version));
    bool flexible = known && api->is_flexible(version);
    auto client_id = known ? head.maybe_text() : std::nullopt;
    if (head.failed()) return malformed("header of a");
    Decoder in(bytes.substr(bytes.size() - head.remaining()), flexible);
    in.tags();
    Pending& one =
        pending.emplace_back(Pending{Call{.key = key,
                                          .version = version,
                                          .correlation_id = correlation_id,
                                          .client_id = std::string(client_id.value_or("")),
                                          .frame = std::move(frame.bytes),
                                          .session = session_,
                                          .in = in,
                                          .out = Encoder(flexible)},
                                     known ? api : nullptr, nullptr});
    if (key != produce_key) return {};
    auto begun = begin_produce(one.call);
    if (!begun) {
      pending.pop_back();
      return begun.error();
    }
    one.begun = std::move(*begun);
    return {};
  }

  static io::Task<Status> run(Pending& one) {
    if (one.api == nullptr) {
      write_unsupported_api_versions(one.call.out);
      co_return Status{};
    }
    co_return co_await one.api->handle(one.call);
  }

  // Size, correlation id, and for flexible versions no tags; ApiVersions never has them.
  static void add_head(const Pending& one, std::deque<std::string>& heads,
                       std::vector<std::string_view>& pieces) {
    bool tagged = one.api != nullptr && one.api->is_flexible(one.call.version) &&
                  one.call.key != api_versions_key;
    std::string& head = heads.emplace_back();
    append_be(head, static_cast<int32_t>(one.call.out.size_bytes() + 4 + (tagged ? 1 : 0)));
    append_be(head, one.call.correlation_id);
    if (tagged) head.push_back('\0');
    pieces.push_back(head);
  }

  const Door::Options& options_;
  io::Stream& stream_;
  FrameReader frames_;
  Session session_;
};

}  // namespace

Door::Door(Options options, io::Runtime& runtime, broker::Broker& broker)
    : options_(std::move(options)),
      broker_(broker),
      server_(runtime, {.name = "kafka", .connections_max = options_.connections_max},
              [this](std::unique_ptr<io::Stream> stream) { return serve(std::move(stream)); }) {}

Door::~Door() = default;

Result<uint16_t> Door::listen(const std::string& address, uint16_t port) {
  return server_.listen_tcp(address, port);
}
void Door::start() {
  server_.start();
}
void Door::stop() {
  server_.stop();
}
size_t Door::connection_count() const {
  return server_.connection_count();
}

io::Task<> Door::serve(std::unique_ptr<io::Stream> stream) {
  auto cluster = broker_.cluster_as(is_loopback(stream->peer()) ? auth::local_principal()
                                                                : auth::anonymous_principal());
  Connection connection(options_, *stream, *cluster);
  Status served = co_await connection.serve();
  if (!served && served.error().code() == Code::invalid)
    log_warn("kafka", "a connection was closed for what it sent",
             {{"peer", stream->peer()}, {"reason", served.error().text()}});
}

}  // namespace pinpipe::kafka
