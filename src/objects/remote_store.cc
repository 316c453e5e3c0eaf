#include "objects/remote_store.h"

#include <algorithm>

#include "auth/sigv4.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/id.h"
#include "codec/percent.h"
#include "codec/xml.h"
#include "objects/key_path.h"
#include "objects/remote_answer.h"
#include "objects/remote_call.h"

namespace pinpipe::objects {
namespace {

constexpr std::string_view all_of_unicode = "\xf4\x8f\xbf\xbf";  // behind every other character
constexpr size_t page_keys_max = 1'000;

std::string query_text(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
  std::string text;
  for (const auto& [name, value] : pairs)
    text += (text.empty() ? "" : "&") + std::string(name) + "=" + codec::percent_encode(value);
  return text;
}

bool may_have_happened(const Error& error) {
  return error.code() == Code::timeout || error.code() == Code::internal ||
         error.code() == Code::unavailable || error.code() == Code::busy;
}

}  // namespace

// An object that is being read: what came with opening it, and the way to the rest.
class RemoteObject final : public OpenObject {
 public:
  RemoteObject(RemoteStore& store, std::string bucket, ObjectFacts facts, std::string head)
      : store_(store),
        bucket_(std::move(bucket)),
        facts_(std::move(facts)),
        head_(std::move(head)) {}

  const ObjectFacts& facts() const override { return facts_; }
  io::Task<Result<size_t>> read_at(std::span<char> into, uint64_t offset) override {
    if (offset >= facts_.size || into.empty()) co_return size_t{0};
    uint64_t size = std::min<uint64_t>(into.size(), facts_.size - offset);
    if (offset + size <= head_.size()) {
      std::copy_n(head_.data() + offset, size, into.data());
      co_return static_cast<size_t>(size);
    }
    auto part = co_await store_.get_range(bucket_, facts_.key, offset, size, facts_.etag);
    if (!part) co_return part.error();
    if (part->body.size() != size) co_return Error(Code::corrupt, "the store sent another range");
    std::ranges::copy(part->body, into.data());
    co_return static_cast<size_t>(size);
  }

