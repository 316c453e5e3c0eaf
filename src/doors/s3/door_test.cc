#include "doors/s3/door.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "codec/xml.h"
#include "doors/s3/aws_chunks.h"
#include "doors/s3/checksums.h"
#include "doors/s3/door_fixture.h"
#include "doors/s3/object_headers.h"

namespace pinpipe::s3 {
namespace {

using DoorTest = DoorFixture;

TEST_F(DoorTest, an_object_is_put_read_listed_and_deleted) {
  auto put = send("PUT", "/box/a%20b/c.txt", "hello",
                  {{"Content-Type", "text/plain"}, {"x-amz-meta-Author", "Ada"}});
  EXPECT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(header(put, "ETag"), "\"5d41402abc4b2a76b9719d911017c592\"");
  EXPECT_FALSE(header(put, "x-amz-request-id").empty());
  auto get = send("GET", "/box/a%20b/c.txt");
  EXPECT_EQ(bytes_of(get), "hello");
  EXPECT_EQ(header(get, "Content-Type"), "text/plain");
  EXPECT_EQ(header(get, "x-amz-meta-author"), "Ada");
  EXPECT_EQ(header(send("HEAD", "/box/a%20b/c.txt"), "Content-Length"), "5");
  EXPECT_EQ(bytes_of(send("GET", "/a%20b/c.txt", "", {{"Host", "box.s3.localhost:4566"}})),
            "hello");
  auto list = send("GET", "/box/?list-type=2&prefix=a%20b%2F&encoding-type=url");
  auto xml = codec::parse_xml(list.body);
  ASSERT_TRUE(xml) << list.body;
  EXPECT_EQ(xml->text_of("KeyCount"), "1");
  EXPECT_EQ(xml->child("Contents")->text_of("Key"), "a%20b/c.txt");
  EXPECT_EQ(send("DELETE", "/box/a%20b/c.txt").status, 204);
  EXPECT_EQ(send("DELETE", "/box/a%20b/c.txt").status, 204);
  EXPECT_EQ(code_of(send("GET", "/box/a%20b/c.txt")), "NoSuchKey");
}

TEST_F(DoorTest, buckets_answer_as_s3_does) {
  EXPECT_EQ(send("HEAD", "/box").status, 200);
  EXPECT_EQ(send("HEAD", "/nobox").status, 404);
  EXPECT_EQ(code_of(send("PUT", "/B")), "InvalidBucketName");
  EXPECT_EQ(code_of(send("GET", "/nobox")), "NoSuchBucket");
  EXPECT_EQ(code_of(send("GET", "/nobox/k")), "NoSuchBucket");
  EXPECT_EQ(code_of(send("PUT", "/nobox/k", "x")), "NoSuchBucket");
  ASSERT_EQ(send("PUT", "/box/k", "x").status, 200);
  EXPECT_EQ(code_of(send("DELETE", "/box")), "BucketNotEmpty");
  EXPECT_NE(send("GET", "/").body.find("<Name>box</Name>"), std::string::npos);
  EXPECT_NE(send("GET", "/box?location").body.find("LocationConstraint"), std::string::npos);
  EXPECT_EQ(code_of(send("GET", "/box?policy")), "NoSuchBucketPolicy");
  EXPECT_EQ(code_of(send("PUT", "/box?versioning", "<x/>")), "NotImplemented");
  EXPECT_EQ(code_of(send("PATCH", "/box")), "MethodNotAllowed");
}

TEST_F(DoorTest, paths_lead_nowhere_outside) {
  for (const char* target : {"/box/../../../etc/passwd", "/box/%2e%2e/%2e%2e/etc/passwd",
                             "/%2e%2e/x", "/..%2f..%2fetc/passwd", "/.pinpipe/journal"}) {
    auto got = send("GET", target);
    EXPECT_TRUE(got.status == 404 || got.status == 400) << target << " " << got.status;
  }
  EXPECT_EQ(send("PUT", "/box/..%2F..%2Fevil", "x").status, 200);
  EXPECT_FALSE(io::posix_files().exists(directory.path() + "/evil"));
  EXPECT_EQ(bytes_of(send("GET", "/box/..%2F..%2Fevil")), "x");
  EXPECT_EQ(code_of(send("GET", "/box/%zz")), "InvalidURI");
  EXPECT_EQ(code_of(send("PUT", "/box/" + std::string(1'025, 'k'), "x")), "KeyTooLongError");
}

TEST_F(DoorTest, checksums_are_verified_kept_and_told) {
  Checksum checksum(ChecksumKind::crc64nvme);
  checksum.add("hello");
  std::string right = checksum.base64();
  auto put = send("PUT", "/box/k", "hello", {{"x-amz-checksum-crc64nvme", right}});
  EXPECT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(header(put, "x-amz-checksum-crc64nvme"), right);
  EXPECT_EQ(header(send("GET", "/box/k"), "x-amz-checksum-crc64nvme"), "");
  EXPECT_EQ(header(send("GET", "/box/k", "", {{"x-amz-checksum-mode", "ENABLED"}}),
                   "x-amz-checksum-crc64nvme"),
            right);
  EXPECT_EQ(header(send("GET", "/box/k", "",
                        {{"x-amz-checksum-mode", "ENABLED"}, {"Range", "bytes=0-1"}}),
                   "x-amz-checksum-crc64nvme"),
            "");
  EXPECT_EQ(code_of(send("PUT", "/box/k", "hello", {{"x-amz-checksum-crc32", "AAAAAA=="}})),
            "BadDigest");
  EXPECT_EQ(code_of(send("PUT", "/box/k", "hello", {{"Content-MD5", to_base64(md5("x"))}})),
            "BadDigest");
  EXPECT_EQ(code_of(send("PUT", "/box/k", "hello", {{"Content-MD5", "!"}})), "InvalidDigest");
  EXPECT_EQ(
      code_of(send("PUT", "/box/k", "hello", {{"x-amz-content-sha256", to_hex(sha256("other"))}})),
      "XAmzContentSHA256Mismatch");
}

TEST_F(DoorTest, an_unsigned_trailer_upload_is_unframed_and_checked) {
  std::string framed =
      "f\r\nhellohellohello\r\n0\r\nx-amz-checksum-crc32:PiG0Cw==\r\n\r\n";  // as boto3 sends it
  HeaderLines headers = {{"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
                         {"x-amz-decoded-content-length", "15"},
                         {"x-amz-trailer", "x-amz-checksum-crc32"},
                         {"Content-Encoding", "aws-chunked"}};
  for (size_t step : {0UL, 1UL, 7UL}) {
    auto put = send("PUT", "/box/k", framed, headers, step);
    EXPECT_EQ(put.status, 200) << put.body;
    EXPECT_EQ(header(put, "x-amz-checksum-crc32"), "PiG0Cw==");
  }
  auto get = send("GET", "/box/k");
  EXPECT_EQ(bytes_of(get), "hellohellohello");
  EXPECT_EQ(header(get, "Content-Encoding"), "");
  std::string wrong = framed;
  wrong[4] = 'E';
  EXPECT_EQ(code_of(send("PUT", "/box/k", wrong, headers)), "BadDigest");
  EXPECT_EQ(code_of(send("PUT", "/box/k", framed.substr(0, 20), headers)), "IncompleteBody");
  EXPECT_EQ(code_of(send("PUT", "/box/k", "zz\r\n", headers)), "IncompleteBody");
}

TEST_F(DoorTest, a_large_streamed_body_is_stored_whole_and_a_short_one_not_at_all) {
  std::string bytes;
  for (int i = 0; bytes.size() < 3'000'000; ++i) bytes += std::to_string(i) + ",";
  auto put = send("PUT", "/box/large", bytes, {}, 100'000);
  EXPECT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(header(put, "ETag"), "\"" + to_hex(md5(bytes)) + "\"");
  EXPECT_EQ(bytes_of(send("GET", "/box/large")), bytes);
  auto part = send("GET", "/box/large", "", {{"Range", "bytes=1000000-1000009"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(bytes_of(part), bytes.substr(1'000'000, 10));
  EXPECT_EQ(header(part, "Content-Range"), "bytes 1000000-1000009/" + std::to_string(bytes.size()));
  EXPECT_EQ(code_of(send("PUT", "/box/short", bytes, {{"Content-Length", "4000000"}}, 100'000)),
            "IncompleteBody");
  EXPECT_EQ(send("HEAD", "/box/short").status, 404);
  s3.reset();
  EXPECT_TRUE(io::posix_files().list(directory.path() + "/.pinpipe/tmp")->empty());
}

TEST_F(DoorTest, conditions_decide_reads_and_writes) {
  std::string etag = header(send("PUT", "/box/k", "1"), "ETag");
  EXPECT_EQ(code_of(send("PUT", "/box/k", "2", {{"If-None-Match", "*"}})), "PreconditionFailed");
  EXPECT_EQ(send("PUT", "/box/new", "2", {{"If-None-Match", "*"}}).status, 200);
  EXPECT_EQ(code_of(send("PUT", "/box/k", "2", {{"If-Match", "\"other\""}})), "PreconditionFailed");
  EXPECT_EQ(code_of(send("PUT", "/box/absent", "2", {{"If-Match", etag}})), "NoSuchKey");
  EXPECT_EQ(send("GET", "/box/k", "", {{"If-None-Match", etag}}).status, 304);
  EXPECT_EQ(send("GET", "/box/k", "", {{"If-Match", "\"other\""}}).status, 412);
  EXPECT_EQ(
      send("HEAD", "/box/k", "", {{"If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"}}).status,
      304);
  EXPECT_EQ(
      send("HEAD", "/box/k", "", {{"If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"}}).status,
      412);
  EXPECT_EQ(send("PUT", "/box/k", "2", {{"If-Match", etag}}).status, 200);
}

TEST_F(DoorTest, ranges_are_single_and_satisfiable_or_say_so) {
  EXPECT_EQ(range_of("bytes=2-4", 10)->offset, 2U);
  EXPECT_EQ(range_of("bytes=2-4", 10)->size, 3U);
  EXPECT_EQ(range_of("bytes=-3", 10)->offset, 7U);
  EXPECT_EQ(range_of("bytes=-30", 10)->size, 10U);
  EXPECT_EQ(range_of("bytes=8-", 10)->size, 2U);
  EXPECT_EQ(range_of("bytes=8-99", 10)->size, 2U);
  for (const char* whole : {"", "bytes=", "bytes=4-2", "bytes=1-2,4-5", "lines=1-2", "bytes=x-y"})
    EXPECT_TRUE(range_of(whole, 10)->is_whole) << whole;
  for (const char* beyond : {"bytes=10-", "bytes=10-12", "bytes=-0"})
    EXPECT_FALSE(range_of(beyond, 10)) << beyond;
  EXPECT_FALSE(range_of("bytes=0-", 0));
}

TEST_F(DoorTest, several_objects_are_deleted_at_once) {
  for (const char* key : {"/box/a", "/box/b", "/box/c"})
    ASSERT_EQ(send("PUT", key, "x").status, 200);
  auto done = send("POST", "/box?delete",
                   "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object>"
                   "<Object><Key>absent</Key></Object></Delete>");
  EXPECT_EQ(done.status, 200);
  auto xml = codec::parse_xml(done.body);
  ASSERT_TRUE(xml);
  EXPECT_EQ(xml->children.size(), 3U);
  EXPECT_EQ(send("HEAD", "/box/a").status, 404);
  EXPECT_EQ(send("HEAD", "/box/c").status, 200);
  EXPECT_EQ(code_of(send("POST", "/box?delete", "<Delete><!DOCTYPE x></Delete>")), "MalformedXML");
}

TEST_F(DoorTest, what_an_object_cannot_have_is_refused_with_the_object) {
  const std::tuple<const char*, const char*, const char*> asked[] = {
      {"x-amz-tagging", "a=b", "NotImplemented"},
      {"x-amz-server-side-encryption", "aws:kms", "NotImplemented"},
      {"x-amz-server-side-encryption-customer-key", "k", "NotImplemented"},
      {"x-amz-object-lock-mode", "GOVERNANCE", "NotImplemented"},
      {"x-amz-grant-read", "id=x", "NotImplemented"},
      {"x-amz-acl", "public-read", "AccessControlListNotSupported"},
      {"x-amz-storage-class", "GLACIER", "InvalidStorageClass"}};
  for (const auto& [name, value, code] : asked) {
    EXPECT_EQ(code_of(send("PUT", "/box/k", "x", {{name, value}})), code) << name;
    EXPECT_EQ(code_of(send("POST", "/box/k?uploads", "", {{name, value}})), code) << name;
  }
  EXPECT_EQ(send("GET", "/box/k").status, 404);
  EXPECT_EQ(
      send("PUT", "/box/k", "x",
           {{"x-amz-acl", "private"}, {"x-amz-storage-class", "STANDARD"}, {"x-amz-tagging", ""}})
          .status,
      200);
}

TEST_F(DoorTest, buckets_are_listed_in_pages) {
  for (const char* name : {"/abc", "/bcd", "/cde"}) ASSERT_EQ(send("PUT", name).status, 200);
  auto first = codec::parse_xml(send("GET", "/?max-buckets=2").body);
  ASSERT_TRUE(first);
  ASSERT_EQ(first->child("Buckets")->children.size(), 2U);
  EXPECT_EQ(first->child("Buckets")->children[1].text_of("Name"), "bcd");
  std::string token(first->text_of("ContinuationToken"));
  auto second = codec::parse_xml(send("GET", "/?max-buckets=2&continuation-token=" + token).body);
  ASSERT_EQ(second->child("Buckets")->children.size(), 2U);
  EXPECT_EQ(second->child("Buckets")->children[0].text_of("Name"), "box");
  EXPECT_EQ(second->text_of("ContinuationToken"), "");
  auto some = codec::parse_xml(send("GET", "/?prefix=c").body);
  ASSERT_EQ(some->child("Buckets")->children.size(), 1U);
  EXPECT_EQ(some->child("Buckets")->children[0].text_of("BucketRegion"), "us-east-1");
  EXPECT_EQ(code_of(send("GET", "/?max-buckets=0")), "InvalidArgument");
}

TEST_F(DoorTest, copies_keep_or_replace_the_metadata) {
  ASSERT_EQ(send("PUT", "/box/from", "bytes", {{"x-amz-meta-a", "1"}}).status, 200);
  auto copied = send("PUT", "/box/to", "", {{"x-amz-copy-source", "/box/from"}});
  EXPECT_EQ(copied.status, 200) << copied.body;
  EXPECT_EQ(header(send("HEAD", "/box/to"), "x-amz-meta-a"), "1");
  send("PUT", "/box/to", "",
       {{"x-amz-copy-source", "box/from"},
        {"x-amz-metadata-directive", "REPLACE"},
        {"x-amz-meta-b", "2"}});
  EXPECT_EQ(header(send("HEAD", "/box/to"), "x-amz-meta-b"), "2");
  EXPECT_EQ(header(send("HEAD", "/box/to"), "x-amz-meta-a"), "");
  EXPECT_EQ(code_of(send("PUT", "/box/to", "", {{"x-amz-copy-source", "box/absent"}})),
            "NoSuchKey");
  EXPECT_EQ(code_of(send("PUT", "/box/to", "", {{"x-amz-copy-source", "none/x"}})), "NoSuchBucket");
  EXPECT_EQ(code_of(send("PUT", "/box/to", "", {{"x-amz-copy-source", "box/to"}})),
            "InvalidRequest");
}

TEST_F(DoorTest, a_multipart_upload_becomes_one_object) {
  auto begun = send("POST", "/box/big?uploads", "", {{"x-amz-meta-a", "1"}});
  auto xml = codec::parse_xml(begun.body);
  ASSERT_TRUE(xml) << begun.body;
  std::string id(xml->text_of("UploadId"));
  std::string first(5 << 20, 'a'), second = "tail";
  std::string part = "/box/big?uploadId=" + id + "&partNumber=";
  std::string etag1 = header(send("PUT", part + "1", first, {}, 200'000), "ETag");
  std::string etag2 = header(send("PUT", part + "2", second), "ETag");
  EXPECT_EQ(etag2, "\"" + to_hex(md5(second)) + "\"");
  EXPECT_NE(send("GET", "/box?uploads").body.find(id), std::string::npos);
  EXPECT_NE(send("GET", "/box/big?uploadId=" + id).body.find("<PartNumber>2</PartNumber>"),
            std::string::npos);
  EXPECT_EQ(send("HEAD", "/box/big").status, 404);
  auto list = [&](const std::string& one, const std::string& two) {
    return "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + one +
           "</ETag></Part><Part><PartNumber>2</PartNumber><ETag>" + two +
           "</ETag></Part></CompleteMultipartUpload>";
  };
  EXPECT_EQ(code_of(send("POST", "/box/big?uploadId=" + id, list(etag2, etag1))), "InvalidPart");
  auto done = send("POST", "/box/big?uploadId=" + id, list(etag1, etag2));
  EXPECT_EQ(done.status, 200) << done.body;
  std::string etag = to_hex(md5(md5(first) + md5(second))) + "-2";
  auto get = send("GET", "/box/big");
  EXPECT_EQ(bytes_of(get), first + second);
  EXPECT_EQ(header(get, "ETag"), "\"" + etag + "\"");
  EXPECT_EQ(header(get, "x-amz-meta-a"), "1");
  EXPECT_EQ(code_of(send("POST", "/box/big?uploadId=" + id, list(etag1, etag2))), "NoSuchUpload");
  EXPECT_TRUE(io::posix_files().list(directory.path() + "/.pinpipe/uploads")->empty());
}

TEST_F(DoorTest, known_keys_are_verified_and_strangers_only_admitted_when_allowed) {
  ASSERT_EQ(send("PUT", "/box/k", "x").status, 200);
  HeaderLines headers = {{"Host", "127.0.0.1:4566"}};
  auth::RequestView view{.method = "GET",
                         .path = "/box/k",
                         .query = "",
                         .headers = {},
                         .payload_hash = to_hex(sha256(""))};
  view.headers.emplace_back("Host", "127.0.0.1:4566");
  auth::Credential key{"AKIDEXAMPLE", "secret", "", {}};
  for (auto& line : auth::sign_headers(view, key, {"us-east-1", "s3"}, clock.wall_ms()))
    headers.push_back(std::move(line));
  open({.auth_required = true});
  EXPECT_EQ(send("GET", "/box/k", "", headers).status, 200);
  EXPECT_EQ(code_of(send("GET", "/box/other", "", headers)), "SignatureDoesNotMatch");
  EXPECT_EQ(code_of(send("GET", "/box/k")), "AccessDenied");
  clock.advance(Millis(16 * 60 * 1'000));
  EXPECT_EQ(code_of(send("GET", "/box/k", "", headers)), "RequestTimeTooSkewed");
  key.access_key = "STRANGER";
  headers.resize(1);
  for (auto& line : auth::sign_headers(view, key, {"us-east-1", "s3"}, clock.wall_ms()))
    headers.push_back(std::move(line));
  EXPECT_EQ(code_of(send("GET", "/box/k", "", headers)), "InvalidAccessKeyId");
  open({});
  EXPECT_EQ(send("GET", "/box/k", "", headers).status, 200);
}

TEST_F(DoorTest, a_signed_chunked_upload_needs_every_chunk_s_signature) {
  auth::Credential key{"AKIDEXAMPLE", "secret", "", {}};
  std::string one(65'536, 'a'), two(1'024, 'b');
  auto upload = [&](bool spoil) {
    HeaderLines headers = {{"Host", "127.0.0.1:4566"}, {"x-amz-decoded-content-length", "66560"}};
    auth::RequestView view{.method = "PUT",
                           .path = "/box/k",
                           .query = "",
                           .headers = {},
                           .payload_hash = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"};
    for (const auto& [name, value] : headers) view.headers.emplace_back(name, value);
    const auth::HeaderList extra =
        auth::sign_headers(view, key, {"us-east-1", "s3"}, clock.wall_ms());
    for (const auto& line : extra) headers.push_back(line);
    view.headers.clear();  // views of the list as it was
    for (const auto& [name, value] : headers) view.headers.emplace_back(name, value);
    auto verified = auth::verify_sigv4(view, s3->keys(), {}, clock.wall_ms());
    CHECK(verified.has_value(), "the request itself is well signed");
    auth::ChunkSignatures chain(*verified);
    std::string framed;
    for (const std::string& chunk : {one, two, std::string()}) {
      char size[20];
      std::snprintf(size, sizeof size, "%zx", chunk.size());
      framed += size;
      framed += ";chunk-signature=" + chain.next(chunk) + "\r\n" + chunk + "\r\n";
    }
    if (spoil) framed[70'000 - 4'000] = 'c';
    return send("PUT", "/box/k", framed, headers, 10'000);
  };
  EXPECT_EQ(upload(false).status, 200);
  EXPECT_EQ(bytes_of(send("GET", "/box/k")), one + two);
  EXPECT_EQ(code_of(upload(true)), "SignatureDoesNotMatch");
}

TEST_F(DoorTest, an_expired_link_is_refused) {
  ASSERT_EQ(send("PUT", "/box/k", "x").status, 200);
  std::string past = std::to_string(clock.wall_ms() / 1'000 - 1);
  std::string future = std::to_string(clock.wall_ms() / 1'000 + 60);
  std::string link = "/box/k?AWSAccessKeyId=AKIDEXAMPLE&Signature=";
  std::string right = to_base64(hmac_sha1("secret", "GET\n\n\n" + future + "\n/box/k"));
  EXPECT_EQ(send("GET", link + codec::percent_encode(right) + "&Expires=" + future).status, 200);
  EXPECT_EQ(code_of(send("GET", link + "AAAA&Expires=" + future)), "SignatureDoesNotMatch");
  EXPECT_EQ(code_of(send("GET", link + codec::percent_encode(right) + "&Expires=" + past)),
            "AccessDenied");
}

TEST(ChecksumTest, known_answers) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
  EXPECT_EQ(crc64nvme("123456789"), 0xAE8B14860A799888ULL);
  EXPECT_EQ(crc32("6789", crc32("12345")), 0xCBF43926U);
  EXPECT_EQ(crc64nvme("3456789", crc64nvme("12")), 0xAE8B14860A799888ULL);
}

TEST(HttpDateTest, only_the_one_form_is_read) {
  EXPECT_EQ(from_http_date("Wed, 21 Oct 2015 07:28:00 GMT"), 1'445'412'480'000);
  for (const char* bad :
       {"", "Wed, 21 Oct 2015 07:28:00", "2015-10-21T07:28:00Z", "x, 99 Oct 2015 07:28:00 GMT"})
    EXPECT_EQ(from_http_date(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace pinpipe::s3
