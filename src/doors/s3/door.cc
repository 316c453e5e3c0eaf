#include "doors/s3/door.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "base/id.h"
#include "doors/s3/multipart.h"

namespace pinpipe::s3 {
namespace {

constexpr uint64_t collected_bytes_max = 256 * 1024;
constexpr uint64_t xml_bytes_max = 8 << 20;

bool is_unsupported_method(std::string_view method) {
  return method != "GET" && method != "HEAD" && method != "PUT" && method != "POST" &&
         method != "DELETE";
}

std::string_view host_without_port(std::string_view host) {
  if (host.starts_with('[')) return host;
  return host.substr(0, host.find(':'));
}

// The label in front of the longest base domain that the host ends with; empty when there is none.
std::string bucket_of_host(std::string_view host, const std::vector<std::string>& domains) {
  size_t longest = 0;
  for (const std::string& domain : domains) {
    // The domain itself is an endpoint, also where it lies below a shorter one.
    if (host == domain) return {};
    bool below = host.size() > domain.size() + 1 && host.ends_with(domain) &&
                 host[host.size() - domain.size() - 1] == '.';
    if (below) longest = std::max(longest, domain.size());
  }
  return longest == 0 ? std::string() : std::string(host.substr(0, host.size() - longest - 1));
}

}  // namespace

Door::Door(Parts parts, Options options) : parts_(std::move(parts)), options_(std::move(options)) {}

http::Handler Door::handler() const {
  return [this](http::Request& request, http::Response& response) {
    return handle(request, response);
  };
}

http::BodyPlan Door::plan_body(const http::Request& head) {
  http::BodyPlan plan;
  plan.decode = false;
  plan.bytes_max = is_form(head) ? form_bytes_max : xml_bytes_max;
  if (head.method != "PUT") return plan;
  uint64_t length = collected_bytes_max + 1;
  if (auto text = head.headers.find("Content-Length"))
    std::from_chars(text->data(), text->data() + text->size(), length);
  plan.stream = length > collected_bytes_max;
  plan.bytes_max = 6ULL << 30;  // the framing comes on top of the largest object
  return plan;
}

io::Task<> Door::handle(http::Request& request, http::Response& response) const {
  Call call{.request = request,
            .response = response,
            .bucket = {},
            .key = {},
            .query = {},
            .store = parts_.objects.as(auth::anonymous_principal()),
            .request_id = to_hex(random_bytes(8)),
            .verified = std::nullopt};
  for (char& c : call.request_id) c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  Outcome done = address(call);
  if (done) done = authenticate(call);
  if (done) done = co_await answer(call);
  if (!done) answer_failure(call, done.error());
  response.headers.set("x-amz-request-id", call.request_id);
  response.headers.set("x-amz-id-2", call.request_id);
  response.headers.set("Server", "AmazonS3");
}

Outcome Door::address(Call& call) const {
  auto query = codec::parse_query(call.request.query(), false);
  if (!query) return failure("InvalidURI", query.error().text());
  call.query = std::move(*query);
  std::string_view path = call.request.path();
  if (!path.starts_with('/')) return failure("InvalidURI", "Couldn't parse the specified URI.");
  path.remove_prefix(1);
  std::string_view host = host_without_port(call.header("Host"));
  call.bucket = bucket_of_host(host, options_.base_domains);
  if (call.bucket.empty()) {
    size_t end = std::min(path.find('/'), path.size());
    auto bucket = codec::percent_decode(path.substr(0, end));
    if (!bucket) return failure("InvalidURI", "Couldn't parse the specified URI.");
    call.bucket = std::move(*bucket);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  auto key = codec::percent_decode(path);
  if (!key) return failure("InvalidURI", "Couldn't parse the specified URI.");
  call.key = std::move(*key);
  return {};
}

io::Task<Outcome> Door::answer(Call& call) const {
  if (is_unsupported_method(call.request.method))
    return [](Call&) -> io::Task<Outcome> {
      co_return failure("MethodNotAllowed",
                        "The specified method is not allowed against this resource.");
    }(call);
  if (call.bucket.empty()) return answer_service(call);
  return call.key.empty() ? answer_bucket(call) : answer_object(call);
}

io::Task<Outcome> Door::answer_service(Call& call) const {
  if (call.request.method == "GET" || call.request.method == "HEAD")
    co_return co_await list_buckets(call, options_.region);
  co_return failure("MethodNotAllowed",
                    "The specified method is not allowed against this resource.");
}

io::Task<Outcome> Door::answer_bucket(Call& call) const {
  const std::string& method = call.request.method;
  if (method == "HEAD") co_return co_await head_bucket(call, options_.region);
  if (method == "POST" && call.has("delete")) co_return co_await delete_objects(call);
  if (method == "GET" && call.has("versions")) co_return co_await list_versions(call);
  if (method == "GET" && call.has("uploads")) co_return co_await list_uploads(call, parts_.uploads);
  bool plain = std::ranges::all_of(call.query, [](const codec::QueryParameter& parameter) {
    static constexpr std::string_view of_listing[] = {
        "list-type",     "prefix",      "delimiter",          "marker",      "max-keys",
        "encoding-type", "start-after", "continuation-token", "fetch-owner", "x-id"};
    return std::ranges::find(of_listing, parameter.name) != std::end(of_listing) ||
           parameter.name.starts_with("X-Amz-") || parameter.name == "AWSAccessKeyId" ||
           parameter.name == "Signature" || parameter.name == "Expires";
  });
  if (!plain) co_return co_await bucket_setting(call, options_.region);
  if (method == "PUT") co_return co_await create_bucket(call, options_.region);
  if (method == "DELETE") co_return co_await delete_bucket(call);
  if (method == "POST" && is_form(call.request)) co_return co_await post_object(call);
  if (method == "POST")
    co_return failure("PreconditionFailed",
                      "Bucket POST must be of the enclosure-type multipart/form-data");
  if (call.text("list-type") == "2") co_return co_await list_objects_v2(call);
  co_return co_await list_objects(call);
}

io::Task<Outcome> Door::answer_object(Call& call) const {
  const std::string& method = call.request.method;
  if (call.has("uploads") || call.has("uploadId"))
    co_return co_await answer_multipart(call, parts_.uploads, parts_.disk);
  if (method == "GET" && call.has("attributes")) co_return co_await object_attributes(call);
  for (std::string_view setting : {"acl", "tagging", "attributes", "retention", "legal-hold",
                                   "torrent", "restore", "select"}) {
    if (call.has(setting)) co_return co_await object_setting(call);
  }
  if (call.has("versionId") && call.text("versionId") != "null")
    co_return failure("NoSuchVersion", "The specified version does not exist.");
  if (method == "GET" || method == "HEAD") co_return co_await get_object(call);
  if (method == "DELETE") co_return co_await delete_object(call);
  if (method == "PUT" && call.request.headers.has("x-amz-copy-source"))
    co_return co_await copy_object(call);
  if (method == "PUT") co_return co_await put_object(call, parts_.disk);
  co_return failure("MethodNotAllowed",
                    "The specified method is not allowed against this resource.");
}

}  // namespace pinpipe::s3
