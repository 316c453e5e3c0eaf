#include "sql/row_scan.h"

#include <gmock/gmock.h>

#include "sql/engine_fixture.h"

namespace pinpipe::sql {
namespace {

using columns::Column;
using columns::Type;

std::shared_ptr<const columns::Schema> schema() {
  return std::make_shared<const columns::Schema>(
      *columns::Schema::make({Column{.name = "number", .type = Type::int64, .synonyms = {}},
                              Column{.name = "words", .type = Type::text, .synonyms = {}}}));
}

// Numbers up to an end, with null words at every third; then an error, when there is one.
class Numbers : public RowReader {
 public:
  Numbers(int64_t end, std::string error) : end_(end), error_(std::move(error)) {}

  Result<size_t> fill(const columns::Target& target) override {
    if (at_ == end_ && !error_.empty()) return Error(Code::unavailable, error_);
    size_t row = 0;
    for (; row < target.rows_max && at_ < end_; ++row, ++at_) {
      const auto& [number, words] = std::tie(target.columns[0], target.columns[1]);
      if (number.values != nullptr) {
        static_cast<int64_t*>(number.values)[row] = at_;
        number.set_valid(row);
      }
      if (words.values == nullptr) continue;
      if (at_ % 3 == 0) {
        words.set_null(row);
      } else {
        target.put_text(words, row, "number " + std::to_string(at_) + " of many", false);
        words.set_valid(row);
      }
    }
    return row;
  }

 private:
  int64_t end_;
  int64_t at_ = 0;
  std::string error_;
};

class RowScanTest : public EngineTest {
 protected:
  void make_view(int64_t end, std::string error = "") {
    auto made = connection_->create_row_view(
        {"topic", "x"},
        {.schema = schema(), .open = [=] { return std::make_unique<Numbers>(end, error); }});
    ASSERT_TRUE(made) << made.error().text();
  }
};

TEST_F(RowScanTest, every_query_reads_all_rows_anew) {
  make_view(100'000);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(answer("select count(*), sum(number), count(words) from topic.x"),
              "100000|4999950000|66666");
  }
  EXPECT_EQ(answer("select words from topic.x where number = 5001 or number = 5002"),
            "number 5002 of many");
  EXPECT_EQ(answer("select count(*) from topic.x a join topic.x b on a.number = b.number"),
            "100000");
}

TEST_F(RowScanTest, a_query_that_has_enough_does_not_read_on) {
  make_view(INT64_MAX);
  EXPECT_EQ(answer("select number from topic.x limit 1"), "0");
}

TEST_F(RowScanTest, an_error_of_the_reader_is_the_querys) {
  make_view(5000, "the broker is gone");
  EXPECT_THAT(answer("select count(words) from topic.x"), testing::HasSubstr("the broker is gone"));
  EXPECT_EQ(answer("select 1"), "1");
}

TEST_F(RowScanTest, a_view_made_again_reads_the_other_input) {
  make_view(1);
  make_view(2);
  EXPECT_EQ(answer("select count(*) from topic.x"), "2");
}

}  // namespace
}  // namespace pinpipe::sql
