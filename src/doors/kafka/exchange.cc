#include "doors/kafka/exchange.h"

namespace pinpipe::kafka {
namespace {

constexpr int16_t api_versions_key = 18;
constexpr int16_t produce_key = 0;

// Size, correlation id, and for flexible versions no tags; ApiVersions never has them.
std::string head_of(const Call& call, const Api* api) {
  bool tagged = api != nullptr && api->is_flexible(call.version) && call.key != api_versions_key;
  std::string head;
  append_be(head, static_cast<int32_t>(call.out.size_bytes() + 4 + (tagged ? 1 : 0)));
  append_be(head, call.correlation_id);
  if (tagged) head.push_back('\0');
  return head;
}

}  // namespace

io::Task<Status> Exchange::answer(std::vector<Frame> frames) {
  std::deque<Pending> pending;
  Status broken;
  for (Frame& frame : frames) {
    broken = begin(std::move(frame), pending);
    if (!broken) break;
  }
  std::vector<Piece> pieces;
  std::deque<std::string> heads;
  size_t unsent_bytes = 0;
  for (Pending& one : pending) {
    Status done;
    if (one.begun) {
      done = co_await one.begun->finish(one.call);
    } else if (one.api == nullptr) {
      write_unsupported_api_versions(one.call.out);
    } else {
      done = co_await one.api->handle(one.call);
    }
    if (!done) co_return done;
    one.call.frame.reset();  // its memory is for others while later requests are waited for
    if (!one.call.wants_reply) continue;
    pieces.push_back({.bytes = heads.emplace_back(head_of(one.call, one.api))});
    one.call.out.pieces(pieces);
    unsent_bytes += one.call.out.size_bytes();
    if (unsent_bytes < unsent_bytes_max_) continue;
    if (Status sent = co_await send(pieces); !sent) co_return sent;
    unsent_bytes = 0;
  }
  if (Status sent = co_await send(pieces); !sent) co_return sent;
  co_return broken;
}

io::Task<Status> Exchange::send(std::vector<Piece>& pieces) {
  if (pieces.empty()) co_return Status{};
  Status sent = co_await replies_.send(pieces);
  pieces.clear();
  co_return sent;
}

Status Exchange::begin(Frame frame, std::deque<Pending>& pending) {
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
  Pending& one = pending.emplace_back(Pending{Call{.key = key,
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

}  // namespace pinpipe::kafka