 private:
  RemoteStore& store_;
  std::string bucket_;
  ObjectFacts facts_;
  std::string head_;
};

RemoteStore::RemoteStore(Options options, http::Url base, io::Pool& disk, io::Files& files)
    : options_(std::move(options)), base_(std::move(base)), disk_(disk), files_(files) {}
RemoteStore::~RemoteStore() = default;

Result<std::unique_ptr<RemoteStore>> RemoteStore::open(Options options, io::Pool& disk,
                                                       io::Files& files) {
  std::string endpoint = options.endpoint;
  if (endpoint.empty()) {
    endpoint = "https://s3." + options.region + ".amazonaws.com";
    options.path_style = false;
  }
  auto base = http::Url::parse(endpoint);
  if (!base) return base.error().with("the store's endpoint");
  Status made = files.make_directories(options.temporary_directory);
  if (!made) return made.error();
  return std::unique_ptr<RemoteStore>(
      new RemoteStore(std::move(options), std::move(*base), disk, files));
}

http::Client& RemoteStore::client() {
  std::lock_guard lock(mutex_);
  auto& mine = clients_[&io::Loop::current()];
  if (!mine) {
    http::Client::Options options;
    options.ca_file = options_.ca_file;
    if (!options_.credential.access_key.empty()) {
      auth::SigningTarget target{options_.region, "s3"};
      options.signing = http::Signing{.credential = options_.credential, .target = target};
    }
    mine = std::make_unique<http::Client>(std::move(options));
  }
  return *mine;
}

http::Url RemoteStore::url_of(std::string_view bucket, std::string_view key,
                              std::string_view query) const {
  http::Url url = base_;
  std::string root =
      base_.target.ends_with('/') ? base_.target.substr(0, base_.target.size() - 1) : base_.target;
  // A bucket with a dot would not match the host's certificate.
  bool by_path =
      options_.path_style || bucket.empty() || bucket.find('.') != std::string_view::npos;
  if (!by_path) url.host = std::string(bucket) + "." + base_.host;
  url.target = root + "/";
  if (by_path && !bucket.empty())
    url.target += codec::percent_encode(bucket) + (key.empty() ? "" : "/");
  url.target += codec::percent_encode_path(key);
  if (!query.empty()) url.target += "?" + std::string(query);
  return url;
}

std::string RemoteStore::presign(std::string_view method, std::string_view bucket,
                                 std::string_view key, int64_t lifetime_s) const {
  http::Url url = url_of(bucket, key);
  std::string host = url.host_header();
  auth::RequestView view;
  view.method = method;
  view.path = url.target;
  view.headers.emplace_back("host", host);
  std::string query = auth::presign_query(view, options_.credential, {options_.region, "s3"},
                                          system_clock().wall_ms(), lifetime_s);
  return url.scheme + "://" + host + url.target + "?" + query;
}

io::Task<Result<http::Response>> RemoteStore::send_once(const Call& call,
                                                        http::Client::Retry retry) {
  http::Request request;
  request.method = call.method;
  request.headers = call.headers;
  request.body = call.body;
  auto response = co_await client().fetch(url_of(call.bucket, call.key, call.query), request,
                                          io::after(options_.timeout), retry);
  if (!response) co_return response.error();
  if (response->status / 100 != 2) co_return error_of_answer(*response);
  // CopyObject and CompleteMultipartUpload may fail after they have begun to answer 200.
  if (call.method != "GET" && call.method != "HEAD" &&
      response->body.find("<Error>") != std::string::npos)
    co_return error_of_answer(*response);
  co_return response;
}

io::Task<Result<http::Response>> RemoteStore::send(Call call) {
  http::Client::Retry retry;
  retry.attempts_max = options_.attempts_max;
  retry.when_maybe_done = call.repeatable;
  auto response = co_await send_once(call, retry);
  if (!response)
    co_return response.error().with(call.method + " " + call.bucket +
                                    (call.key.empty() ? "" : "/" + call.key));
  co_return response;
}

io::Task<Status> RemoteStore::create_bucket(std::string name) {
  if (Status good = check_bucket_name(name); !good) co_return good;
  auto there = co_await find_bucket(name);
  if (there) co_return Error(Code::conflict, "bucket '" + name + "' exists");
  if (there.error().code() != Code::not_found) co_return there.error();
  Call call{.method = "PUT", .bucket = name};
  if (options_.region != "us-east-1") {
    codec::XmlWriter writer(call.body);
    writer.begin("CreateBucketConfiguration");
    writer.attribute("xmlns", "http://s3.amazonaws.com/doc/2006-03-01/");
    writer.element("LocationConstraint", options_.region).end();
  }
  auto made = co_await send(std::move(call));
  co_return made ? Status{} : Status(made.error());
}

io::Task<Status> RemoteStore::remove_bucket(std::string name) {
  Call call{.method = "DELETE", .bucket = std::move(name)};
  auto removed = co_await send(std::move(call));
  co_return removed ? Status{} : Status(removed.error());
}

io::Task<Result<std::vector<BucketFacts>>> RemoteStore::list_buckets() {
  Call call{.method = "GET", .bucket = ""};
  auto answer = co_await send(std::move(call));
  if (!answer) co_return answer.error();
  auto root = codec::parse_xml(answer->body);
  if (!root) co_return root.error().with("the store's buckets");
  std::vector<BucketFacts> all;
  const codec::XmlElement* buckets = root->child("Buckets");
  if (buckets == nullptr) co_return all;
  for (const codec::XmlElement& bucket : buckets->children)
    all.push_back({std::string(bucket.text_of("Name")),
                   from_rfc3339(bucket.text_of("CreationDate")).value_or(0)});
  std::ranges::sort(all, {}, &BucketFacts::name);
  co_return all;
}

io::Task<Result<BucketFacts>> RemoteStore::find_bucket(std::string name) {
  Call call{.method = "HEAD", .bucket = name};
  auto answer = co_await send(std::move(call));
  if (!answer) co_return answer.error();
  co_return BucketFacts{std::move(name), 0};
}

io::Task<Result<ObjectFacts>> RemoteStore::put(std::string bucket, std::string key,
                                               std::string bytes, Attributes attributes,
                                               Condition condition) {
  if (Status good = check_key(key); !good) co_return good.error();
  Call call{.method = "PUT", .bucket = std::move(bucket), .key = std::move(key)};
  add_attributes(call.headers, attributes);
  add_condition(call.headers, condition);
  call.repeatable = !condition.if_absent && !condition.if_etag;
  if (bytes.size() > part_bytes) {
    auto source = std::make_shared<Source>();
    source->size = bytes.size();
    source->bytes = std::move(bytes);
    co_return co_await put_parts(std::move(call), std::move(source));
  }
  call.body = std::move(bytes);
  co_return co_await put_whole(std::move(call));
}

// A conditional put whose answer was lost may be the very one that the next attempt finds there.
io::Task<Result<ObjectFacts>> RemoteStore::put_whole(Call call) {
  ObjectFacts facts;
  facts.key = call.key;
  facts.size = call.body.size();
  std::string mine = to_hex(md5(call.body));
  bool in_doubt = false;
  for (int attempt = 1;; ++attempt) {
    auto stored = co_await send(call);
    if (stored) {
      facts.etag = without_quotes(stored->headers.find("ETag").value_or(""));
      co_return facts;
    }
    bool refused = stored.error().code() == Code::conflict;
    bool lost = !call.repeatable && may_have_happened(stored.error());
    if (!(refused && in_doubt) && !(lost && attempt < options_.attempts_max))
      co_return stored.error();
    in_doubt = true;
    auto is_there = co_await was_mine(call.bucket, call.key, mine);
    if (is_there && *is_there) {
      facts.etag = mine;
      co_return facts;
    }
    if (refused) co_return stored.error();
  }
}

io::Task<Result<bool>> RemoteStore::was_mine(std::string bucket, std::string key,
                                             std::string etag) {
  auto facts = co_await head(std::move(bucket), std::move(key));
  if (!facts && facts.error().code() == Code::not_found) co_return false;
  if (!facts) co_return facts.error();
  co_return facts->etag == etag;
}

io::Task<Result<ObjectFacts>> RemoteStore::head(std::string bucket, std::string key) {
  if (Status good = check_key(key); !good) co_return good.error();
  Call call{.method = "HEAD", .bucket = std::move(bucket), .key = key};
  auto answer = co_await send(std::move(call));
  if (!answer) co_return answer.error();
  co_return facts_of_answer(std::move(key), *answer);
}

io::Task<Result<http::Response>> RemoteStore::get_range(std::string bucket, std::string key,
                                                        uint64_t offset, uint64_t size,
                                                        std::string etag) {
  Call call{.method = "GET", .bucket = std::move(bucket), .key = std::move(key)};
  call.headers.set("Range",
                   "bytes=" + std::to_string(offset) + "-" + std::to_string(offset + size - 1));
  if (!etag.empty()) call.headers.set("If-Match", "\"" + etag + "\"");
  co_return co_await send(std::move(call));
}

io::Task<Result<std::unique_ptr<OpenObject>>> RemoteStore::open(std::string bucket,
                                                                std::string key) {
  if (Status good = check_key(key); !good) co_return good.error();
  auto first = co_await get_range(bucket, key, 0, open_bytes_max, {});
  ObjectFacts facts;
  std::string bytes;
  if (first) {
    facts = facts_of_answer(key, *first);
    facts.size = total_of_answer(*first);
    bytes = std::move(first->body);
  } else if (first.error().code() == Code::invalid) {  // an empty object has no range
    auto empty = co_await head(bucket, key);
    if (!empty) co_return empty.error();
    if (empty->size != 0) co_return first.error();
    facts = std::move(*empty);
  } else {
    co_return first.error();
  }
  co_return std::unique_ptr<OpenObject>(
      std::make_unique<RemoteObject>(*this, std::move(bucket), std::move(facts), std::move(bytes)));
}

io::Task<Result<std::string>> RemoteStore::get(std::string bucket, std::string key,
                                               std::optional<ByteRange> range) {
  auto opened = co_await open(std::move(bucket), std::move(key));
  if (!opened) co_return opened.error();
  uint64_t whole = (*opened)->facts().size;
  uint64_t offset = range ? range->offset : 0;
  if (offset > whole) co_return Error(Code::invalid, "the range begins behind the object's end");
  std::string bytes(std::min(whole - offset, range ? range->size.value_or(whole) : whole), '\0');
  for (uint64_t at = 0; at < bytes.size();) {
    std::span<char> into(bytes.data() + at, std::min<uint64_t>(part_bytes, bytes.size() - at));
    auto got = co_await (*opened)->read_at(into, offset + at);
    if (!got) co_return got.error();
    at += *got;
  }
  co_return bytes;
}

io::Task<Status> RemoteStore::remove(std::string bucket, std::string key, Condition condition) {
  if (Status good = check_key(key); !good) co_return good;
  Call call{.method = "DELETE", .bucket = std::move(bucket), .key = std::move(key)};
  add_condition(call.headers, condition);
  auto removed = co_await send(std::move(call));
  if (removed) co_return Status{};
  // Some servers say so of an object that was not there, which is as good as removed.
  bool was_absent =
      !condition.if_etag && removed.error().text().find("NoSuchKey") != std::string::npos;
  co_return was_absent ? Status{} : Status(removed.error());
}

io::Task<Result<ObjectFacts>> RemoteStore::copy(std::string from_bucket, std::string from_key,
                                                std::string to_bucket, std::string to_key,
                                                std::optional<Attributes> attributes,
                                                Condition condition) {
  if (Status good = check_key(to_key); !good) co_return good.error();
  Call call{.method = "PUT", .bucket = to_bucket, .key = to_key};
  call.headers.set("x-amz-copy-source", "/" + codec::percent_encode(from_bucket) + "/" +
                                            codec::percent_encode_path(from_key));
  if (attributes) {
    call.headers.set("x-amz-metadata-directive", "REPLACE");
    add_attributes(call.headers, *attributes);
  }
  add_condition(call.headers, condition);
  call.repeatable = !condition.if_absent && !condition.if_etag;
  auto copied = co_await send(std::move(call));
  if (!copied) co_return copied.error();
  co_return co_await head(std::move(to_bucket), std::move(to_key));
}

io::Task<Result<Listing>> RemoteStore::list(std::string bucket, ListQuery query) {
  // A common prefix that was the last entry has keys behind it which belong to it.
  std::string after = query.after;
  if (!query.delimiter.empty() && after.ends_with(query.delimiter)) after += all_of_unicode;
  Listing listing;
  std::string token;
  while (true) {
    size_t had = listing.objects.size() + listing.common_prefixes.size();
    std::string most = std::to_string(std::min(page_keys_max, query.count_max - had));
    Call call{.method = "GET", .bucket = bucket};
    call.query = query_text({{"encoding-type", "url"}, {"list-type", "2"}, {"max-keys", most}});
    if (!query.prefix.empty()) call.query += "&" + query_text({{"prefix", query.prefix}});
    if (!query.delimiter.empty()) call.query += "&" + query_text({{"delimiter", query.delimiter}});
    if (!after.empty()) call.query += "&" + query_text({{"start-after", after}});
    if (!token.empty()) call.query += "&" + query_text({{"continuation-token", token}});
    auto answer = co_await send(std::move(call));
    if (!answer) co_return answer.error();
    auto page = page_of_answer(answer->body);
    if (!page) co_return page.error();
    std::ranges::move(page->listing.objects, std::back_inserter(listing.objects));
    std::ranges::move(page->listing.common_prefixes, std::back_inserter(listing.common_prefixes));
    token = std::move(page->token);
    listing.truncated = page->listing.truncated && !token.empty();
    if (!listing.truncated) break;
    if (listing.objects.size() + listing.common_prefixes.size() >= query.count_max) break;
  }
  if (!listing.objects.empty()) listing.next_after = listing.objects.back().key;
  if (!listing.common_prefixes.empty())
    listing.next_after = std::max(listing.next_after, listing.common_prefixes.back());
  co_return listing;
}

}  // namespace pinpipe::objects
