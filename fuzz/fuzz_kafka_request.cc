// A request of the Kafka protocol, from its header on, against a broker in a directory of its own.
// Whatever the bytes are: an answer with a frame that agrees with its size, or an error that closes
// the connection; memory of requests comes back. Waits are cancelled, so that no input takes long.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "base/check.h"
#include "base/log_line.h"
#include "broker/broker.h"
#include "doors/kafka/exchange.h"
#include "io/runtime.h"
#include "io/scope.h"

using namespace pinpipe;

namespace {

class Framed final : public kafka::Replies {
 public:
  io::Task<Status> send(std::span<const kafka::Piece> pieces) override {
    for (const kafka::Piece& piece : pieces) {
      CHECK(piece.file == nullptr, "small answers are bytes");
      bytes_.append(piece.bytes);
    }
    CHECK(bytes_.size() >= 8, "an answer has a size and a correlation id");
    CHECK(static_cast<size_t>(load_be<int32_t>(bytes_.data())) + 4 == bytes_.size(),
          "an answer is as large as it says");
    co_return Status{};
  }

 private:
  std::string bytes_;
};

// One broker for all inputs: topics and groups that they make stay, up to the bounds.
class Target {
 public:
  Target() {
    set_log_level(Level::error);
    static std::string directory = "/tmp/pinpipe-fuzz-XXXXXX";
    CHECK(::mkdtemp(directory.data()) != nullptr, "a temporary directory can be made");
    std::atexit([] { (void)io::posix_files().remove_tree(directory); });
    broker::Broker::Options options;
    options.log_directory = directory + "/log";
    options.state_path = directory + "/broker.db";
    options.partitions_max = 60;
    auto opened = broker::Broker::open(options, io::posix_files(), disk_, system_clock(),
                                       auth::Policy::open_for_local());
    CHECK(opened, "the broker opens");
    broker_ = std::move(*opened);
    cluster_ = broker_->cluster_as(auth::local_principal());
    broker::TopicSpec spec{.name = "t", .partitions = 2, .configs = {{"fsync", "os"}}};
    auto created = io::wait_on(runtime_.loop(0), cluster_->create(std::move(spec), false));
    CHECK(created, "a topic can be created");
    session_.reset(new kafka::Session{.cluster = *cluster_,
                                      .host = "127.0.0.1",
                                      .port = 9092,
                                      .peer = "fuzz",
                                      .fetches = kafka::FetchSessions(followed_)});
  }

  void ask(std::string_view request) {
    io::run_on(runtime_.loop(0), talk(request));
    CHECK(memory_->used_bytes() == 0, "nothing of a request is kept");
  }

 private:
  io::Task<> talk(std::string_view request) {
    std::vector<kafka::Frame> frames(1);
    frames[0].bytes = memory_->try_take(request.size());
    frames[0].size = request.size();
    std::ranges::copy(request, frames[0].bytes.get());
    io::Scope scope(io::Loop::current());
    scope.spawn("request", answer(std::move(frames)));
    scope.cancel();
    co_await scope.join();
  }
  io::Task<> answer(std::vector<kafka::Frame> frames) {
    Framed replies;
    kafka::Exchange exchange(*session_, replies, 1 << 20);
    (void)co_await exchange.answer(std::move(frames));
  }

  io::Runtime runtime_{{.loops = 1, .disk_threads = 1, .work_threads = 1}};
  io::InlinePool disk_;
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<broker::Cluster> cluster_;
  kafka::FollowedTotal followed_{1000};
  std::shared_ptr<kafka::RequestMemory> memory_ = std::make_shared<kafka::RequestMemory>(64 << 20);
  std::unique_ptr<kafka::Session> session_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Target& target = *new Target;  // never destroyed: the process ends with the fuzzer
  constexpr size_t smallest_request_bytes = 8;
  if (size >= smallest_request_bytes) target.ask({reinterpret_cast<const char*>(data), size});
  return 0;
}
