#include "doors/mysql/door.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <mysql.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/socket.h>
#include <unistd.h>

#include "doors/mysql/login.h"
#include "doors/mysql/packets.h"
#include "doors/mysql/wire.h"
#include "io/files.h"
#include "kit/temporary_directory.h"
#include "source/sqlite.h"

namespace pinpipe::mysql {
namespace {

constexpr uint64_t rows = 8'000;

using Handle = std::unique_ptr<MYSQL, decltype(&mysql_close)>;

// A connection of bytes, for what no proper client sends.
class RawClient {
 public:
  explicit RawClient(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0, "the door listens");
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;

  void send(std::string_view bytes) {
    (void)!::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  void send_packet(uint8_t sequence, std::string_view payload) {
    PacketWriter out(sequence);
    out.add(payload);
    send(out.bytes());
  }
  // A packet's payload; empty when the server has hung up.
  std::string read() {
    std::string head = take(4);
    if (head.size() < 4) return {};
    return take(static_cast<uint8_t>(head[0]) | static_cast<size_t>(static_cast<uint8_t>(head[1]))
                                                    << 8);
  }

 private:
  std::string take(size_t count) {
    std::string bytes(count, '\0');
    ssize_t got = ::recv(socket_, bytes.data(), count, MSG_WAITALL);
    bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return bytes;
  }
  int socket_;
};

class MysqlDoorTest : public testing::Test {
 protected:
  void SetUp() override { open({}); }
  void TearDown() override { door_->stop(); }

  void open(Door::Options options) {
    if (door_) door_->stop();
    door_ = std::make_unique<Door>(std::move(options), runtime_, [this]() -> Result<std::string> {
      ++located_;
      auto source = source::SqliteSource::open_or_create(io::posix_files(), path(),
                                                         {.rows = rows, .seed = 3});
      if (!source) return source.error();
      return path();
    });
    auto port = door_->listen("localhost", 0);
    CHECK(port, "a port is free");
    port_ = *port;
    door_->start();
  }
  std::string path() const { return directory_.path() + "/it's 100%/source.db"; }

  Handle connect(const char* plugin = "mysql_native_password", const char* password = "pinpipe") {
    Handle handle(mysql_init(nullptr), mysql_close);
    mysql_options(handle.get(), MYSQL_DEFAULT_AUTH, plugin);
    mysql_options(handle.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(handle.get(), "127.0.0.1", "pinpipe", password, "pinterest_data", port_,
                           nullptr, 0) == nullptr) {
      refusal_ = mysql_error(handle.get());
      return {nullptr, mysql_close};
    }
    return handle;
  }
  // Rows as "a|b", nulls as "NULL"; an error as "1064 42000".
  std::vector<std::string> ask(MYSQL* handle, const std::string& statement) {
    if (mysql_real_query(handle, statement.data(), statement.size()) != 0)
      return {std::to_string(mysql_errno(handle)) + " " + mysql_sqlstate(handle)};
    std::vector<std::string> texts;
    MYSQL_RES* result = mysql_use_result(handle);
    if (result == nullptr) return texts;
    fields_.clear();
    for (unsigned i = 0; i < mysql_num_fields(result); ++i)
      fields_.push_back(*mysql_fetch_field_direct(result, i));
    names_.clear();
    for (const MYSQL_FIELD& field : fields_) names_.emplace_back(field.name);
    while (MYSQL_ROW row = mysql_fetch_row(result)) {
      std::string text;
      for (unsigned i = 0; i < mysql_num_fields(result); ++i)
        text += (i > 0 ? "|" : "") + std::string(row[i] != nullptr ? row[i] : "NULL");
      texts.push_back(std::move(text));
    }
    if (mysql_errno(handle) != 0) texts.push_back(std::to_string(mysql_errno(handle)));
    mysql_free_result(result);
    return texts;
  }
  std::vector<std::string> ask(const std::string& statement) {
    Handle handle = connect();
    EXPECT_NE(handle, nullptr) << refusal_;
    return handle ? ask(handle.get(), statement) : std::vector<std::string>();
  }

