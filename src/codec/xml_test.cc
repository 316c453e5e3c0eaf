#include "codec/xml.h"

#include <gtest/gtest.h>

namespace pinpipe::codec {
namespace {

TEST(XmlWriter, what_is_no_character_becomes_the_sign_for_that) {
  std::string out;
  append_xml_text(out, "a\xfc\x01\xc3\xa4");
  EXPECT_EQ(out, "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_TRUE(parse_xml("<a>" + out + "</a>"));
  out.clear();
  append_xml_text(out, "\xc3\xa4");
  EXPECT_EQ(out, "\xc3\xa4");
}

TEST(XmlWriter, writes_elements_attributes_and_escaped_text) {
  std::string out;
  XmlWriter writer(out);
  writer.declaration().begin("Result").attribute("xmlns", "http://x/\"y\"");
  writer.element("Key", "a<b>&'\"\r\x01\u00e9").element("Size", 12).element("IsTruncated", false);
  writer.begin("Empty").end().end();
  EXPECT_EQ(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<Result xmlns=\"http://x/&quot;y&quot;\">"
            "<Key>a&lt;b&gt;&amp;&apos;&quot;&#13;\uFFFD\u00e9</Key><Size>12</Size>"
            "<IsTruncated>false</IsTruncated><Empty></Empty></Result>");
}

TEST(XmlReader, reads_what_s3_clients_send) {
  auto root = parse_xml(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- c -->"
      "<s3:Delete xmlns:s3='http://s3.amazonaws.com/doc/2006-03-01/'>\r\n"
      "  <Quiet> true </Quiet><Object><Key>a&amp;b&#x41;&#233;\r\n</Key></Object>"
      "<Object><Key><![CDATA[<raw>&amp;]]></Key></Object></s3:Delete>\n");
  ASSERT_TRUE(root) << root.error().text();
  EXPECT_EQ(root->name, "Delete");
  EXPECT_EQ(root->attributes[0].second, "http://s3.amazonaws.com/doc/2006-03-01/");
  EXPECT_EQ(root->text_of("Quiet"), "true");
  ASSERT_EQ(root->children.size(), 3u);
  EXPECT_EQ(root->children[1].child("Key")->text, "a&bA\u00e9\n");
  EXPECT_EQ(root->children[2].child("Key")->text, "<raw>&amp;");
  EXPECT_EQ(root->child("Absent"), nullptr);
}

TEST(XmlReader, what_is_written_reads_back_equal) {
  std::string key = "a<b>&'\"\r\n\t \u00e9\U0001F600";
  std::string out;
  XmlWriter(out).begin("r").attribute("a", key).text(key).end();
  auto root = parse_xml(out);
  ASSERT_TRUE(root) << root.error().text();
  EXPECT_EQ(root->text, key);
  EXPECT_EQ(root->attributes[0].second, key);
}

TEST(XmlReader, refuses_everything_else) {
  for (std::string_view bad : {"",
                               "x",
                               "<a>",
                               "<a></b>",
                               "<a></ab>",
                               "</a>",
                               "<a/><b/>",
                               "<a/>x",
                               "<a b></a>",
                               "<a b=c/>",
                               "<a b='1' b='2'/>",
                               "<a b='1'c='2'/>",
                               "<a b='<'/>",
                               "<1/>",
                               "< a/>",
                               "<a>&nbsp;</a>",
                               "<a>&#0;</a>",
                               "<a>&#xD800;</a>",
                               "<a>&#x110000;</a>",
                               "<a>&amp</a>",
                               "<a>&</a>",
                               "<a>\x01</a>",
                               "<a>]]></a>",
                               "<a><!-- -- --></a>",
                               "<a><!--</a>",
                               "<a><![CDATA[</a>",
                               "<a>\xff</a>",
                               "<!DOCTYPE a><a/>",
                               "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
                               "<a><?pi x?></a>",
                               "<?xml version='1.0'",
                               "<a:/>",
                               "<?xsl x?><a/>"}) {
    auto root = parse_xml(bad);
    ASSERT_FALSE(root) << bad;
    EXPECT_EQ(root.error().code(), Code::invalid);
  }
}

TEST(XmlReader, depth_elements_and_size_are_bounded) {
  auto nested = [](size_t depth) {
    std::string text;
    for (size_t i = 0; i < depth; ++i) text += "<a>";
    for (size_t i = 0; i < depth; ++i) text += "</a>";
    return text;
  };
  EXPECT_TRUE(parse_xml(nested(xml_depth_max)));
  EXPECT_FALSE(parse_xml(nested(xml_depth_max + 1)));
  std::string many = "<a>";
  for (size_t i = 0; i < xml_elements_max; ++i) many += "<b/>";
  EXPECT_FALSE(parse_xml(many + "</a>"));
  EXPECT_FALSE(parse_xml("<a>" + std::string(xml_bytes_max, 'x') + "</a>"));
}

}  // namespace
}  // namespace pinpipe::codec
