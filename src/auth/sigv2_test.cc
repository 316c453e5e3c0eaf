#include "auth/sigv2.h"

#include <gtest/gtest.h>

namespace pinpipe::auth {
namespace {

Credentials table() {
  Credentials keys;
  EXPECT_TRUE(keys.add({"AKIAIOSFODNN7EXAMPLE",
                        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                        "",
                        {"ann", PrincipalKind::user}}));
  return keys;
}

// AWS's published example of query-string authentication.
constexpr std::string_view signed_query =
    "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires="
    "1175139620";
constexpr std::string_view path = "/johnsmith/photos/puppy.jpg";

TEST(SigV2, published_example_is_verified) {
  RequestView request{
      "GET", "/photos/puppy.jpg", signed_query, {{"Host", "johnsmith.s3.amazonaws.com"}}, ""};
  ASSERT_TRUE(has_sigv2(request));
  auto verified = verify_sigv2(request, path, table(), 1'175'139'620'000);
  ASSERT_TRUE(verified) << verified.error().string_to_sign;
  EXPECT_EQ(verified->principal.name, "ann");
}

TEST(SigV2, changes_and_late_uses_are_refused) {
  RequestView request{"GET", "/photos/puppy.jpg", signed_query, {{"Host", "h"}}, ""};
  auto fault = [&](const RequestView& changed, std::string_view resource, int64_t at) {
    auto verified = verify_sigv2(changed, resource, table(), at);
    return verified ? SignatureFault::missing : verified.error().fault;
  };
  EXPECT_EQ(fault(request, path, 1'175'139'621'000), SignatureFault::link_expired);
  EXPECT_EQ(fault(request, "/johnsmith/photos/other.jpg", 0), SignatureFault::mismatch);
  RequestView put = request;
  put.method = "PUT";
  EXPECT_EQ(fault(put, path, 0), SignatureFault::mismatch);
  std::string with_acl = std::string(signed_query) + "&acl";
  RequestView acl = request;
  acl.query = with_acl;
  EXPECT_EQ(fault(acl, path, 0), SignatureFault::mismatch);
  std::string with_other = std::string(signed_query) + "&prefix=x";
  acl.query = with_other;
  EXPECT_TRUE(verify_sigv2(acl, path, table(), 0));
  RequestView amz = request;
  amz.headers.emplace_back("x-amz-acl", "public-read");
  EXPECT_EQ(fault(amz, path, 0), SignatureFault::mismatch);
  acl.query = "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=x&Expires=soon";
  EXPECT_EQ(fault(acl, path, 0), SignatureFault::malformed);
  acl.query = "AWSAccessKeyId=nobody&Signature=x&Expires=1";
  EXPECT_EQ(fault(acl, path, 0), SignatureFault::unknown_key);
}

}  // namespace
}  // namespace pinpipe::auth
