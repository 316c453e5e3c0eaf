#include "doors/kafka/door.h"

#include <cstdio>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "doors/kafka/call.h"
#include "io/scope.h"
#include "kit/temporary_directory.h"

namespace pinpipe::kafka {
namespace {

class DoorTest : public testing::Test {
 protected:
  DoorTest() {
    broker::Broker::Options options;
    options.log_directory = directory_.path() + "/log";
    options.state_path = directory_.path() + "/broker.db";
    auto opened = broker::Broker::open(options, io::posix_files(), runtime_.disk(), system_clock(),
                                       auth::Policy::open_for_local());
    CHECK(opened, "the broker opens");
    broker_ = std::move(*opened);
    door_ = std::make_unique<Door>(Door::Options{}, runtime_, *broker_);
    auto port = door_->listen("localhost", 0);
    CHECK(port, "a port is free");
    port_ = *port;
    door_->start();
    scope_ = std::make_unique<io::Scope>(runtime_.loop(0));
    auto begin = [this]() -> io::Task<> {
      scope_->spawn("broker", broker_->run());
      co_return;
    };
    io::run_on(runtime_.loop(0), begin());
  }
  ~DoorTest() override {
    door_->stop();
    auto end = [this]() -> io::Task<> {
      scope_->cancel();
      co_await scope_->join();
    };
    io::run_on(runtime_.loop(0), end());
    EXPECT_TRUE(io::wait_on(runtime_.loop(0), broker_->close()));
  }

  // Output of a shell command; its exit code must be 0. %B is replaced by host:port.
  std::string shell(std::string command) {
    for (size_t at; (at = command.find("%B")) != std::string::npos;)
      command.replace(at, 2, "localhost:" + std::to_string(port_));
    FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    std::string output;
    char part[4096];
    for (size_t got; (got = std::fread(part, 1, sizeof part, pipe)) > 0;) output.append(part, got);
    int status = ::pclose(pipe);
    EXPECT_EQ(WEXITSTATUS(status), 0) << command << "\n" << output;
    return output;
  }

  // Sends raw bytes and gives what comes back until `want` bytes or the end.
  std::string exchange(std::string bytes, size_t want) {
    auto talk = [this, bytes = std::move(bytes), want]() -> io::Task<std::string> {
      std::string answer;
      auto stream = co_await io::connect_tcp("127.0.0.1", port_, io::after(Millis(5000)));
      if (!stream) co_return answer;
      (*stream)->set_deadline(io::after(Millis(5000)));
      (void)co_await (*stream)->write(bytes);
      while (answer.size() < want) {
        char part[4096];
        auto got = co_await (*stream)->read_some(part);
        if (!got || *got == 0) break;
        answer.append(part, *got);
      }
      co_return answer;
    };
    return io::wait_on(runtime_.loop(0), talk());
  }
  static std::string framed(std::string request) {
    std::string frame;
    append_be(frame, static_cast<int32_t>(request.size()));
    return frame + request;
  }
  static std::string head(int16_t key, int16_t version, bool flexible = false) {
    std::string request;
    append_be(request, key);
    append_be(request, version);
    append_be(request, int32_t{77});
    append_be(request, int16_t{-1});
    if (flexible) request.push_back('\0');
    return request;
  }

