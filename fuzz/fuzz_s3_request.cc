// Whole requests to the S3 door over a bucket store on disk: method and target on the first line,
// header lines, an empty line, the body. Whatever comes, the answer is S3's (a status it has, an
// error's XML that can be read), and beside the buckets' own directory nothing appears on disk.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/check.h"
#include "codec/xml.h"
#include "doors/s3/door_on_disk.h"
#include "io/scope.h"

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
    s3_ = std::make_unique<s3::DoorOnDisk>(buckets, runtime_);
    CHECK(io::wait_on(runtime_.loop(0), s3_->store().create_bucket("bucket")), "a bucket");
  }
  ~House() {
    s3_.reset();
    (void)io::posix_files().remove_tree(root_);
  }

  void answer(http::Request& request, http::Response& response) {
    io::run_on(runtime_.loop(0), s3_->door().handle(request, response));
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
  std::unique_ptr<s3::DoorOnDisk> s3_;
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
