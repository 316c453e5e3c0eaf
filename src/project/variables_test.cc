#include "project/variables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log_line.h"

namespace pinpipe::project {
namespace {

using testing::HasSubstr;

class VariablesTest : public testing::Test {
 protected:
  // The text after replacement, with the given vars.
  std::string replaced(const std::string& text, const std::string& vars = "{}",
                       const std::map<std::string, std::string>& given = {}) {
    auto yaml = std::make_shared<Source>(Source{"v.yaml", vars});
    Node tree = *read_yaml(yaml, out_);
    Variables variables(
        [](const std::string& name) -> std::optional<std::string> {
          if (name == "HOME_OF_PIN") return "/home/pin";
          return std::nullopt;
        },
        [](const std::string& name) -> std::optional<std::string> {
          if (name == "token") return "s3cr3t-value";
          return std::nullopt;
        });
    variables.define(&tree, given, out_);
    auto source = std::make_shared<Source>(Source{"a.yaml", "key: " + text});
    Node node;
    node.kind = Node::Kind::scalar;
    node.text = text;
    node.at = {source, 1, 6};
    variables.replace_in(node, out_);
    return node.text;
  }
  std::string report() {
    std::string text;
    for (const Diagnostic& d : out_.take()) text += one_line(d) + " " + d.hint + "\n";
    return text;
  }
  Diagnostics out_;
};

TEST_F(VariablesTest, replaces_names_environment_and_secrets) {
  EXPECT_EQ(replaced("$(id).pin", "{id: 0e90}"), "0e90.pin");
  EXPECT_EQ(replaced("$(env:HOME_OF_PIN)/x"), "/home/pin/x");
  EXPECT_EQ(replaced("t=$(secret:token)"), "t=s3cr3t-value");
  EXPECT_EQ(replaced("costs 5$ or $5"), "costs 5$ or $5");
  EXPECT_EQ(report(), "");
}

TEST_F(VariablesTest, a_secret_is_redacted_from_then_on) {
  (void)replaced("$(secret:token)");
  testing::internal::CaptureStderr();
  log_info("project", "value s3cr3t-value");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::Not(HasSubstr("s3cr3t-value")));
}

TEST_F(VariablesTest, two_dollars_escape) {
  EXPECT_EQ(replaced("$$(id) $(id)", "{id: x}"), "$(id) x");
}

TEST_F(VariablesTest, what_is_given_wins) {
  EXPECT_EQ(replaced("$(id)", "{id: file}", {{"id", "given"}}), "given");
}

TEST_F(VariablesTest, variables_may_refer_to_each_other) {
  EXPECT_EQ(replaced("$(a)", "{a: $(b)-$(c), b: $(c), c: 1}"), "1-1");
  EXPECT_EQ(report(), "");
}

TEST_F(VariablesTest, a_circle_is_reported) {
  (void)replaced("$(a)", "{a: $(b), b: $(a)}");
  EXPECT_THAT(report(), HasSubstr("is defined by itself"));
}

TEST_F(VariablesTest, doubling_definitions_stay_bounded) {
  std::string vars = "{v0: xxxxxxxxxxxxxxxx";
  for (int i = 1; i < 40; ++i) {
    std::string above = "$(v" + std::to_string(i - 1) + ")";
    vars += ", v" + std::to_string(i) + ": " + above + above;
  }
  EXPECT_LE(replaced("$(v39)", vars + "}").size(), Variables::text_bytes_max);
  EXPECT_THAT(report(), HasSubstr("too long"));
}

TEST_F(VariablesTest, an_unknown_name_gets_the_nearest_one_and_its_place) {
  (void)replaced("x.$(usr_id)", "{user_id: 1}");
  EXPECT_EQ(report(), "a.yaml:1:8: there is no variable usr_id did you mean \"user_id\"?\n");
}

TEST_F(VariablesTest, braces_get_a_hint) {
  (void)replaced("a-${user_id}-b");
  EXPECT_EQ(report(),
            "a.yaml:1:8: references are not written with braces write $(name), not ${name}\n");
}

TEST_F(VariablesTest, missing_environment_secrets_and_nonsense_are_reported) {
  (void)replaced("$(env:NOT_THERE) $(secret:none) $(file:x) $(a b) $(open");
  std::string text = report();
  EXPECT_THAT(text, HasSubstr("environment variable NOT_THERE is not set"));
  EXPECT_THAT(text, HasSubstr("there is no secret none"));
  EXPECT_THAT(text, HasSubstr("$(file:x) cannot be read"));
  EXPECT_THAT(text, HasSubstr("$(a b) cannot be read"));
  EXPECT_THAT(text, HasSubstr("no closing )"));
}

}  // namespace
}  // namespace pinpipe::project
