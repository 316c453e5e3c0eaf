// Rows of tables as other writers leave them: deletion vectors, mapped columns, files that no
// wanted row is in.
#include <gmock/gmock.h>

#include "base/bytes.h"
#include "codec/json.h"
#include "kit/lake_fixture.h"
#include "lake/deletion_vector.h"
#include "lake/prune.h"
#include "lake/scan.h"

namespace pinpipe::lake {
namespace {

template <class T>
void append_le(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// One 32-bit bitmap with one array container, behind Delta's magic number.
std::string roaring_of(const std::vector<uint16_t>& rows) {
  std::string bytes;
  append_le(bytes, uint32_t{1681511377});
  append_le(bytes, uint64_t{1});
  append_le(bytes, uint32_t{0});
  append_le(bytes, uint32_t{12346});
  append_le(bytes, uint32_t{1});
  append_le(bytes, uint16_t{0});
  append_le(bytes, static_cast<uint16_t>(rows.size() - 1));
  append_le(bytes, uint32_t{16});
  for (uint16_t row : rows) append_le(bytes, row);
  return bytes;
}

std::string z85_of(std::string bytes) {
  constexpr std::string_view alphabet =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
  while (bytes.size() % 4 != 0) bytes += '\0';
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 4) {
    auto value = load_be<uint32_t>(bytes.data() + i);
    std::string group;
    for (int digit = 0; digit < 5; ++digit, value /= 85) group.insert(0, 1, alphabet[value % 85]);
    text += group;
  }
  return text;
}

TEST(DeletionVectorTest, containers_of_all_three_kinds_are_read) {
  std::string bytes;
  append_le(bytes, uint32_t{1681511377});
  append_le(bytes, uint64_t{2});
  // Bitmap 0: a run container 10..12 and a bit set of the even numbers, with runs in the heading.
  append_le(bytes, uint32_t{0});
  append_le(bytes, uint32_t{12347 | (1 << 16)});
  bytes += '\x01';
  for (int head : {0, 2, 1, 32767}) append_le(bytes, static_cast<uint16_t>(head));
  append_le(bytes, uint16_t{1});
  append_le(bytes, uint16_t{10});
  append_le(bytes, uint16_t{2});
  for (int word = 0; word < 1024; ++word) append_le(bytes, uint64_t{0x5555555555555555});
  // Bitmap 1: an array container.
  append_le(bytes, uint32_t{1});
  bytes += roaring_of({7, 9}).substr(16);
  auto rows = decode_roaring(bytes);
  ASSERT_TRUE(rows) << rows.error().text();
  ASSERT_EQ(rows->size(), 3U + 32768 + 2);
  EXPECT_EQ((*rows)[2], 12U);
  EXPECT_EQ((*rows)[3], 65536U);
  EXPECT_EQ((*rows)[4], 65538U);
  EXPECT_EQ(rows->back(), (uint64_t{1} << 32) + 9);
  for (size_t size = 0; size < bytes.size(); size += 1 + size / 16) {
    EXPECT_FALSE(decode_roaring(std::string_view(bytes).substr(0, size))) << size;
  }
}

TEST(DeletionVectorTest, the_specifications_examples_of_places_are_understood) {
  auto file = parse_deletion_vector(
      R"({"storageType":"u","pathOrInlineDv":"ab^-aqEH.-t@S}K{vb[*k^","offset":4,)"
      R"("sizeInBytes":40,"cardinality":6})");
  ASSERT_TRUE(file) << file.error().text();
  EXPECT_EQ(file->path, "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin");
  auto inlined = parse_deletion_vector(
      R"({"storageType":"i","pathOrInlineDv":"^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L",)"
      R"("sizeInBytes":44,"cardinality":6})");
  ASSERT_TRUE(inlined) << inlined.error().text();
  auto rows = deleted_rows(*inlined, "");
  ASSERT_TRUE(rows) << rows.error().text();
  EXPECT_EQ(*rows, (std::vector<uint64_t>{3, 4, 7, 11, 18, 29}));
  EXPECT_FALSE(parse_deletion_vector(
      R"({"storageType":"p","pathOrInlineDv":"/x","sizeInBytes":1,"cardinality":1})"));
}

// The member of an add action whose rows are deleted, said to be so many.
std::string vector_member(const std::vector<uint16_t>& rows, int64_t said) {
  std::string bitmap = roaring_of(rows);
  std::string json = ",\"deletionVector\":";
  codec::JsonWriter out(json);
  out.begin_object().field("storageType", "i").field("pathOrInlineDv", z85_of(bitmap));
  out.field("sizeInBytes", static_cast<int64_t>(bitmap.size())).field("cardinality", said);
  out.end_object();
  return json;
}

struct ReadingTest : LakeTest {
  std::string answer(const std::string& columns, const std::string& name = "t",
                     ScanOptions options = {}) {
    auto table = open(name);
    if (table == nullptr) return "";
    auto scanned = wait(scan(services, {"lake", name}, table->snapshot(), std::move(options)));
    if (!scanned) return scanned.error().text();
    skipped = scanned->skipped;
    auto rows =
        (*connect())
            ->query("SELECT " + columns + " FROM (" + scanned->select + ") AS t ORDER BY ALL");
    if (!rows) return rows.error().text();
    std::string text;
    for (const sql::Row& row : rows->rows) {
      for (const sql::Value& cell : row) text += sql::to_text(cell) + "|";
      text += ' ';
    }
    return text;
  }
  // A table "m" with this metaData configuration, schema and the first file of "t".
  void make_like(const std::string& schema, const std::string& configuration,
                 const std::string& add_members) {
    auto table = create();
    append(*table, 0, 6);
    std::string path = (*table->snapshot()->files().begin())->path;
    Metadata metadata{.id = "i", .schema_string = schema};
    auto properties = codec::parse_json(configuration);
    for (const auto& member : properties->members()) {
      metadata.configuration[member.key] = std::string(*member.value.as_string());
    }
    std::string commit = R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,)"
                         R"("readerFeatures":["deletionVectors","columnMapping"],)"
                         R"("writerFeatures":["deletionVectors","columnMapping"]}})"
                         "\n";
    encode(metadata, commit);
    commit += R"({"add":{"path":"f","partitionValues":{},"size":1)" + add_members + "}}\n";
    store.put_now("m/_delta_log/00000000000000000000.json", commit);
    store.put_now("m/f", *store.get_now("t/" + path));
  }
  static std::string plain_schema() { return to_schema_string(number_schema()); }

  size_t skipped = 0;
};

TEST_F(ReadingTest, deleted_rows_are_not_there) {
  make_like(plain_schema(), "{}", vector_member({0, 2, 5}, 3));
  EXPECT_EQ(answer("n, text", "m"), "1|row 1| 3|row 3| 4|row 4| ");
  EXPECT_FALSE(open("m")->snapshot()->check_plain()) << "who reads the files alone is told";
  EXPECT_TRUE(open("t")->snapshot()->check_plain());
}

TEST_F(ReadingTest, a_vector_that_counts_otherwise_fails_by_name) {
  make_like(plain_schema(), "{}", vector_member({0, 2, 5}, 4));
  EXPECT_THAT(answer("n", "m"), testing::HasSubstr("3 rows where the log says 4"));
}

TEST_F(ReadingTest, mapped_columns_have_their_logical_names) {
  make_like(R"({"type":"struct","fields":[)"
            R"({"name":"new name","type":"string","nullable":true,)"
            R"("metadata":{"delta.columnMapping.id":2,"delta.columnMapping.physicalName":"text"}},)"
            R"({"name":"text","type":"long","nullable":true,)"
            R"("metadata":{"delta.columnMapping.id":1,"delta.columnMapping.physicalName":"n"}}]})",
            R"({"delta.columnMapping.mode":"name"})", "");
  EXPECT_EQ(answer("text, \"new name\"", "m").substr(0, 18), "0|row 0| 1|row 1| ");
}

TEST_F(ReadingTest, wider_types_are_read_from_narrower_files) {
  make_like(R"x({"type":"struct","fields":[)x"
            R"x({"name":"n","type":"decimal(20,0)","nullable":true,"metadata":{}}]})x",
            "{}", "");
  EXPECT_EQ(answer("typeof(n), n", "m").substr(0, 34), "DECIMAL(20,0)|0| DECIMAL(20,0)|1| ");
}

TEST_F(ReadingTest, files_that_no_wanted_row_is_in_are_skipped) {
  auto table = create();
  for (int first = 0; first < 100; first += 10) append(*table, first, first + 10);
  auto count = [&](const std::string& condition) {
    std::string rows =
        answer("count(*) FILTER (WHERE " + condition + ")", "t", {.bounds = bounds_of(condition)});
    std::string all = answer("count(*) FILTER (WHERE " + condition + ")");
    std::string pruned =
        answer("count(*) FILTER (WHERE " + condition + ")", "t", {.bounds = bounds_of(condition)});
    EXPECT_EQ(rows, all) << condition;
    return skipped;
  };
  EXPECT_EQ(count("n = 55"), 9U);
  EXPECT_EQ(count("n >= 90"), 9U);
  EXPECT_EQ(count("n < 10 AND text IS NOT NULL"), 9U);
  EXPECT_EQ(count("n > 95 and n < 5"), 10U);
  EXPECT_EQ(count("n <= -1"), 10U);
  EXPECT_EQ(count("text = 'row 7'"), 9U);
  EXPECT_EQ(count("text IS NULL"), 10U);
  EXPECT_EQ(count("n = 1 OR n = 99"), 0U) << "more than terms joined by AND concerns every file";
  EXPECT_EQ(count("n = 1 AND n + 1 = 2"), 0U);
  EXPECT_EQ(count("n <> 5"), 0U);
}

TEST(BoundsTest, only_plain_terms_are_understood) {
  EXPECT_EQ(bounds_of("a >= 3 AND \"B c\" = 'x'"),
            (std::vector<Bound>{{.column = "a", .compare = Compare::greater_equal, .value = "3"},
                                {.column = "B c", .value = "x", .is_text = true}}));
  EXPECT_EQ(bounds_of("a = -1.5"), (std::vector<Bound>{{.column = "a", .value = "-1.5"}}));
  for (auto more : {"", "a", "a = b", "a = 1 OR b = 2", "NOT a = 1", "(a = 1)", "a = 1 AND",
                    "a BETWEEN 1 AND 2", "f(a) = 1", "a = 1; DROP TABLE t", "a = 'it''s'",
                    "a = 1 UNION SELECT 1", "a = DATE '2024-01-01'", "a = 1 -- x\nOR b = 2"}) {
    EXPECT_TRUE(bounds_of(more).empty()) << more;
  }
}

}  // namespace
}  // namespace pinpipe::lake
