// objects::RemoteStore against our own door, by HTTP: the contract of every store, and what only a
// remote one has to bear. The same contract runs against other people's servers in
// tests/clients/s3.
#include "objects/remote_store.h"

#include <gtest/gtest.h>

#include "doors/s3/door_on_disk.h"
#include "http/server.h"
#include "kit/store_contract.h"
#include "objects/passing_store.h"

namespace pinpipe::s3 {
namespace {

// A door on a port of its own, with the store behind it.
class Served {
 public:
  explicit Served(const std::string& root) : s3_(root, runtime_, {.auth_required = true}) {
    CHECK(s3_.keys().add({"AKIDEXAMPLE", "secret", "", auth::local_principal()}).has_value(),
          "a key");
    http::Server::Options options{.name = "s3"};
    options.plan_body = Door::plan_body;
    server_ = std::make_unique<http::Server>(
        runtime_, std::move(options),
        [this](http::Request& request, http::Response& response) -> io::Task<> {
          return answer(request, response);
        });
    auto port = server_->listen_tcp("localhost", 0);
    CHECK(port.has_value(), "a port");
    port_ = *port;
    server_->start();
  }
  ~Served() { server_->stop(); }

  uint16_t port() const { return port_; }
  objects::Store& behind() { return s3_.store(); }

  // What becomes of the next requests: lost before or after they are carried out.
  std::function<void(const http::Request&, http::Response&)> after;

 private:
  io::Task<> answer(http::Request& request, http::Response& response) {
    co_await s3_.door().handle(request, response);
    if (after) after(request, response);
  }

  io::Runtime runtime_{{.loops = 1, .disk_threads = 2, .work_threads = 1}};
  DoorOnDisk s3_;
  std::unique_ptr<http::Server> server_;
  uint16_t port_ = 0;
};

objects::RemoteStore::Options options_for(const Served& served, const std::string& root) {
  objects::RemoteStore::Options options;
  options.endpoint = "http://127.0.0.1:" + std::to_string(served.port());
  options.credential = {"AKIDEXAMPLE", "secret", "", {}};
  options.temporary_directory = root + "/.pinpipe/remote";
  return options;
}

std::unique_ptr<objects::RemoteStore> open_remote(objects::RemoteStore::Options options,
                                                  io::Pool& disk) {
  auto opened = objects::RemoteStore::open(std::move(options), disk);
  CHECK(opened.has_value(), "a remote store opens");
  return std::move(*opened);
}

// Owns its server. All calls go to the remote store.
struct RemoteParts {
  Served served;
  std::unique_ptr<objects::RemoteStore> remote;
};
class OwnedRemote final : RemoteParts, public objects::PassingStore {
 public:
  OwnedRemote(const std::string& root, io::Pool& disk)
      : RemoteParts{.served = Served(root), .remote = nullptr},
        PassingStore(*(remote = open_remote(options_for(served, root), disk))) {}

 private:
  io::Task<Result<Place>> place(const std::string& bucket, const std::string& key, Use) override {
    co_return Place{.store = remote.get(), .bucket = bucket, .key = key};
  }
};

class RemoteStoreTest : public testing::Test {
 protected:
  RemoteStoreTest() { EXPECT_TRUE(wait(remote->create_bucket("box"))); }
  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(runtime.loop(0), std::move(task));
  }