  kit::TemporaryDirectory directory_;
  io::Runtime runtime_{{.loops = 2, .disk_threads = 1, .work_threads = 2}};
  std::unique_ptr<Door> door_;
  uint16_t port_ = 0;
  int located_ = 0;
  std::string refusal_;
  std::vector<MYSQL_FIELD> fields_;
  std::vector<std::string> names_;
};

using Texts = std::vector<std::string>;

TEST_F(MysqlDoorTest, a_row_is_where_the_scripts_look_for_it) {
  EXPECT_EQ(located_, 0) << "the file is made when it is first asked for";
  Texts got = ask("SELECT * FROM geolocation_data LIMIT 7528, 1");
  source::GeneratedSource generated({.rows = rows, .seed = 3});
  source::Row row;
  ASSERT_TRUE(generated.read(source::Table::geo, 7528, row));
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(got[0].starts_with("7528|")) << got[0];
  EXPECT_NE(got[0].find("|" + std::string(row.text(2)) + "|" + std::string(row.text(3)) + "|"),
            std::string::npos)
      << got[0] << " as MySQL prints a FLOAT";
  EXPECT_EQ(ask("SELECT COUNT(*) AS count FROM pinterest_data"), Texts{"8000"});
  EXPECT_EQ(located_, 1);
}

TEST_F(MysqlDoorTest, columns_have_the_types_of_the_real_database) {
  (void)ask("SELECT * FROM geolocation_data LIMIT 1");
  ASSERT_EQ(fields_.size(), 5U);
  EXPECT_EQ(fields_[0].type, MYSQL_TYPE_LONG);
  EXPECT_EQ(fields_[1].type, MYSQL_TYPE_DATETIME);
  EXPECT_EQ(fields_[2].type, MYSQL_TYPE_FLOAT);
  EXPECT_EQ(fields_[4].type, MYSQL_TYPE_BLOB) << "TEXT on the wire";
  EXPECT_EQ(fields_[4].charsetnr, 45U);
  (void)ask("SELECT COUNT(*), 7/2, NULL, 'x', @@version FROM user_data");
  EXPECT_EQ(fields_[0].type, MYSQL_TYPE_LONGLONG);
  EXPECT_EQ(fields_[1].type, MYSQL_TYPE_DOUBLE);
  EXPECT_EQ(names_, (Texts{"COUNT(*)", "7/2", "NULL", "'x'", "@@version"}));
}

TEST_F(MysqlDoorTest, the_least_and_greatest_of_a_column_are_of_its_type) {
  (void)ask(
      "SELECT MIN(timestamp), MAX(g.latitude) AS top, MAX(ind), MAX(timestamp) = 1 FROM "
      "pinterest_data.geolocation_data g");
  ASSERT_EQ(fields_.size(), 4U);
  EXPECT_EQ(fields_[0].type, MYSQL_TYPE_DATETIME);
  EXPECT_EQ(fields_[1].type, MYSQL_TYPE_FLOAT);
  EXPECT_EQ(fields_[2].type, MYSQL_TYPE_LONG);
  EXPECT_EQ(fields_[3].type, MYSQL_TYPE_LONGLONG);
  EXPECT_EQ(names_[0], "MIN(timestamp)");
}

TEST_F(MysqlDoorTest, answers_what_clients_ask_about_tables) {
  Handle handle = connect();
  ASSERT_NE(handle, nullptr) << refusal_;
  auto at = [&](const std::string& statement) { return ask(handle.get(), statement); };
  EXPECT_EQ(
      at("SHOW FULL TABLES FROM `pinterest_data`"),
      (Texts{"geolocation_data|BASE TABLE", "pinterest_data|BASE TABLE", "user_data|BASE TABLE"}));
  EXPECT_EQ(at("SHOW TABLES LIKE 'user%'"), Texts{"user_data"});
  EXPECT_EQ(at("SHOW DATABASES"), (Texts{"information_schema", "pinterest_data"}));
  EXPECT_EQ(at("DESCRIBE user_data")[3], "age|int|NO||NULL|");
  EXPECT_EQ(at("SHOW VARIABLES LIKE 'lower_case_table_names'"), Texts{"lower_case_table_names|0"});
  EXPECT_EQ(at("SHOW VARIABLES WHERE Variable_name = 'autocommit'"), Texts{"autocommit|ON"});
  EXPECT_EQ(at("SHOW INDEX FROM pinterest_data").size(), 1U);
  EXPECT_NE(
      at("SHOW CREATE TABLE `pinterest_data`.`pinterest_data`")[0].find("`index` int NOT NULL"),
      std::string::npos);
  EXPECT_EQ(at("SELECT COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = DATABASE() "
               "AND DATA_TYPE = 'float' ORDER BY 1"),
            (Texts{"latitude", "longitude"}));
  EXPECT_EQ(at("SELECT DATABASE(), USER()"), Texts{"pinterest_data|pinpipe@localhost"});
  EXPECT_EQ(at("SELECT TABLE_ROWS FROM information_schema.tables WHERE table_name = 'user_data'"),
            Texts{"8000"});
}

TEST_F(MysqlDoorTest, functions_and_comparisons_are_mysqls) {
  Handle handle = connect();
  ASSERT_NE(handle, nullptr) << refusal_;
  auto at = [&](const std::string& statement) { return ask(handle.get(), statement)[0]; };
  EXPECT_EQ(at("SELECT CONCAT('a', NULL), CONCAT_WS('-', 'a', NULL, 'b'), LENGTH('é'), "
               "CHAR_LENGTH('é'), LEFT('été', 2), RIGHT('été', 2)"),
            "NULL|a-b|2|1|ét|té");
  EXPECT_EQ(at("SELECT YEAR('2020-08-28 03:52:47'), MONTHNAME('2020-08-28'), "
               "DATE_FORMAT('2020-08-28 03:52:47', '%d/%m/%Y %H:%i %W %j'), "
               "DATEDIFF('2020-03-01', '2020-02-28'), DAYOFWEEK('2020-08-28')"),
            "2020|August|28/08/2020 03:52 Friday 241|2|6");
  EXPECT_EQ(at("SELECT 'abc' LIKE 'A_C', 'a%c' LIKE 'a\\%c', 'abc' LIKE 'a\\%c', '' LIKE '%'"),
            "1|1|0|1");
  EXPECT_EQ(at("SELECT COUNT(*) > 0 FROM pinterest_data WHERE category = 'ART'"), "1");
  EXPECT_EQ(at("SELECT IF(1 <=> NULL, 'y', 'n'), 5 DIV 2, 5 MOD 2, IFNULL(NULL, 'x')"), "n|2|1|x");
  EXPECT_EQ(at("SELECT MAX(YEAR(timestamp)) - MIN(YEAR(timestamp)) FROM geolocation_data"), "5");
}

TEST_F(MysqlDoorTest, errors_have_mysqls_numbers) {
  Handle handle = connect();
  ASSERT_NE(handle, nullptr) << refusal_;
  auto at = [&](const std::string& statement) { return ask(handle.get(), statement)[0]; };
  EXPECT_EQ(at("INSERT INTO user_data VALUES (1)"), "1290 HY000");
  EXPECT_EQ(at("SELECT * FROM nowhere"), "1146 42S02");
  EXPECT_EQ(at("SELECT nothing FROM user_data"), "1054 42S22");
  EXPECT_EQ(at("SELECT no_such(1)"), "1305 42000");
  EXPECT_EQ(at("SELECT FROM WHERE"), "1064 42000");
  EXPECT_EQ(at("USE elsewhere"), "1049 42000");
  EXPECT_EQ(at("SELECT * FROM sqlite_master"), "1142 42000");
  EXPECT_EQ(at("SELECT * FROM pragma_database_list"), "1142 42000");
  EXPECT_EQ(at("SELECT load_extension('x')"), "1142 42000");
  EXPECT_EQ(at("SELECT 1"), "1") << "the connection goes on";
}

TEST_F(MysqlDoorTest, a_large_result_comes_whole) {
  Handle handle = connect();
  ASSERT_NE(handle, nullptr) << refusal_;
  Texts got = ask(handle.get(), "SELECT * FROM pinterest_data");
  ASSERT_EQ(got.size(), rows);
  EXPECT_TRUE(got[rows - 1].starts_with("7999|"));
}

TEST_F(MysqlDoorTest, a_prepared_statement_has_binary_rows) {
  Handle handle = connect();
  ASSERT_NE(handle, nullptr) << refusal_;
  MYSQL_STMT* statement = mysql_stmt_init(handle.get());
  std::string text =
      "SELECT ind, timestamp, latitude, country, NULL FROM geolocation_data WHERE ind = ? LIMIT ?";
  ASSERT_EQ(mysql_stmt_prepare(statement, text.data(), text.size()), 0)
      << mysql_stmt_error(statement);
  EXPECT_EQ(mysql_stmt_param_count(statement), 2U);
  int ind = 7528;
  long long limit = 1;
  MYSQL_BIND in[2] = {};
  in[0].buffer_type = MYSQL_TYPE_LONG;
  in[0].buffer = &ind;
  in[1].buffer_type = MYSQL_TYPE_LONGLONG;
  in[1].buffer = &limit;
  mysql_stmt_bind_param(statement, in);
  int got_ind = 0;
  MYSQL_TIME when{};
  float latitude = 0;
  char country[200] = {};
  my_bool nothing = 0;
  MYSQL_BIND out[5] = {};
  out[0].buffer_type = MYSQL_TYPE_LONG;
  out[0].buffer = &got_ind;
  out[1].buffer_type = MYSQL_TYPE_DATETIME;
  out[1].buffer = &when;
  out[2].buffer_type = MYSQL_TYPE_FLOAT;
  out[2].buffer = &latitude;
  out[3].buffer_type = MYSQL_TYPE_STRING;
  out[3].buffer = country;
  out[3].buffer_length = sizeof country;
  out[4].buffer_type = MYSQL_TYPE_STRING;
  out[4].is_null = &nothing;
  for (int turn = 0; turn < 2; ++turn) {
    ASSERT_EQ(mysql_stmt_execute(statement), 0) << mysql_stmt_error(statement);
    mysql_stmt_bind_result(statement, out);
    ASSERT_EQ(mysql_stmt_fetch(statement), 0);
    std::string expected =
        ask("SELECT ind, year(timestamp), latitude, country FROM geolocation_data "
            "LIMIT 7528, 1")[0];
    EXPECT_EQ(fmt::format("{}|{}|{:.6g}|{}", got_ind, when.year, latitude, country), expected);
    EXPECT_TRUE(nothing);
    EXPECT_EQ(mysql_stmt_fetch(statement), MYSQL_NO_DATA);
  }
  mysql_stmt_close(statement);
}

TEST_F(MysqlDoorTest, both_ways_of_logging_in_prove_the_password) {
  open({.any_login_on_loopback = false});
  for (const char* plugin : {"mysql_native_password", "caching_sha2_password"}) {
    EXPECT_NE(connect(plugin), nullptr) << plugin << ": " << refusal_;
    EXPECT_EQ(connect(plugin, "wrong"), nullptr) << plugin;
    EXPECT_NE(refusal_.find("Access denied for user 'pinpipe'@'localhost' (using password: YES)"),
              std::string::npos)
        << refusal_;
    EXPECT_EQ(refusal_.find("server's key"), std::string::npos) << refusal_;
    EXPECT_EQ(connect(plugin, ""), nullptr) << plugin;
  }
  open({});
  EXPECT_NE(connect("caching_sha2_password", "anything"), nullptr) << refusal_;
}

std::string encrypted(const std::string& pem, std::string plain) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  EVP_PKEY* key = PEM_read_bio_PUBKEY(bio, nullptr, nullptr, nullptr);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(key, nullptr);
  EVP_PKEY_encrypt_init(context);
  EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING);
  std::string out(256, '\0');
  size_t size = out.size();
  EVP_PKEY_encrypt(context, reinterpret_cast<unsigned char*>(out.data()), &size,
                   reinterpret_cast<const unsigned char*>(plain.data()), plain.size());
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(key);
  BIO_free(bio);
  return out;
}

std::string login_packet(std::string_view answer) {
  std::string out;
  append_le(out, capability::protocol_41 | capability::secure_connection | capability::plugin_auth |
                     capability::long_answers);
  append_le(out, uint32_t{1} << 24);
  out.push_back(45);
  out.append(23, '\0');
  out.append("pinpipe").push_back('\0');
  append_text(out, answer);
  out.append(sha2_plugin).push_back('\0');
  return out;
}

TEST_F(MysqlDoorTest, the_full_exchange_takes_the_password_under_the_servers_key) {
  open({.any_login_on_loopback = false});
  RawClient client(port_);
  std::string greeting = client.read();
  size_t at = greeting.find('\0') + 1 + 4;
  std::string nonce =
      greeting.substr(at, 8) + greeting.substr(at + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10, 12);
  client.send_packet(1, login_packet(std::string(32, 'x')));
  EXPECT_EQ(client.read(), "\x01\x04");
  client.send_packet(3, "\x02");
  std::string pem = client.read().substr(1);
  std::string password = std::string("pinpipe") + '\0';
  for (size_t i = 0; i < password.size(); ++i)
    password[i] = static_cast<char>(password[i] ^ nonce[i % 20]);
  client.send_packet(5, encrypted(pem, password));
  EXPECT_EQ(client.read().substr(0, 1), std::string(1, '\0')) << "logged in";
}

TEST_F(MysqlDoorTest, what_is_no_packet_ends_its_own_connection_only) {
  Handle steady = connect();
  ASSERT_NE(steady, nullptr) << refusal_;
  std::vector<std::string> hostile = {std::string("\xff\xff\xff\x01", 4),
                                      std::string("\x01\x00\x00\x07x", 5), "GET / HTTP/1.1\r\n\r\n",
                                      std::string(2'000, '\xff')};
  for (const std::string& bytes : hostile) {
    RawClient client(port_);
    (void)client.read();
    client.send(bytes);
    EXPECT_EQ(client.read(), "");
  }
  RawClient client(port_);
  (void)client.read();
  client.send_packet(1, login_packet(std::string(32, 'x')));
  EXPECT_EQ(client.read(), "\x01\x03");
  EXPECT_EQ(client.read().substr(0, 1), std::string(1, '\0'));
  client.send_packet(0, "\x17\x01");
  EXPECT_EQ(client.read(), "") << "a statement that is cut off";
  EXPECT_EQ(ask(steady.get(), "SELECT 1"), Texts{"1"});
}

TEST_F(MysqlDoorTest, a_statement_has_its_time) {
  open({.statement_time = Millis(50)});
  EXPECT_EQ(ask("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                "SELECT COUNT(*) FROM n"),
            Texts{"3024 HY000"});
}

}  // namespace
}  // namespace pinpipe::mysql
