// A door over a bucket store in a temporary directory, and requests to it.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include "codec/xml.h"
#include "doors/s3/door_on_disk.h"
#include "io/scope.h"
#include "kit/fake_clock.h"
#include "kit/temporary_directory.h"

namespace pinpipe::s3 {

class Pieces final : public http::BodyReader {
 public:
  Pieces(std::string bytes, size_t step) : bytes_(std::move(bytes)), step_(step) {}
  io::Task<Result<size_t>> read_some(std::span<char> into) override {
    size_t count = std::min({step_, into.size(), bytes_.size() - at_});
    std::copy_n(bytes_.data() + at_, count, into.data());
    at_ += count;
    co_return count;
  }

 private:
  std::string bytes_;
  size_t step_;
  size_t at_ = 0;
};

class DoorFixture : public testing::Test {
 protected:
  using HeaderLines = std::vector<std::pair<std::string, std::string>>;

  DoorFixture() {
    open({});
    EXPECT_EQ(send("PUT", "/box").status, 200);
  }
  // Again, over the same directory.
  void open(const Door::Options& options) {
    s3.reset();
    s3 = std::make_unique<DoorOnDisk>(directory.path(), runtime, options, clock);
    CHECK(s3->keys().add({"AKIDEXAMPLE", "secret", "", auth::local_principal()}).has_value(),
          "a key");
  }

  http::Response send(std::string method, std::string target, std::string body = {},
                      HeaderLines headers = {}, size_t step = 0) {
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.headers.set("Host", "127.0.0.1:4566");
    for (const auto& [name, value] : headers) request.headers.set(name, value);
    if (!request.headers.has("Content-Length"))
      request.headers.set("Content-Length", std::to_string(body.size()));
    Pieces pieces(body, step);
    if (step > 0) {
      request.body_reader = &pieces;
    } else {
      request.body = std::move(body);
    }
    http::Response response;
    io::run_on(runtime.loop(0), s3->door().handle(request, response));
    return response;
  }
  static std::string code_of(const http::Response& response) {
    auto xml = codec::parse_xml(response.body);
    return xml ? std::string(xml->text_of("Code")) : "<" + response.body + ">";
  }
  static std::string header(const http::Response& response, std::string_view name) {
    return std::string(response.headers.find(name).value_or(""));
  }
  static std::string bytes_of(const http::Response& response) {
    if (!response.file) return response.body;
    std::string bytes(response.file->size, '\0');
    ssize_t got = ::pread(response.file->descriptor, bytes.data(), bytes.size(),
                          static_cast<off_t>(response.file->offset));
    return got == static_cast<ssize_t>(bytes.size()) ? bytes : "<short>";
  }

  kit::TemporaryDirectory directory;
  io::Runtime runtime{{.loops = 1, .disk_threads = 3, .work_threads = 1}};
  kit::FakeClock clock;
  std::unique_ptr<DoorOnDisk> s3;
};

}  // namespace pinpipe::s3