  kit::TemporaryDirectory directory;
  io::Runtime runtime{{.loops = 1, .disk_threads = 2, .work_threads = 1}};
  Served served{directory.path()};
  std::unique_ptr<objects::RemoteStore> remote =
      open_remote(options_for(served, directory.path()), runtime.disk());
};

TEST_F(RemoteStoreTest, a_conditional_put_whose_answer_was_lost_is_known_as_its_own) {
  int puts = 0;
  served.after = [&](const http::Request& request, http::Response& response) {
    if (request.method != "PUT" || ++puts > 1) return;
    response.clear();
    response.set_text(500, "lost");
  };
  objects::Condition absent{.if_absent = true, .if_etag = {}};
  auto mine = wait(remote->put("box", "log/0.json", "mine", {}, absent));
  ASSERT_TRUE(mine) << mine.error().text();
  EXPECT_EQ(puts, 1) << "it is there: nothing to send again";
  served.after = nullptr;
  auto other = wait(remote->put("box", "log/0.json", "other", {}, absent));
  EXPECT_EQ(other.error().code(), Code::conflict);
}

TEST_F(RemoteStoreTest, a_large_file_goes_in_parts_and_leaves_none_behind) {
  std::string bytes(objects::RemoteStore::part_bytes + 100'000, 'x');
  for (size_t i = 0; i < bytes.size(); i += 997) bytes[i] = static_cast<char>(i);
  std::string path = remote->new_temporary();
  ASSERT_TRUE(io::posix_files().replace(path, bytes));
  auto stored = wait(remote->adopt("box", path, "big", {}, {}));
  ASSERT_TRUE(stored) << stored.error().text();
  EXPECT_TRUE(stored->etag.ends_with("-2")) << stored->etag;
  EXPECT_FALSE(io::posix_files().exists(path));
  EXPECT_EQ(wait(remote->get("box", "big")), bytes);
  objects::Condition absent{.if_absent = true, .if_etag = {}};
  path = remote->new_temporary();
  ASSERT_TRUE(io::posix_files().replace(path, bytes + "y"));
  EXPECT_EQ(wait(remote->adopt("box", path, "big", {}, absent)).error().code(), Code::conflict);
  EXPECT_TRUE(wait(remote->remove("box", "big")));
  EXPECT_TRUE(wait(remote->remove_bucket("box"))) << "aborted uploads are no objects";
}

TEST_F(RemoteStoreTest, a_large_object_that_is_replaced_gives_no_mixed_bytes) {
  std::string bytes(objects::RemoteStore::open_bytes_max + 10, 'a');
  ASSERT_TRUE(wait(remote->put("box", "k", bytes, {}, {})));
  auto opened = wait(remote->open("box", "k"));
  ASSERT_TRUE(opened);
  ASSERT_TRUE(wait(remote->put("box", "k", std::string(bytes.size(), 'b'), {}, {})));
  std::string back(10, '-');
  auto read = [](objects::OpenObject& object, std::span<char> into,
                 uint64_t offset) -> io::Task<Result<size_t>> {
    co_return co_await object.read_at(into, offset);
  };
  EXPECT_EQ(*wait(read(**opened, back, 0)), 10U);
  EXPECT_EQ(back, "aaaaaaaaaa");
  auto late = wait(read(**opened, back, objects::RemoteStore::open_bytes_max));
  EXPECT_EQ(late.error().code(), Code::conflict);
}

TEST_F(RemoteStoreTest, a_wrong_secret_is_denied) {
  auto options = options_for(served, directory.path());
  options.credential.secret = "wrong";
  auto stranger = open_remote(std::move(options), runtime.disk());
  EXPECT_EQ(wait(stranger->get("box", "k")).error().code(), Code::denied);
}

TEST_F(RemoteStoreTest, addresses_are_by_path_or_by_host) {
  EXPECT_EQ(remote->url_of("box", "a b/c?.json").target, "/box/a%20b/c%3F.json");
  auto options = options_for(served, directory.path());
  options.endpoint = "http://s3.localhost:4566";
  options.path_style = false;
  auto by_host = open_remote(options, runtime.disk());
  EXPECT_EQ(by_host->url_of("box", "k").host, "box.s3.localhost");
  EXPECT_EQ(by_host->url_of("box", "k").target, "/k");
  EXPECT_EQ(by_host->url_of("bo.x", "k").target, "/bo.x/k") << "no certificate matches two labels";
  options.endpoint = "";
  options.region = "eu-west-1";
  auto amazon = open_remote(options, runtime.disk());
  EXPECT_EQ(amazon->url_of("box", "k").host, "box.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(amazon->url_of("box", "k").scheme, "https");
}

TEST_F(RemoteStoreTest, a_link_needs_no_key_until_it_is_over) {
  ASSERT_TRUE(wait(remote->put("box", "k", "bytes", {}, {})));
  auto fetch = [&](std::string link) {
    auto one = [](std::string to) -> io::Task<Result<http::Response>> {
      http::Client client;
      http::Request request;
      request.method = "GET";
      auto url = http::Url::parse(to);
      co_return co_await client.fetch(*url, request, io::after(Millis(10'000)));
    };
    return wait(one(std::move(link)));
  };
  std::string link = remote->presign("GET", "box", "k", 60);
  EXPECT_EQ(fetch(link)->body, "bytes");
  EXPECT_EQ(fetch(link + "0")->status, 403);
  EXPECT_EQ(fetch(link.replace(link.find("/box/k"), 6, "/box/j"))->status, 403);
}

}  // namespace
}  // namespace pinpipe::s3

namespace pinpipe::kit {
namespace {

std::unique_ptr<objects::Store> make_remote(const std::string& root, io::Pool& disk) {
  return std::make_unique<s3::OwnedRemote>(root, disk);
}

INSTANTIATE_TEST_SUITE_P(OurDoor, StoreContract,
                         testing::Values(StoreMaker{"remote_store", make_remote, true, true, false,
                                                    false}),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace pinpipe::kit
