#include "objects/remote_answer.h"

#include <gtest/gtest.h>

namespace pinpipe::objects {
namespace {

std::string keys_of(std::string_view encoding) {
  std::string xml = "<ListBucketResult><Contents><Key>a%2Bb+c</Key><Size>3</Size></Contents>";
  xml += "<CommonPrefixes><Prefix>p+q/</Prefix></CommonPrefixes>" + std::string(encoding);
  auto page = page_of_answer(xml + "</ListBucketResult>");
  if (!page) return page.error().text();
  return page->listing.objects.at(0).key + " " + page->listing.common_prefixes.at(0);
}

TEST(RemoteAnswer, names_are_decoded_only_where_the_server_says_that_they_are_encoded) {
  EXPECT_EQ(keys_of("<EncodingType>url</EncodingType>"), "a+b c p q/");
  EXPECT_EQ(keys_of("<EncodingType/>"), "a%2Bb+c p+q/");
  EXPECT_EQ(keys_of(""), "a%2Bb+c p+q/");
}

}  // namespace
}  // namespace pinpipe::objects
