// Whole requests to the S3 door over a bucket store on disk: method and target on the first line,
// header lines, an empty line, the body. Whatever comes, the answer is S3's (a status it has, an
// error's XML that can be read), and beside the buckets' own directory nothing appears on disk.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/check.h"
#include "codec/xml.h"
#include "doors/s3/door.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "objects/bucket_store.h"

using namespace pinpipe;

namespace {

// One for the whole run: objects come and go in it.
class House {
 public:
  House() {
    CHECK(::mkdtemp(root_.data()) != nullptr, "a directory");
    // The buckets lie deep, so that paths that lead upwards still end where we look.
    std::string buckets = root_ + "/a/b/c/buckets";
    CHECK(io::posix_files().make_directories(buckets), "a directory");
    auto opened = objects::BucketStore::open({.root = buckets}, runtime_.disk());
    CHECK(opened.has_value(), "a store");
    store_ = std::move(*opened);
    uploads_ =
        std::make_unique<objects::Uploads>(objects::LocalOptions{.root = buckets}, runtime_.disk());
    auto all = std::make_shared<const auth::Policy>(auth::Policy::open_for_local());
    objects_ = std::make_unique<objects::Objects>(*store_, [all] { return all; });
    door_ = std::make_unique<s3::Door>(
        s3::Door::Parts{*objects_, *uploads_, [this] { return keys_; }, runtime_.disk()},
        s3::Door::Options{});
    CHECK(io::wait_on(runtime_.loop(0), store_->create_bucket("bucket")), "a bucket");
  }
  ~House() {
    store_.reset();
    (void)io::posix_files().remove_tree(root_);
  }

  void answer(http::Request& request, http::Response& response) {
    io::run_on(runtime_.loop(0), door_->handle(request, response));
  }
  void check_disk() const {
    for (auto [folder, only] : {std::pair("", "a"), std::pair("/a", "b"), std::pair("/a/b", "c"),
                                std::pair("/a/b/c", "buckets")}) {
      auto there = io::posix_files().list(root_ + folder);
      CHECK(there && there->size() == 1 && there->front().name == only,
            "nothing appears beside the buckets");
    }
  }

 private:
  std::string root_ = "/tmp/fuzz-s3-XXXXXX";
  io::Runtime runtime_{{.loops = 1, .disk_threads = 2, .work_threads = 1}};
  std::unique_ptr<objects::BucketStore> store_;
  std::unique_ptr<objects::Uploads> uploads_;
  std::unique_ptr<objects::Objects> objects_;
  std::shared_ptr<auth::Credentials> keys_ = std::make_shared<auth::Credentials>();
  std::unique_ptr<s3::Door> door_;
};

std::string_view take_line(std::string_view& rest) {
  const size_t end = std::min(rest.find('\n'), rest.size());
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

http::Request request_of(std::string_view input) {
  http::Request request;
  std::string_view first = take_line(input);
  request.method = first.substr(0, first.find(' '));
  request.target = "/bucket/";
  request.target += first.substr(std::min(request.method.size() + 1, first.size()));
  while (!input.empty()) {
    std::string_view line = take_line(input);
    if (line.empty()) break;
    std::string_view name = line.substr(0, line.find(':'));
    request.headers.add(std::string(name),
                        std::string(line.substr(std::min(name.size() + 1, line.size()))));
  }
  request.body = input;
  request.headers.set("Content-Length", std::to_string(request.body.size()));
  return request;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static House house;
  static uint64_t runs = 0;
  http::Request request = request_of({reinterpret_cast<const char*>(data), size});
  http::Response response;
  house.answer(request, response);
  CHECK(response.status >= 200 && response.status <= 501, "a status that S3 has");
  CHECK(response.status != 500, "nothing is an internal error");
  bool is_error = response.status >= 400 && request.method != "HEAD";
  if (is_error) {
    auto error = codec::parse_xml(response.body);
    CHECK(error && error->name == "Error" && !error->text_of("Code").empty(),
          "an error has a code");
  }
  if (++runs % 256 == 0) house.check_disk();
  return 0;
}
