#include "source/address.h"

#include <gtest/gtest.h>

#include "kit/temporary_directory.h"

namespace pinpipe::source {
namespace {

const Environment nothing = [](std::string_view) { return std::nullopt; };

std::string told(const Result<Address>& address) {
  if (!address) return "error: " + address.error().text();
  return address->shown() + " as " + address->user + " with " + address->password;
}

TEST(Address, a_dsn_is_read_as_the_scripts_write_it) {
  EXPECT_EQ(
      told(parse_dsn("mysql+pymysql://me:p%40ss@db.example:3307/pinterest_data?charset=utf8mb4")),
      "mysql://db.example:3307/pinterest_data as me with p@ss");
  EXPECT_EQ(told(parse_dsn("postgresql://me:a@b/c@[::1]/rows")),
            "postgres://::1:5432/rows as me with a@b/c");
  EXPECT_EQ(told(parse_dsn("mysql://localhost/rows")), "mysql://localhost:3306/rows as  with ");
  EXPECT_EQ(parse_dsn("sqlite:///rows.db")->path, "rows.db");
  EXPECT_EQ(parse_dsn("sqlite:/tmp/rows.db")->path, "/tmp/rows.db");
  EXPECT_EQ(parse_dsn("generated")->kind, Address::Kind::generated);
  EXPECT_TRUE(parse_dsn("mysql://h/d?sslmode=require")->tls_required);
  EXPECT_EQ(parse_dsn("postgres://h/d?sslrootcert=/ca.pem")->ca_file, "/ca.pem");
}

TEST(Address, what_is_none_is_refused_without_its_password) {
  for (const char* wrong : {"", "oracle://me:secret@h/d", "mysql://me:secret@h", "sqlite:",
                            "mysql://me:secret@h:port/d", "mysql://me:secret@h:99999/d"}) {
    auto address = parse_dsn(wrong);
    ASSERT_FALSE(address) << wrong;
    EXPECT_EQ(address.error().text().find("secret"), std::string::npos) << address.error().text();
  }
}

TEST(Address, credentials_are_read_as_real_projects_write_them) {
  kit::TemporaryDirectory directory;
  std::string path = directory.path() + "/db_creds.yaml";
  auto read = [&](std::string_view text) {
    EXPECT_TRUE(io::posix_files().replace(path, text));
    return told(read_address(path, io::posix_files(), nothing));
  };
  EXPECT_EQ(read("HOST: rds.example\nUSER: project_user\nPASSWORD: ':t%;yCY3Yjg'\n"
                 "DATABASE: pinterest_data\nPORT: 3306\n"),
            "mysql://rds.example:3306/pinterest_data as project_user with :t%;yCY3Yjg");
  EXPECT_EQ(read("RDS_HOST: h\nRDS_USER: u\nRDS_PASSWORD: p\nRDS_DATABASE: d\nRDS_PORT: 5432\n"),
            "postgres://h:5432/d as u with p");
  EXPECT_EQ(read("DATABASE_TYPE: postgresql\nHOST: h\nUSER: u\nPASSWORD: p\nDATABASE: d\n"),
            "postgres://h:5432/d as u with p");
  EXPECT_EQ(read("HOST: h\nPASSWORD: p\n"),
            "error: credentials file " + path + ": USER is missing");
  EXPECT_EQ(read("HOST: [h\nPASSWORD: secret\n").find("secret"), std::string::npos);
}

TEST(Address, the_environment_holds_one_too) {
  Environment environment = [](std::string_view name) -> std::optional<std::string> {
    if (name == "RDS_HOST") return "h";
    if (name == "RDS_USER") return "u";
    if (name == "RDS_PASSWORD") return "p";
    if (name == "RDS_DATABASE") return "d";
    return std::nullopt;
  };
  EXPECT_EQ(told(read_address("env", io::posix_files(), environment)),
            "mysql://h:3306/d as u with p");
  EXPECT_FALSE(read_address("env", io::posix_files(), nothing));
}

TEST(Address, passwords_leave_the_arguments) {
  std::string arguments[] = {"pinpipe", "--source", "mysql://me:se@cret@h/d",
                             "--source=mysql://h/d", "http://127.0.0.1:8082/test"};
  char* raw[5];
  for (int i = 0; i < 5; ++i) raw[i] = arguments[i].data();
  hide_passwords(5, raw);
  EXPECT_EQ(arguments[2], "mysql://me:*******@h/d");
  EXPECT_EQ(arguments[3], "--source=mysql://h/d");
  EXPECT_EQ(arguments[4], "http://127.0.0.1:8082/test");
}

}  // namespace
}  // namespace pinpipe::source
