#include "codec/csv.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "kit/seed.h"

namespace pinpipe::codec {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Result<Rows> read(std::string_view text) {
  Rows rows;
  Status done = read_csv(text, [&](const CsvRow& row) {
    auto& fields = rows.emplace_back();
    for (const CsvField& field : row) fields.push_back(field.text);
    return Status();
  });
  if (!done) return done.error();
  return rows;
}

TEST(Csv, quotes_only_what_needs_it) {
  std::string out;
  CsvWriter writer(out);
  writer.row({"a", "b c", "d,e", "f\"g", "h\ni", ""});
  writer.row({""});
  EXPECT_EQ(out, "a,b c,\"d,e\",\"f\"\"g\",\"h\ni\",\n\"\"\n");
}

TEST(Csv, reads_both_line_ends_and_a_last_line_without_one) {
  EXPECT_EQ(*read("a,b\r\n\"c\r\nd\",\n\ne"), (Rows{{"a", "b"}, {"c\r\nd", ""}, {"e"}}));
  EXPECT_TRUE(read("")->empty());
}

TEST(Csv, tells_the_line_of_a_mistake) {
  EXPECT_EQ(read("a\nb\"c\n").error().text(), "CSV line 2: a quote inside an unquoted field");
  EXPECT_EQ(read("\"a\"b\n").error().text(), "CSV line 1: text after a closing quote");
  EXPECT_EQ(read("a\n\"b").error().text(), "CSV line 2: a quote is left open");
}

TEST(Csv, whatever_is_written_reads_back_equal) {
  Random random(kit::seed());
  Rows rows;
  std::string out;
  CsvWriter writer(out);
  for (int i = 0; i < 2000; ++i) {
    auto& fields = rows.emplace_back();
    for (uint64_t count = 1 + random.below(4); count > 0; --count) {
      auto& field = fields.emplace_back();
      for (uint64_t size = random.below(5); size > 0; --size)
        field += "ab,\"\r\n \xC3"[random.below(8)];
    }
    writer.row(fields);
  }
  EXPECT_EQ(*read(out), rows);
}

}  // namespace
}  // namespace pinpipe::codec
