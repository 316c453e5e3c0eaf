// For this room's tests: an engine with one connection, and a directory that goes with the test.
#pragma once

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "base/id.h"
#include "sql/connection.h"

namespace pinpipe::sql {

class EngineTest : public testing::Test {
 protected:
  explicit EngineTest(Role role = Role::jobs) {
    std::filesystem::create_directories(directory_);
    std::filesystem::create_directories(directory_ / "lake");
    engine_ = open({.role = role,
                    .threads = 2,
                    .memory_bytes = 200 << 20,
                    .temp_bytes_max = 50 << 20,
                    .temp_root = directory_.string(),
                    .readable_directories = {(directory_ / "lake").string()}});
    connection_ = connect();
  }
  ~EngineTest() override {
    connection_.reset();
    engine_.reset();
    std::filesystem::remove_all(directory_);
  }

  static std::unique_ptr<Engine> open(const Engine::Options& options) {
    auto engine = Engine::open(options);
    EXPECT_TRUE(engine) << engine.error().text();
    return engine ? std::move(*engine) : nullptr;
  }
  std::unique_ptr<Connection> connect() {
    auto connection = engine_->connect();
    EXPECT_TRUE(connection) << connection.error().text();
    return connection ? std::move(*connection) : nullptr;
  }

  // The rows of the answer as text: cells between '|', rows between newlines; or the error.
  std::string answer(std::string_view sql) { return text_of(connection_->query(sql)); }
  std::string asked(std::string_view sql) { return text_of(connection_->ask(sql)); }
  static std::string text_of(const Result<Table>& table) {
    if (!table) return "error: " + table.error().text();
    std::string text;
    for (const Row& row : table->rows) {
      if (!text.empty()) text += "\n";
      for (size_t i = 0; i < row.size(); ++i) text += (i == 0 ? "" : "|") + to_text(row[i]);
    }
    return text;
  }
  std::string path(const std::string& name) const { return (directory_ / name).string(); }
  void write(const std::string& name, std::string_view bytes) const {
    std::ofstream(directory_ / name, std::ios::binary) << bytes;
  }

  const std::filesystem::path directory_ =
      std::filesystem::path(testing::TempDir()) / ("pinpipe-" + Uuid::random().text());
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace pinpipe::sql
