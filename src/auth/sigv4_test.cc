#include "auth/sigv4.h"

#include <gtest/gtest.h>

#include "auth/sigv4_canonical.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/random.h"
#include "kit/seed.h"

namespace pinpipe::auth {
namespace {

// Keys, dates and signatures here are those of AWS's own published examples.
const Credential suite_key{
    "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "", {"suite", PrincipalKind::user}};
const Credential s3_key{"AKIAIOSFODNN7EXAMPLE",
                        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                        "",
                        {"ann", PrincipalKind::user}};
const int64_t suite_time = *from_amz_date("20150830T123600Z");
const int64_t s3_time = *from_amz_date("20130524T000000Z");
const SigningTarget s3_target{"us-east-1", "s3"};
const std::string empty_hash = to_hex(sha256(""));

std::string signature_of(const HeaderList& headers) {
  for (const auto& [name, value] : headers) {
    if (name == "authorization") return value.substr(value.find("Signature=") + 10);
  }
  return "";
}

RequestView with(RequestView request, const HeaderList& more) {
  for (const auto& [name, value] : more) request.headers.emplace_back(name, value);
  return request;
}

Credentials table() {
  Credentials keys;
  EXPECT_TRUE(keys.add(suite_key));
  EXPECT_TRUE(keys.add(s3_key));
  EXPECT_TRUE(keys.add({"TEMP", "secret-of-temp", "token-of-temp", {"temp", PrincipalKind::user}}));
  return keys;
}

TEST(SigV4, published_example_iam_list_users) {
  RequestView request{"GET",
                      "/",
                      "Action=ListUsers&Version=2010-05-08",
                      {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                       {"Host", "iam.amazonaws.com"}},
                      ""};
  EXPECT_EQ(signature_of(sign_headers(request, suite_key, {"us-east-1", "iam"}, suite_time)),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
  EXPECT_EQ(to_hex(signing_key(suite_key.secret, "20150830", {"us-east-1", "iam"})),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

TEST(SigV4, published_suite_get_vanilla) {
  RequestView request{"GET", "/", "", {{"Host", "example.amazonaws.com"}}, ""};
  EXPECT_EQ(signature_of(sign_headers(request, suite_key, {"us-east-1", "service"}, suite_time)),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

std::string s3_signature(std::string_view method, std::string_view path, std::string_view query,
                         RequestView more = {}) {
  more.method = method;
  more.path = path;
  more.query = query;
  more.headers.emplace_back("Host", "examplebucket.s3.amazonaws.com");
  return signature_of(sign_headers(more, s3_key, s3_target, s3_time));
}

TEST(SigV4, published_examples_of_s3) {
  EXPECT_EQ(s3_signature("GET", "/test.txt", "", {"", "", "", {{"Range", "bytes=0-9"}}, ""}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(s3_signature("PUT", "/test%24file.text", "",
                         {"",
                          "",
                          "",
                          {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                           {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                          to_hex(sha256("Welcome to Amazon S3."))}),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  EXPECT_EQ(s3_signature("GET", "/", "lifecycle"),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(s3_signature("GET", "/", "max-keys=2&prefix=J"),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SigV4, published_example_of_a_presigned_link) {
  RequestView request{"GET", "/test.txt", "", {{"Host", "examplebucket.s3.amazonaws.com"}}, ""};
  std::string query = presign_query(request, s3_key, s3_target, s3_time, 86400);
  EXPECT_TRUE(query.ends_with(
      "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"))
      << query;
  request.query = query;
  auto verified = verify_sigv4(request, table(), {}, s3_time + 86'400'000);
  ASSERT_TRUE(verified) << verified.error().text;
  EXPECT_TRUE(verified->is_presigned);
  EXPECT_EQ(verified->payload_hash, unsigned_payload);
  auto late = verify_sigv4(request, table(), {}, s3_time + 86'400'001);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().fault, SignatureFault::link_expired);
  request.path = "/other.txt";
  EXPECT_EQ(verify_sigv4(request, table(), {}, s3_time).error().fault, SignatureFault::mismatch);
}

TEST(SigV4, published_example_of_a_streaming_upload) {
  RequestView request{"PUT",
                      "/examplebucket/chunkObject.txt",
                      "",
                      {{"Host", "s3.amazonaws.com"},
                       {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                       {"Content-Encoding", "aws-chunked"},
                       {"x-amz-decoded-content-length", "66560"},
                       {"Content-Length", "66824"}},
                      std::string(streaming_payload)};
  HeaderList added = sign_headers(request, s3_key, s3_target, s3_time);
  EXPECT_EQ(signature_of(added),
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
  auto verified = verify_sigv4(with(request, added), table(), {}, s3_time);
  ASSERT_TRUE(verified) << verified.error().text;
  ChunkSignatures chain(*verified);
  EXPECT_EQ(chain.next(std::string(65536, 'a')),
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
  EXPECT_EQ(chain.next(std::string(1024, 'a')),
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
  EXPECT_EQ(chain.next(""), "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
}

TEST(SigV4, canonical_path_is_kept_for_s3_and_normalised_twice_encoded_elsewhere) {
  EXPECT_EQ(canonical_path("/a//b/./c%20d", true), "/a//b/./c%20d");
  EXPECT_EQ(canonical_path("/a+b$c", true), "/a%2Bb%24c");
  EXPECT_EQ(canonical_path("/a//b/./c%20d/../e", false), "/a/b/e");
  EXPECT_EQ(canonical_path("/a%20b", false), "/a%2520b");
  EXPECT_EQ(canonical_path("/a/", false), "/a/");
  EXPECT_EQ(canonical_path("/a/..", false), "/");
  EXPECT_EQ(canonical_path("", false), "/");
}

TEST(SigV4, canonical_query_is_sorted_encoded_and_complete) {
  EXPECT_EQ(canonical_query("b=2&a&b=1&%41=x+y&c=a%20b", ""), "A=x%2By&a=&b=1&b=2&c=a%20b");
  EXPECT_EQ(canonical_query("a=1&X-Amz-Signature=abc", "X-Amz-Signature"), "a=1");
}

TEST(SigV4, canonical_header_values_are_trimmed_collapsed_and_joined) {
  RequestView request;
  request.headers = {{"My-Header", "  a   b\t c "}, {"other", "x"}, {"my-header", "d"}};
  EXPECT_EQ(canonical_header(request, "my-header"), "a b c,d");
}

TEST(SigV4, dates_in_both_forms) {
  EXPECT_EQ(from_http_date("Fri, 24 May 2013 00:00:00 GMT"), s3_time);
  EXPECT_EQ(to_amz_date(s3_time), "20130524T000000Z");
  for (auto bad : {"", "20130524", "20130524T000000", "20131324T000000Z", "2013052xT000000Z"}) {
    EXPECT_EQ(from_amz_date(bad), std::nullopt) << bad;
  }
}

struct Signed {
  std::string body = R"({"StreamName":"s"})";
  RequestView request{"POST",
                      "/",
                      "",
                      {{"Host", "kinesis.us-east-1.amazonaws.com"},
                       {"X-Amz-Target", "Kinesis_20131202.PutRecord"},
                       {"Content-Type", "application/x-amz-json-1.1"},
                       {"User-Agent", "not signed"}},
                      to_hex(sha256(R"({"StreamName":"s"})"))};
  Credentials keys = table();
  SigningTarget target{"us-east-1", "kinesis"};
  HeaderList added = sign_headers(request, suite_key, target, suite_time);

  SignatureFault fault(const RequestView& changed, int64_t at = suite_time,
                       VerifyOptions options = {}) {
    auto verified = verify_sigv4(changed, keys, options, at);
    EXPECT_FALSE(verified);
    return verified ? SignatureFault::missing : verified.error().fault;
  }
};

TEST(SigV4, a_signed_request_is_verified_and_names_its_principal) {
  Signed s;
  auto verified = verify_sigv4(with(s.request, s.added), s.keys, {}, suite_time + 60'000);
  ASSERT_TRUE(verified) << verified.error().text << verified.error().canonical_request;
  EXPECT_EQ(verified->principal.name, "suite");
  EXPECT_EQ(verified->scope, "20150830/us-east-1/kinesis/aws4_request");
  EXPECT_FALSE(verified->is_presigned);
}

TEST(SigV4, every_changed_part_is_a_mismatch) {
  Signed s;
  RequestView good = with(s.request, s.added);
  std::vector<RequestView> changed(6, good);
  changed[0].method = "PUT";
  changed[1].path = "/x";
  changed[2].query = "a=1";
  changed[3].payload_hash = empty_hash;
  changed[4].headers[0].second = "elsewhere";
  changed[5].headers[1].second = "Kinesis_20131202.DeleteStream";
  for (const RequestView& request : changed) EXPECT_EQ(s.fault(request), SignatureFault::mismatch);
  good.headers[3].second = "another agent";
  EXPECT_TRUE(verify_sigv4(good, s.keys, {}, suite_time));
}

TEST(SigV4, a_changed_byte_anywhere_in_the_signature_is_refused) {
  Signed s;
  Random random(kit::seed());
  const std::string good = s.added.back().second;
  for (int i = 0; i < 300; ++i) {
    std::string bad = good;
    char& c = bad[random.below(bad.size())];
    const char before = c;
    c = static_cast<char>('!' + random.below(90));
    if (c == before || before == ' ' || c == ' ') continue;
    HeaderList headers = s.added;
    headers.back().second = bad;
    EXPECT_FALSE(verify_sigv4(with(s.request, headers), s.keys, {}, suite_time)) << bad;
  }
}

TEST(SigV4, faults_are_told_apart) {
  Signed s;
  RequestView good = with(s.request, s.added);
  EXPECT_EQ(s.fault(s.request), SignatureFault::missing);
  EXPECT_EQ(s.fault(good, suite_time + 301'000), SignatureFault::expired);
  EXPECT_EQ(s.fault(good, suite_time - 301'000), SignatureFault::not_yet);
  EXPECT_EQ(s.fault(good, suite_time, {300'000, "s3", ""}), SignatureFault::wrong_scope);
  EXPECT_EQ(s.fault(good, suite_time, {300'000, "kinesis", "eu-west-1"}),
            SignatureFault::wrong_scope);
  s.keys.remove("AKIDEXAMPLE");
  EXPECT_EQ(s.fault(good), SignatureFault::unknown_key);
  for (auto text :
       {"AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=b",
        "AWS4-HMAC-SHA256 Credential=a/20150830/r/s/aws4_request, SignedHeaders=x, Signature=b",
        "Basic abc"}) {
    RequestView request = s.request;
    request.headers.emplace_back("Authorization", text);
    EXPECT_EQ(s.fault(request), SignatureFault::malformed) << text;
  }
}

TEST(SigV4, separators_without_blanks_are_read_too) {
  Signed s;
  std::string tight;
  std::string_view text = s.added.back().second;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ' && i > 0 && text[i - 1] == ',') continue;
    tight.push_back(text[i]);
  }
  s.added.back().second = tight;
  EXPECT_TRUE(verify_sigv4(with(s.request, s.added), s.keys, {}, suite_time));
}

TEST(SigV4, temporary_credentials_need_their_token) {
  Signed s;
  const Credential& temp = *s.keys.find("TEMP");
  HeaderList added = sign_headers(s.request, temp, s.target, suite_time);
  EXPECT_TRUE(verify_sigv4(with(s.request, added), s.keys, {}, suite_time));
  for (auto& [name, value] : added) {
    if (name == "x-amz-security-token") value = "another";
  }
  EXPECT_EQ(s.fault(with(s.request, added)), SignatureFault::bad_token);
}

TEST(SigV4, an_s3_header_added_after_signing_is_refused) {
  Signed s;
  HeaderList added = sign_headers(s.request, s3_key, s3_target, suite_time);
  added.emplace_back("x-amz-acl", "public-read");
  EXPECT_EQ(s.fault(with(s.request, added)), SignatureFault::unsigned_header);
}

}  // namespace
}  // namespace pinpipe::auth
