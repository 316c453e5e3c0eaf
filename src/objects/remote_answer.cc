#include "objects/remote_answer.h"

#include <algorithm>
#include <charconv>

#include "auth/sigv4_canonical.h"
#include "base/ascii.h"
#include "base/clock.h"
#include "codec/percent.h"
#include "codec/xml.h"
#include "objects/attribute_headers.h"

namespace pinpipe::objects {
namespace {

uint64_t number_in(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Code code_named(std::string_view code, int status) {
  for (std::string_view name : {"NoSuchKey", "NoSuchBucket", "NoSuchUpload"}) {
    if (code == name) return Code::not_found;
  }
  for (std::string_view name :
       {"PreconditionFailed", "ConditionalRequestConflict", "OperationAborted", "BucketNotEmpty",
        "BucketAlreadyExists", "BucketAlreadyOwnedByYou"}) {
    if (code == name) return Code::conflict;
  }
  if (code == "SlowDown" || status == 429 || status == 503) return Code::busy;
  if (code == "RequestTimeout" || status == 504) return Code::timeout;
  if (status == 401 || status == 403) return Code::denied;
  if (status == 404) return Code::not_found;
  if (status == 409 || status == 412) return Code::conflict;
  return status >= 500 ? Code::unavailable : Code::invalid;
}

// Names come as in a query string, since XML cannot carry every character.
std::string decoded(std::string_view text) {
  return codec::percent_decode_form(text).value_or(std::string(text));
}

}  // namespace

Error error_of_answer(const http::Response& response) {
  auto xml = codec::parse_xml(response.body);
  std::string code = xml ? std::string(xml->text_of("Code")) : std::string();
  std::string text = "the store answered " + std::to_string(response.status);
  if (!code.empty()) text += " " + code;
  if (xml && !xml->text_of("Message").empty()) text += ": " + std::string(xml->text_of("Message"));
  return Error(code_named(code, response.status), std::move(text));
}

std::string without_quotes(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

ObjectFacts facts_of_answer(std::string key, const http::Response& response) {
  ObjectFacts facts;
  facts.key = std::move(key);
  const http::Headers& headers = response.headers;
  facts.size = number_in(headers.find("Content-Length").value_or(""));
  facts.etag = without_quotes(headers.find("ETag").value_or(""));
  facts.modified_ms = from_http_date(headers.find("Last-Modified").value_or("")).value_or(0);
  for (const auto& [raw_name, value] : headers.lines()) {
    std::string name = lowered(raw_name);
    if (name == "content-type") facts.attributes.content_type = value;
    if (name.starts_with(meta_prefix))
      facts.attributes.user[name.substr(meta_prefix.size())] = value;
    if (is_kept_header(name) || name.starts_with("x-amz-checksum-"))
      facts.attributes.system[name] = value;
  }
  // What S3 calls a thing that nobody gave a type.
  if (facts.attributes.content_type == "binary/octet-stream") facts.attributes.content_type.clear();
  return facts;
}

uint64_t total_of_answer(const http::Response& response) {
  std::string_view range = response.headers.find("Content-Range").value_or("");
  size_t slash = range.find('/');
  return slash == std::string_view::npos ? response.body.size()
                                         : number_in(range.substr(slash + 1));
}

void add_attributes(http::Headers& headers, const Attributes& attributes) {
  if (!attributes.content_type.empty()) headers.set("Content-Type", attributes.content_type);
  for (const auto& [name, value] : attributes.user)
    headers.set(std::string(meta_prefix) + name, value);
  for (const auto& [name, value] : attributes.system) {
    if (is_kept_header(name)) headers.set(name, value);
  }
}

void add_condition(http::Headers& headers, const Condition& condition) {
  if (condition.if_absent) headers.set("If-None-Match", "*");
  if (condition.if_etag) headers.set("If-Match", "\"" + *condition.if_etag + "\"");
}

Result<ListPage> page_of_answer(std::string_view xml) {
  auto root = codec::parse_xml(xml);
  if (!root) return root.error().with("the store's listing");
  ListPage page;
  // Some servers send names as they are, whatever they were asked for.
  bool is_encoded = root->text_of("EncodingType") == "url";
  auto name_of = [is_encoded](const codec::XmlElement& element, std::string_view child) {
    const codec::XmlElement* named = element.child(child);
    if (named == nullptr) return std::string();
    return is_encoded ? decoded(named->text) : named->text;
  };
  for (const codec::XmlElement& element : root->children) {
    if (element.name == "CommonPrefixes")
      page.listing.common_prefixes.push_back(name_of(element, "Prefix"));
    if (element.name != "Contents") continue;
    ObjectFacts& facts = page.listing.objects.emplace_back();
    facts.key = name_of(element, "Key");
    facts.size = number_in(element.text_of("Size"));
    facts.etag = without_quotes(element.text_of("ETag"));
    facts.modified_ms = from_rfc3339(element.text_of("LastModified")).value_or(0);
  }
  page.listing.truncated = root->text_of("IsTruncated") == "true";
  page.token = std::string(root->text_of("NextContinuationToken"));
  return page;
}

}  // namespace pinpipe::objects
