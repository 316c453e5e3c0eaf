#include "lake/credential_table.h"

#include <gtest/gtest.h>

#include "kit/lake_fixture.h"

namespace pinpipe::lake {
namespace {

struct CredentialTable : LakeTest {
  const Location place{"lake", "authentication_credentials"};

  static auth::Credential key(std::string user, std::string access_key, std::string secret) {
    auth::Credential one;
    one.principal.name = std::move(user);
    one.access_key = std::move(access_key);
    one.secret = std::move(secret);
    return one;
  }
  Result<Version> write(std::vector<auth::Credential> keys) {
    return wait(write_credentials(services, place, std::move(keys)));
  }
  Result<std::vector<auth::Credential>> read() { return wait(read_credentials(services, place)); }
};

TEST_F(CredentialTable, keys_come_back_as_they_were_written) {
  ASSERT_TRUE(write({key("ada", "AKIA1", "it's\"/+=\\"), key("", "AKIA2", "two")}));
  auto keys = read();
  ASSERT_TRUE(keys) << keys.error().text();
  ASSERT_EQ(keys->size(), 2U);
  EXPECT_EQ((*keys)[0].principal.name, "ada");
  EXPECT_EQ((*keys)[0].access_key, "AKIA1");
  EXPECT_EQ((*keys)[0].secret, "it's\"/+=\\");
  EXPECT_EQ((*keys)[1].secret, "two");
}

TEST_F(CredentialTable, writing_again_leaves_only_the_new_keys) {
  ASSERT_TRUE(write({key("ada", "old", "old secret")}));
  ASSERT_TRUE(write({key("ada", "new", "new secret")}));
  auto keys = read();
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 1U);
  EXPECT_EQ(keys->front().access_key, "new");
}

TEST_F(CredentialTable, the_log_holds_no_secret) {
  ASSERT_TRUE(write({key("ada", "AKIA1", "terribly-secret")}));
  for (const std::string& name : store.keys_now()) {
    if (name.find("_delta_log/") == std::string::npos) continue;
    auto bytes = wait(store.get("lake", name.substr(name.find("authentication")), std::nullopt));
    ASSERT_TRUE(bytes) << name;
    EXPECT_EQ(bytes->find("terribly"), std::string::npos) << name;
  }
}

TEST_F(CredentialTable, names_are_found_in_any_case_and_a_row_without_keys_is_passed_over) {
  std::string select =
      "SELECT * FROM (VALUES ('  ', 'x'), (NULL, 'y'), (' AKIA ', ' s ')) AS t(\"access key id\", "
      "\"SECRET ACCESS KEY\")";
  auto connection = connect();
  auto encoded =
      encode(**connection, select, store.new_temporary(), {.blanks_in_names = true, .stop = {}});
  ASSERT_TRUE(encoded) << encoded.error().text();
  Encoded data = std::move(*encoded);
  TableOptions options;
  options.blanks_in_names = true;
  auto table = wait(Table::create(services, place, data.schema, options));
  ASSERT_TRUE(table) << table.error().text();
  ASSERT_TRUE(wait((*table)->write(WriteMode::append, std::move(data), {})));
  auto keys = read();
  ASSERT_TRUE(keys) << keys.error().text();
  ASSERT_EQ(keys->size(), 1U);
  EXPECT_EQ(keys->front().access_key, "AKIA");
  EXPECT_EQ(keys->front().secret, "s");
}

TEST_F(CredentialTable, what_is_missing_is_said) {
  EXPECT_EQ(read().error().code(), Code::not_found);
  EXPECT_EQ(write({}).error().code(), Code::invalid);
  EXPECT_EQ(write({key("ada", "AKIA1", "")}).error().code(), Code::invalid);
  ASSERT_NE(create("authentication_credentials"), nullptr);
  auto keys = read();
  ASSERT_FALSE(keys);
  EXPECT_NE(keys.error().text().find("Access key ID"), std::string::npos) << keys.error().text();
}

}  // namespace
}  // namespace pinpipe::lake