  kit::TemporaryDirectory directory_;
  io::Runtime runtime_{{.loops = 2, .disk_threads = 2, .work_threads = 1}};
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<Door> door_;
  std::unique_ptr<io::Scope> scope_;
  uint16_t port_ = 0;
};

TEST_F(DoorTest, kcat_produces_and_consumes_with_every_codec) {
  ASSERT_EQ(shell("which kcat >/dev/null && echo there"), "there\n") << "kcat is not installed";
  for (std::string codec : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    std::string topic = "t-" + codec;
    shell("seq 1 2000 | kcat -b %B -P -t " + topic + " -z " + codec);
    EXPECT_EQ(shell("kcat -q -b %B -C -e -o beginning -t " + topic + " | md5sum"),
              shell("seq 1 2000 | md5sum"))
        << codec;
    auto log =
        broker_->cluster_as(auth::local_principal())->partition(topic, 0, auth::Action::read);
    ASSERT_TRUE(log);
    auto slice = (*log)->read(0, 1 << 20);
    ASSERT_TRUE(slice);
    log::BatchHeader header = log::read_header(slice->bytes());
    EXPECT_EQ(header.codec() == 0, codec == "none")
        << "the client has really compressed: " << codec;
  }
  std::string listing = shell("kcat -b %B -L");
  EXPECT_NE(listing.find("topic \"t-zstd\" with 1 partitions"), std::string::npos) << listing;
  EXPECT_NE(listing.find("1 brokers"), std::string::npos) << listing;
}

TEST_F(DoorTest, kcat_keeps_keys_headers_and_times) {
  shell("printf 'k1:v1\\nk2:v2\\n' | kcat -b %B -P -t orders -K: -H a=b");
  EXPECT_EQ(shell("kcat -q -b %B -C -e -o beginning -t orders -f '%k %s %h %o\\n'"),
            "k1 v1 a=b 0\nk2 v2 a=b 1\n");
  EXPECT_EQ(shell("kcat -q -b %B -C -e -o -1 -t orders -f '%s\\n'"), "v2\n");
  EXPECT_EQ(shell("kcat -q -b %B -Q -t orders:0:0"), "orders [0] offset 0\n");
}

TEST_F(DoorTest, kcat_produces_idempotently) {
  shell("seq 1 5000 | kcat -b %B -P -t orders -X enable.idempotence=true -X linger.ms=0");
  EXPECT_EQ(shell("kcat -q -b %B -C -e -o beginning -t orders | md5sum"),
            shell("seq 1 5000 | md5sum"));
}

TEST_F(DoorTest, kcat_consumes_in_a_group_and_goes_on_where_it_stopped) {
  shell("seq 1 1000 | kcat -b %B -P -t orders");
  std::string consume =
      "kcat -q -b %B -e -X auto.offset.reset=earliest -X session.timeout.ms=6000 -G g orders";
  EXPECT_EQ(shell(consume + " | md5sum"), shell("seq 1 1000 | md5sum"));
  EXPECT_EQ(shell(consume), "");
  shell("seq 1001 1010 | kcat -b %B -P -t orders");
  EXPECT_EQ(shell(consume), shell("seq 1001 1010"));
}

TEST_F(DoorTest, frames_of_impossible_sizes_close_the_connection) {
  for (int32_t size : {-1, 0, 7, (100 << 20) + 1, 0x7fffffff}) {
    std::string frame;
    append_be(frame, size);
    EXPECT_EQ(exchange(frame + "xxxxxxxxxxxx", 1), "") << size;
  }
}

TEST_F(DoorTest, arrays_that_claim_too_much_close_the_connection) {
  std::string metadata = head(3, 1);
  append_be(metadata, int32_t{0x7fffffff});
  EXPECT_EQ(exchange(framed(metadata), 1), "");
  std::string produce = head(0, 7);
  append_be(produce, int16_t{-1});
  append_be(produce, int16_t{-1});
  append_be(produce, int32_t{1000});
  append_be(produce, int32_t{0x7fffffff});
  EXPECT_EQ(exchange(framed(produce), 1), "");
  EXPECT_EQ(exchange(framed(head(99, 0)), 1), "") << "an unknown API";
  EXPECT_EQ(exchange(framed(head(0, 2)), 1), "") << "Produce below 3 is advertised, not served";
}

TEST_F(DoorTest, an_unknown_version_of_api_versions_is_answered_in_version_0) {
  std::string answer = exchange(framed(head(18, 99)), 14);
  Reader reader(answer);
  EXPECT_EQ(reader.be<int32_t>(), static_cast<int32_t>(answer.size()) - 4);
  EXPECT_EQ(reader.be<int32_t>(), 77);
  EXPECT_EQ(reader.be<int16_t>(), 35);
  EXPECT_EQ(reader.be<int32_t>(), static_cast<int32_t>(apis().size()));
}

TEST_F(DoorTest, requests_that_come_together_are_answered_in_order) {
  std::string first = head(3, 1);
  append_be(first, int32_t{0});
  std::string both = framed(first) + framed(head(18, 0));
  both.replace(4 + 4, 4, std::string("\0\0\0\1", 4));
  std::string answer = exchange(both, 100);
  Reader reader(answer);
  auto size = reader.be<int32_t>();
  EXPECT_EQ(reader.be<int32_t>(), 1);
  reader.take(size - 4);
  reader.be<int32_t>();
  EXPECT_EQ(reader.be<int32_t>(), 77);
}

TEST_F(DoorTest, the_floors_that_old_clients_look_for_are_advertised) {
  auto lies_in = [](int16_t key, int16_t version) {
    const Api* api = find_api(key);
    return api != nullptr && api->lowest <= version && version <= api->highest;
  };
  for (auto [key, version] : {std::pair<int16_t, int16_t>{0, 0},
                              {0, 3},
                              {0, 7},
                              {1, 4},
                              {1, 10},
                              {2, 1},
                              {22, 0},
                              {23, 2},
                              {18, 0},
                              {10, 0},
                              {11, 0},
                              {12, 0},
                              {13, 0},
                              {14, 0},
                              {9, 1},
                              {8, 1},
                              {8, 2},
                              {15, 0},
                              {16, 0}})
    EXPECT_TRUE(lies_in(key, version)) << key << " " << version;
}

}  // namespace
}  // namespace pinpipe::kafka
