#include "project/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinpipe::project {
namespace {

using testing::HasSubstr;

struct Read {
  std::optional<Node> tree;
  std::string report;
};

Read read(std::string text) {
  Diagnostics out;
  Read result;
  result.tree = read_yaml(std::make_shared<Source>(Source{"a.yaml", std::move(text)}), out);
  for (const Diagnostic& d : out.take()) result.report += one_line(d) + "\n";
  return result;
}

TEST(Yaml, keeps_text_and_places) {
  Read r = read("name: pin\nlist: [a, 'b']\nmap:\n  inner: 007\nempty:\n");
  ASSERT_TRUE(r.tree) << r.report;
  EXPECT_EQ(r.tree->find("name")->text, "pin");
  EXPECT_EQ(r.tree->find("name")->at.line, 1);
  EXPECT_EQ(r.tree->find("name")->at.column, 7);
  EXPECT_FALSE(r.tree->find("list")->items[0].quoted);
  EXPECT_TRUE(r.tree->find("list")->items[1].quoted);
  EXPECT_EQ(r.tree->find("map")->find("inner")->text, "007");
  EXPECT_EQ(r.tree->find("map")->find("inner")->at.line, 4);
  EXPECT_EQ(r.tree->find("empty")->kind, Node::Kind::null);
  EXPECT_EQ(r.tree->find("absent"), nullptr);
}

TEST(Yaml, refuses_a_key_that_stands_twice) {
  EXPECT_EQ(read("a: 1\nb: 2\na: 3\n").report, "a.yaml:3:1: key \"a\" stands here again\n");
  EXPECT_FALSE(read("a: {b: 1, b: 2}\n").tree);
}

TEST(Yaml, refuses_tabs_in_the_indentation) {
  EXPECT_THAT(read("a:\n\tb: 1\n").report, HasSubstr("a.yaml:2:1: a tab in the indentation"));
  EXPECT_TRUE(read("a: 'x\ty'\n").tree);
}

TEST(Yaml, refuses_tags_second_documents_and_keys_that_are_no_names) {
  EXPECT_THAT(read("a: !!int 3\n").report, HasSubstr("a.yaml:1:4: tags"));
  EXPECT_THAT(read("a: 1\n---\nb: 2\n").report, HasSubstr("second document"));
  EXPECT_THAT(read("? [a]\n: 1\n").report, HasSubstr("a key has to be a plain name"));
  EXPECT_THAT(read("? {a: b}\n: 1\n").report, HasSubstr("a key has to be a plain name"));
}

TEST(Yaml, says_where_the_syntax_breaks) {
  EXPECT_THAT(read("a: [1, 2\nb: 3\n").report, HasSubstr("a.yaml:"));
  Diagnostics out;
  auto source = std::make_shared<Source>(Source{"a.yaml", "a: {b: ${x}}\n"});
  ASSERT_FALSE(read_yaml(source, out));
  EXPECT_EQ(out.list().front().hint, "write $(name), not ${name}");
}

TEST(Yaml, refuses_bytes_that_are_not_utf8) {
  EXPECT_THAT(read("a: \xff\n").report, HasSubstr("a.yaml:1:4: the text is not UTF-8 here"));
  EXPECT_THAT(read(std::string("a: \0\n", 5)).report, HasSubstr("not UTF-8"));
  EXPECT_FALSE(read("a: \xc3").tree);
  EXPECT_TRUE(read("a: é\n").tree);
}

TEST(Yaml, stops_when_aliases_multiply) {
  std::string laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c < 'j'; ++c) {
    std::string above = "*" + std::string(1, static_cast<char>(c - 1));
    laughs += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 10; ++i) laughs += (i > 0 ? ", " : "") + above;
    laughs += "]\n";
  }
  Read r = read(laughs);
  EXPECT_FALSE(r.tree);
  EXPECT_THAT(r.report, HasSubstr("aliases expanded"));
}

TEST(Yaml, stops_when_a_long_text_is_repeated_by_aliases) {
  std::string text = "a: &a \"" + std::string(100'000, 'x') + "\"\nb: [";
  for (int i = 0; i < 1000; ++i) text += "*a, ";
  Read r = read(text + "*a]\n");
  EXPECT_FALSE(r.tree);
  EXPECT_THAT(r.report, HasSubstr("aliases expanded"));
}

TEST(Yaml, bounds_depth_keys_and_size) {
  EXPECT_THAT(read(std::string(100, '[') + std::string(100, ']')).report, HasSubstr("deeper"));
  EXPECT_FALSE(read(std::string(100'000, '[')).tree);
  EXPECT_THAT(read(std::string(300'000, 'a')).report, HasSubstr("bytes"));
  std::string wide;
  for (int i = 0; i < 3000; ++i) wide += "k" + std::to_string(i) + ": 1\n";
  EXPECT_THAT(read(wide).report, HasSubstr("more than 2000 keys"));
}

TEST(Yaml, an_alias_inside_its_own_value_is_an_error) {
  EXPECT_FALSE(read("a: &a [*a]\n").tree);
}

TEST(Yaml, lays_one_tree_over_another) {
  Node under = *read("a: {x: 1, y: 2}\nb: [1, 2]\nc: 3\n").tree;
  lay_over(under, *read("a: {y: 5, z: 6}\nb: [9]\nc:\n").tree);
  EXPECT_EQ(under.find("a")->find("x")->text, "1");
  EXPECT_EQ(under.find("a")->find("y")->text, "5");
  EXPECT_EQ(under.find("a")->find("z")->text, "6");
  EXPECT_EQ(under.find("b")->items.size(), 1u);
  EXPECT_EQ(under.find("c"), nullptr);
}

}  // namespace
}  // namespace pinpipe::project
