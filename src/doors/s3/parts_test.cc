// Parts, their checksums, conditional deletes and browser forms: the door's later half.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "codec/xml.h"
#include "doors/s3/checksums.h"
#include "doors/s3/door_fixture.h"
#include "doors/s3/part_checksums.h"

namespace pinpipe::s3 {
namespace {

class PartsTest : public DoorFixture {
 protected:
  std::string begin(const std::string& key, HeaderLines headers = {}) {
    auto begun = send("POST", "/box/" + key + "?uploads", "", std::move(headers));
    auto xml = codec::parse_xml(begun.body);
    EXPECT_EQ(begun.status, 200) << begun.body;
    return xml ? std::string(xml->text_of("UploadId")) : "";
  }
  http::Response put_part(const std::string& key, const std::string& id, int number,
                          std::string bytes, HeaderLines headers = {}) {
    return send("PUT", "/box/" + key + "?partNumber=" + std::to_string(number) + "&uploadId=" + id,
                std::move(bytes), std::move(headers));
  }
  http::Response complete(const std::string& key, const std::string& id,
                          const std::vector<std::string>& etags, HeaderLines headers = {}) {
    std::string xml = "<CompleteMultipartUpload>";
    for (size_t i = 0; i < etags.size(); ++i)
      xml += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>" + etags[i] +
             "</ETag></Part>";
    return send("POST", "/box/" + key + "?uploadId=" + id, xml + "</CompleteMultipartUpload>",
                std::move(headers));
  }
  std::string checksum(ChecksumKind kind, std::string_view bytes) {
    Checksum sum(kind);
    sum.add(bytes);
    return sum.base64();
  }
  const std::string large = std::string(objects::Uploads::part_bytes_min, 'l');
};

TEST_F(PartsTest, a_composite_checksum_is_of_the_parts_checksums) {
  std::string id = begin("k", {{"x-amz-checksum-algorithm", "CRC32"}});
  std::string first = checksum(ChecksumKind::crc32, large);
  std::string second = checksum(ChecksumKind::crc32, "tail");
  auto one = put_part("k", id, 1, large, {{"x-amz-checksum-crc32", first}});
  auto two = put_part("k", id, 2, "tail", {{"x-amz-checksum-crc32", second}});
  auto done = complete("k", id, {header(one, "ETag"), header(two, "ETag")});
  ASSERT_EQ(done.status, 200) << done.body;
  std::string expected =
      checksum(ChecksumKind::crc32, *from_base64(first) + *from_base64(second)) + "-2";
  EXPECT_EQ(codec::parse_xml(done.body)->text_of("ChecksumCRC32"), expected);
  auto head = send("HEAD", "/box/k", "", {{"x-amz-checksum-mode", "ENABLED"}});
  EXPECT_EQ(header(head, "x-amz-checksum-crc32"), expected);
  EXPECT_EQ(header(head, "x-amz-checksum-type"), "COMPOSITE");
  EXPECT_EQ(header(head, ".part-sizes"), "") << "ours alone";
  auto part = send("GET", "/box/k?partNumber=2");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(header(part, "x-amz-mp-parts-count"), "2");
  EXPECT_EQ(bytes_of(part), "tail");
  EXPECT_EQ(code_of(send("GET", "/box/k?partNumber=3")), "InvalidPartNumber");
  auto told = send("GET", "/box/k?attributes", "",
                   {{"x-amz-object-attributes", "ETag,Checksum,ObjectParts,ObjectSize"}});
  auto xml = codec::parse_xml(told.body);
  ASSERT_TRUE(xml) << told.body;
  EXPECT_EQ(xml->child("Checksum")->text_of("ChecksumCRC32"), expected);
  EXPECT_EQ(xml->child("ObjectParts")->text_of("PartsCount"), "2");
  EXPECT_EQ(xml->text_of("ObjectSize"), std::to_string(large.size() + 4));
  // A copy is in one part.
  ASSERT_EQ(send("PUT", "/box/copy", "", {{"x-amz-copy-source", "/box/k"}}).status, 200);
  auto copy = send("HEAD", "/box/copy", "", {{"x-amz-checksum-mode", "ENABLED"}});
  EXPECT_EQ(header(copy, "x-amz-checksum-crc32"), "");
  EXPECT_EQ(header(copy, "ETag").find("-"), std::string::npos);
}

TEST_F(PartsTest, a_full_object_checksum_is_of_all_bytes_and_a_wrong_one_is_refused) {
  HeaderLines full = {{"x-amz-checksum-algorithm", "CRC64NVME"},
                      {"x-amz-checksum-type", "FULL_OBJECT"}};
  std::string id = begin("k", full);
  std::string etag = header(put_part("k", id, 1, "bytes"), "ETag");
  EXPECT_EQ(code_of(complete("k", id, {etag}, {{"x-amz-checksum-crc64nvme", "AAAAAAAAAAA="}})),
            "BadDigest");
  EXPECT_EQ(code_of(send("GET", "/box/k")), "NoSuchKey");
  std::string right = checksum(ChecksumKind::crc64nvme, "bytes");
  EXPECT_EQ(complete("k", id, {etag}, {{"x-amz-checksum-crc64nvme", right}}).status, 200);
  auto get = send("GET", "/box/k", "", {{"x-amz-checksum-mode", "ENABLED"}});
  EXPECT_EQ(header(get, "x-amz-checksum-crc64nvme"), right);
  EXPECT_EQ(header(get, "x-amz-checksum-type"), "FULL_OBJECT");
  EXPECT_EQ(code_of(send(
                "POST", "/box/k?uploads", "",
                {{"x-amz-checksum-algorithm", "SHA256"}, {"x-amz-checksum-type", "FULL_OBJECT"}})),
            "InvalidRequest");
}

TEST_F(PartsTest, a_part_may_come_from_an_object) {
  ASSERT_EQ(send("PUT", "/box/source", "0123456789").status, 200);
  std::string id = begin("k");
  auto copied =
      send("PUT", "/box/k?partNumber=1&uploadId=" + id, "",
           {{"x-amz-copy-source", "box/source"}, {"x-amz-copy-source-range", "bytes=2-5"}});
  ASSERT_EQ(copied.status, 200) << copied.body;
  std::string etag(codec::parse_xml(copied.body)->text_of("ETag"));
  EXPECT_EQ(etag, "\"" + to_hex(md5("2345")) + "\"");
  auto beyond =
      send("PUT", "/box/k?partNumber=2&uploadId=" + id, "",
           {{"x-amz-copy-source", "box/source"}, {"x-amz-copy-source-range", "bytes=2-10"}});
  EXPECT_EQ(code_of(beyond), "InvalidRange");
  EXPECT_EQ(code_of(send("PUT", "/box/k?partNumber=2&uploadId=" + id, "",
                         {{"x-amz-copy-source", "box/absent"}})),
            "NoSuchKey");
  ASSERT_EQ(complete("k", id, {etag}).status, 200);
  EXPECT_EQ(bytes_of(send("GET", "/box/k")), "2345");
}

TEST_F(PartsTest, uploads_that_nobody_completed_are_swept_in_time) {
  std::string id = begin("k");
  ASSERT_EQ(put_part("k", id, 1, "bytes").status, 200);
  auto sweep = [&](int64_t before_ms) {
    return io::wait_on(runtime.loop(0), s3->uploads().remove_abandoned(before_ms));
  };
  int64_t now = system_clock().wall_ms();
  EXPECT_EQ(*sweep(now - 60'000), 0U);
  EXPECT_EQ(*sweep(now + 60'000), 1U);
  EXPECT_EQ(code_of(put_part("k", id, 2, "more")), "NoSuchUpload");
}

TEST_F(PartsTest, a_delete_may_name_the_version_it_means) {
  std::string etag = header(send("PUT", "/box/k", "v1"), "ETag");
  EXPECT_EQ(code_of(send("DELETE", "/box/k", "", {{"If-Match", "\"other\""}})),
            "PreconditionFailed");
  EXPECT_EQ(send("DELETE", "/box/k", "", {{"If-Match", etag}}).status, 204);
  EXPECT_EQ(code_of(send("DELETE", "/box/k", "", {{"If-Match", etag}})), "NoSuchKey");
  EXPECT_EQ(code_of(send("DELETE", "/box/k", "", {{"If-Match", "*"}})), "NoSuchKey");
}

class FormTest : public DoorFixture {
 protected:
  using Fields = std::vector<std::pair<std::string, std::string>>;
  static std::string body_of(const Fields& fields, std::string_view file,
                             std::string_view name = "pic.txt") {
    std::string body;
    for (const auto& [field, value] : fields)
      body += "--edge\r\nContent-Disposition: form-data; name=\"" + field + "\"\r\n\r\n" + value +
              "\r\n";
    return body + "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" +
           std::string(name) + "\"\r\nContent-Type: text/plain\r\n\r\n" + std::string(file) +
           "\r\n--edge--\r\n";
  }
  http::Response post(const Fields& fields, std::string_view file) {
    return send("POST", "/box", body_of(fields, file),
                {{"Content-Type", "multipart/form-data; boundary=edge"}});
  }
  // Signed as version 4 by the known key.
  Fields signed_fields(Fields fields, std::string conditions, std::string_view until = "") {
    std::string policy = R"({"expiration":")" +
                         std::string(until.empty() ? "2100-01-01T00:00:00Z" : until) +
                         R"(","conditions":[)" + conditions + "]}";
    std::string text = to_base64(policy);
    std::string key = auth::signing_key("secret", "20260102", {"us-east-1", "s3"});
    fields.emplace_back("X-Amz-Credential", "AKIDEXAMPLE/20260102/us-east-1/s3/aws4_request");
    fields.emplace_back("Policy", text);
    fields.emplace_back("X-Amz-Signature", to_hex(hmac_sha256(key, text)));
    return fields;
  }
  const std::string credential = R"(["starts-with","$x-amz-credential",""])";
};

TEST_F(FormTest, a_form_becomes_an_object) {
  auto stored = post({{"key", "in/${filename}"},
                      {"Content-Type", "text/plain"},
                      {"x-amz-meta-who", "Ada"},
                      {"success_action_status", "201"}},
                     "hello\r\n--edg");
  EXPECT_EQ(stored.status, 201) << stored.body;
  EXPECT_EQ(codec::parse_xml(stored.body)->text_of("Key"), "in/pic.txt");
  auto get = send("GET", "/box/in/pic.txt");
  EXPECT_EQ(bytes_of(get), "hello\r\n--edg");
  EXPECT_EQ(header(get, "Content-Type"), "text/plain");
  EXPECT_EQ(header(get, "x-amz-meta-who"), "Ada");
  auto moved = post({{"key", "k"}, {"success_action_redirect", "http://here/ok"}}, "x");
  EXPECT_EQ(moved.status, 303);
  EXPECT_TRUE(header(moved, "Location").starts_with("http://here/ok?bucket=box&key=k"));
}

TEST_F(FormTest, a_policy_allows_what_it_says_and_nothing_else) {
  open({.auth_required = true});
  std::string allows = R"({"bucket":"box"},["starts-with","$key","in/"],)" + credential +
                       R"(,["content-length-range",2,4])";
  EXPECT_EQ(post(signed_fields({{"key", "in/a"}}, allows), "abc").status, 204);
  EXPECT_EQ(code_of(post(signed_fields({{"key", "out/a"}}, allows), "abc")), "AccessDenied");
  EXPECT_EQ(code_of(post(signed_fields({{"key", "in/a"}}, allows), "abcde")), "EntityTooLarge");
  EXPECT_EQ(code_of(post(signed_fields({{"key", "in/a"}}, allows), "a")), "EntityTooSmall");
  EXPECT_EQ(code_of(post(signed_fields({{"key", "in/a"}, {"acl", "public"}}, allows), "abc")),
            "AccessDenied");
  EXPECT_EQ(code_of(post(signed_fields({{"key", "in/a"}}, allows, "2001-01-01T00:00:00Z"), "abc")),
            "AccessDenied");
  Fields forged = signed_fields({{"key", "in/a"}}, allows);
  forged.back().second[0] = forged.back().second[0] == '0' ? '1' : '0';
  EXPECT_EQ(code_of(post(forged, "abc")), "SignatureDoesNotMatch");
  EXPECT_EQ(code_of(post({{"key", "in/a"}}, "abc")), "AccessDenied");
}

TEST_F(FormTest, what_is_no_form_is_refused) {
  auto raw = [&](std::string body) {
    return code_of(send("POST", "/box", std::move(body),
                        {{"Content-Type", "multipart/form-data; boundary=edge"}}));
  };
  EXPECT_EQ(raw(""), "MalformedPOSTRequest");
  EXPECT_EQ(raw("--edge--"), "InvalidArgument");
  EXPECT_EQ(raw("--edge\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk"),
            "MalformedPOSTRequest");
  EXPECT_EQ(raw(body_of({}, "x")), "InvalidArgument") << "no key";
  EXPECT_EQ(code_of(send("POST", "/box", "x")), "PreconditionFailed");
  EXPECT_EQ(code_of(post({{"key", "../../etc/passwd"}}, "x")), "<>") << "a key like any other";
  EXPECT_EQ(bytes_of(send("GET", "/box/../../etc/passwd")), "x");
}

TEST(PartSizesTest, they_are_written_and_read_back) {
  std::vector<objects::PartFacts> parts(5);
  for (size_t i = 0; i < parts.size(); ++i) parts[i].size = i < 3 ? 10 : i;
  EXPECT_EQ(part_sizes_text(parts), "10*3,3,4");
  EXPECT_EQ(part_sizes_of("10*3,3,4"), (std::vector<uint64_t>{10, 10, 10, 3, 4}));
  EXPECT_TRUE(part_sizes_of("10*99999999").empty());
  EXPECT_TRUE(part_sizes_of("4,1*18446744073709551615").empty());
}

TEST_F(DoorFixture, a_link_is_over_when_it_says_so_whoever_signed_it) {
  ASSERT_EQ(send("PUT", "/box/k", "bytes").status, 200);
  auto link = [&](int64_t ago_s) {
    auth::RequestView view;
    view.method = "GET";
    view.path = "/box/k";
    view.headers.emplace_back("host", "127.0.0.1:4566");
    auth::Credential stranger{"STRANGER", "any", "", {}};
    return "/box/k?" + auth::presign_query(view, stranger, {"us-east-1", "s3"},
                                           clock.wall_ms() - ago_s * 1'000, 60);
  };
  EXPECT_EQ(bytes_of(send("GET", link(0))), "bytes");
  EXPECT_EQ(bytes_of(send("GET", link(59))), "bytes");
  EXPECT_EQ(code_of(send("GET", link(61))), "AccessDenied");
}

}  // namespace
}  // namespace pinpipe::s3
