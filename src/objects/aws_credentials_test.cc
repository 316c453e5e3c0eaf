#include "objects/aws_credentials.h"

#include <gtest/gtest.h>
#include <map>

#include "kit/temporary_directory.h"

namespace pinpipe::objects {
namespace {

class AwsCredentialsTest : public testing::Test {
 protected:
  Result<auth::Credential> find(std::string path = {}) {
    CredentialPlaces places;
    places.path = std::move(path);
    places.table = table;
    places.variable = [this](const char* name) -> std::optional<std::string> {
      auto found = variables.find(name);
      if (found == variables.end()) return std::nullopt;
      return found->second;
    };
    return find_credential(places);
  }
  std::string file(const std::string& name, std::string_view text) {
    std::string path = directory.path() + "/" + name;
    EXPECT_TRUE(io::posix_files().replace(path, text));
    return path;
  }

  kit::TemporaryDirectory directory;
  std::map<std::string, std::string> variables;
  CredentialTable table;
};

TEST_F(AwsCredentialsTest, the_console_s_csv_is_read) {
  auto found = find(file("authentication_credentials.csv",
                         "\xef\xbb\xbfUser name,Password,Access key ID,Secret access key\r\n"
                         "databricks-user,,AKIA1,\"se/cret+1\"\r\n"));
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->access_key, "AKIA1");
  EXPECT_EQ(found->secret, "se/cret+1");
  EXPECT_EQ(found->principal.name, "databricks-user");
  EXPECT_EQ(credential_of_csv("Access key ID,Secret\nA,b\n").error().code(), Code::invalid);
  EXPECT_EQ(credential_of_csv("Access key ID,Secret access key\n,b\n").error().code(),
            Code::invalid);
}

TEST_F(AwsCredentialsTest, rows_without_a_key_are_passed_over) {
  auto found = credential_of_csv("Access key ID,Secret access key\n,\nAKIA2,s\nAKIA3,t\n");
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->access_key, "AKIA2");
}

TEST_F(AwsCredentialsTest, a_directory_is_a_table_for_whoever_can_read_one) {
  auto refused = find(directory.path());
  EXPECT_EQ(refused.error().code(), Code::invalid);
  EXPECT_NE(refused.error().text().find(directory.path()), std::string::npos);
  table = [](const std::string&) {
    return credential_of_columns([](std::string_view name) -> std::optional<std::string> {
      return name == "user name" ? "u" : name == "access key id" ? "AKIA4" : " secret ";
    });
  };
  auto found = find(directory.path());
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->access_key + found->secret + found->principal.name, "AKIA4secretu");
  EXPECT_EQ(find(directory.path() + "/absent").error().code(), Code::not_found);
}

TEST_F(AwsCredentialsTest, the_environment_comes_before_the_profile) {
  variables["AWS_SHARED_CREDENTIALS_FILE"] =
      file("credentials", "[default]\naws_access_key_id = P\naws_secret_access_key=q\n");
  EXPECT_EQ(find()->access_key, "P");
  variables["AWS_ACCESS_KEY_ID"] = "E";
  EXPECT_EQ(find().error().code(), Code::invalid) << "a key without its secret";
  variables["AWS_SECRET_ACCESS_KEY"] = "f";
  variables["AWS_SESSION_TOKEN"] = "g";
  auto found = find();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->access_key + found->secret + found->session_token, "Efg");
}

TEST_F(AwsCredentialsTest, a_profile_is_found_by_its_name) {
  constexpr std::string_view text =
      "# mine\n[default]\naws_access_key_id=A\naws_secret_access_key=B\n\n"
      "[profile other]\naws_access_key_id = C \naws_secret_access_key = D\naws_session_token=T\n";
  EXPECT_EQ(credential_of_profile(text, "other")->access_key, "C");
  EXPECT_EQ(credential_of_profile(text, "other")->session_token, "T");
  EXPECT_EQ(credential_of_profile(text, "third").error().code(), Code::not_found);
  variables["HOME"] = "/nonexistent";
  auto none = find();
  EXPECT_EQ(none.error().code(), Code::not_found);
  EXPECT_NE(none.error().text().find("/nonexistent/.aws/credentials"), std::string::npos);
}

}  // namespace
}  // namespace pinpipe::objects
