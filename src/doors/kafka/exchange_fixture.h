// For tests of the protocol without sockets: a broker, an exchange, and requests built by hand.
#pragma once

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "broker/broker.h"
#include "doors/kafka/exchange.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "kit/temporary_directory.h"

namespace pinpipe::kafka {

// Collects what is sent; parts of files are read.
struct Collected final : Replies {
  std::string bytes;
  size_t file_pieces = 0;

  io::Task<Status> send(std::span<const Piece> pieces) override {
    for (const Piece& piece : pieces) {
      bytes.append(piece.bytes);
      if (piece.file == nullptr) continue;
      ++file_pieces;
      std::string part(piece.file->count, '\0');
      auto got = piece.file->file->read_at(part, piece.file->offset);
      EXPECT_EQ(got.value_or(0), part.size());
      bytes.append(part);
    }
    co_return Status{};
  }
};

class ExchangeFixture : public testing::Test {
 protected:
  ExchangeFixture() : ExchangeFixture(io::posix_files()) {}
  explicit ExchangeFixture(io::Files& files) {
    broker::Broker::Options options;
    options.log_directory = directory_.path() + "/log";
    options.state_path = directory_.path() + "/broker.db";
    auto opened = broker::Broker::open(options, files, runtime_.disk(), system_clock(),
                                       auth::Policy::open_for_local());
    CHECK(opened, "the broker opens");
    broker_ = std::move(*opened);
    cluster_ = broker_->cluster_as(auth::local_principal());
    session_.reset(new Session{.cluster = *cluster_,
                               .host = "127.0.0.1",
                               .port = 9092,
                               .peer = "test",
                               .fetches = FetchSessions(followed_)});
  }
  ~ExchangeFixture() override {
    session_.reset();
    EXPECT_TRUE(io::wait_on(runtime_.loop(0), broker_->close()));
  }

  static std::string head(int16_t key, int16_t version) {
    std::string request;
    append_be(request, key);
    append_be(request, version);
    append_be(request, int32_t{77});
    append_be(request, int16_t{-1});
    const Api* api = find_api(key);
    if (api != nullptr && api->is_flexible(version)) request.push_back('\0');
    return request;
  }
  // What comes back, without size and correlation id; what went wrong is in closed_.
  std::string ask(const std::string& request) {
    std::vector<Frame> frames(1);
    frames[0].bytes = memory_->try_take(request.size());
    frames[0].size = request.size();
    std::ranges::copy(request, frames[0].bytes.get());
    collected_ = {};
    auto talk = [&]() -> io::Task<Status> {
      Exchange exchange(*session_, collected_, 1 << 20);
      co_return co_await exchange.answer(std::move(frames));
    };
    closed_ = io::wait_on(runtime_.loop(0), talk());
    if (collected_.bytes.size() < 8) return {};
    EXPECT_EQ(load_be<int32_t>(collected_.bytes.data()),
              static_cast<int32_t>(collected_.bytes.size()) - 4);
    return collected_.bytes.substr(8);
  }
  void produce(std::string_view topic, int32_t partition, std::string value) {
    log::BatchBuilder builder;
    builder.add({.key = {}, .value = value, .timestamp_ms = {}, .headers = {}}, 1000);
    Encoder body(false);
    body.maybe_text(std::nullopt);
    body.number(int16_t{-1});
    body.number(int32_t{1000});
    body.count(1);
    body.text(topic);
    body.count(1);
    body.number(partition);
    body.bytes(std::move(builder).finish());
    std::string answer = ask(head(0, 7) + bytes_of(body));
    Reader reader(answer);
    reader.be<int32_t>();
    reader.take(reader.be<int16_t>());
    reader.be<int32_t>();
    reader.be<int32_t>();
    EXPECT_EQ(reader.be<int16_t>(), 0);
  }
  static std::string bytes_of(const Encoder& body) {
    std::vector<Piece> pieces;
    body.pieces(pieces);
    std::string bytes;
    for (const Piece& piece : pieces) bytes.append(piece.bytes);
    return bytes;
  }
  broker::TopicPointer create(std::string name, int32_t partitions) {
    broker::TopicSpec spec{.name = std::move(name), .partitions = partitions, .configs = {}};
    auto created = io::wait_on(runtime_.loop(0), cluster_->create(std::move(spec), false));
    CHECK(created, "a topic can be created");
    return *created;
  }

  kit::TemporaryDirectory directory_;
  io::Runtime runtime_{{.loops = 1, .disk_threads = 2, .work_threads = 1}};
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<broker::Cluster> cluster_;
  FollowedTotal followed_{100};
  std::shared_ptr<RequestMemory> memory_ = std::make_shared<RequestMemory>(200 << 20);
  std::unique_ptr<Session> session_;
  Collected collected_;
  Status closed_;
};

}  // namespace pinpipe::kafka
