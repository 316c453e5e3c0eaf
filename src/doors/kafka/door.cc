#include "doors/kafka/door.h"

#include <charconv>

#include "base/log_line.h"
#include "doors/kafka/exchange.h"
#include "io/peer.h"

namespace pinpipe::kafka {
namespace {

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

// One connection: bursts of requests in, responses out in the same order.
class Connection final : public Replies {
 public:
  Connection(const Door::Options& options, io::Stream& stream, broker::Cluster& cluster,
             RequestMemory& memory, FollowedTotal& followed)
      : options_(options),
        stream_(stream),
        frames_(stream, memory, options.request_bytes_max),
        session_{.cluster = cluster,
                 .host = {},
                 .port = 0,
                 .peer = stream.peer(),
                 .fetches = FetchSessions(followed)},
        exchange_(session_, *this, options.burst_bytes_max) {
    auto [host, port] = parts_of(stream.own_address());
    session_.host = options.advertised_host.empty() ? host : options.advertised_host;
    session_.port = options.advertised_port == 0 ? port : options.advertised_port;
  }

  // Until the peer has finished, or an error says why not.
  io::Task<Status> serve() {
    while (true) {
      io::Instant deadline = io::after(options_.idle_timeout);
      stream_.set_deadline(deadline);
      auto frames = co_await frames_.next_burst(options_.burst_bytes_max, deadline);
      if (!frames) co_return frames.error();
      if (frames->empty()) co_return Status{};
      Status done = co_await exchange_.answer(std::move(*frames));
      if (!done) co_return done;
    }
  }

  io::Task<Status> send(std::span<const Piece> pieces) override {
    stream_.set_deadline(io::after(options_.idle_timeout));
    std::vector<std::string_view> bytes;
    for (const Piece& piece : pieces) {
      if (piece.file == nullptr) {
        bytes.push_back(piece.bytes);
        continue;
      }
      if (Status sent = co_await stream_.write(bytes); !sent) co_return sent;
      bytes.clear();
      Status sent = co_await stream_.send_file(piece.file->file->descriptor(), piece.file->offset,
                                               piece.file->count);
      if (!sent) co_return sent;
    }
    co_return co_await stream_.write(bytes);
  }

 private:
  const Door::Options& options_;
  io::Stream& stream_;
  FrameReader frames_;
  Session session_;
  Exchange exchange_;
};

}  // namespace

Door::Door(Options options, io::Runtime& runtime, broker::Broker& broker)
    : options_(std::move(options)),
      broker_(broker),
      memory_(std::make_shared<RequestMemory>(options_.request_memory_max)),
      followed_(options_.followed_partitions_max),
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
  auto cluster = broker_.cluster_as(io::is_loopback(stream->peer()) ? auth::local_principal()
                                                                    : auth::anonymous_principal());
  Connection connection(options_, *stream, *cluster, *memory_, followed_);
  Status served = co_await connection.serve();
  if (!served && served.error().code() == Code::invalid)
    log_warn("kafka", "a connection was closed for what it sent",
             {{"peer", stream->peer()}, {"reason", served.error().text()}});
}

}  // namespace pinpipe::kafka
