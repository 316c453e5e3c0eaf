#include "lake/schema.h"

#include <gtest/gtest.h>

namespace pinpipe::lake {
namespace {

constexpr std::string_view every_type =
    R"j({"type":"struct","fields":[)j"
    R"j({"name":"a","type":"string","nullable":true,"metadata":{}},)j"
    R"j({"name":"b","type":"decimal(10,2)","nullable":false,"metadata":{"comment":"money"}},)j"
    R"j({"name":"coordinates","type":{"type":"array","elementType":"double","containsNull":true},)j"
    R"j("nullable":true,"metadata":{}},)j"
    R"j({"name":"m","type":{"type":"map","keyType":"string","valueType":"long",)j"
    R"j("valueContainsNull":false},"nullable":true,"metadata":{}},)j"
    R"j({"name":"s","type":{"type":"struct","fields":[)j"
    R"j({"name":"t","type":"timestamp","nullable":true,"metadata":{}}]},)j"
    R"j("nullable":true,"metadata":{}}]})j";

TEST(SchemaTest, the_schema_string_survives_a_round_trip) {
  auto schema = parse_schema(every_type);
  ASSERT_TRUE(schema) << schema.error().text();
  EXPECT_EQ(to_schema_string(*schema), every_type);
  EXPECT_EQ(to_text(schema->fields[3].type), "map<string,bigint>");
  EXPECT_EQ(to_text(schema->fields[4].type), "struct<t:timestamp>");
}

TEST(SchemaTest, unknown_types_are_refused_by_name) {
  auto schema = parse_schema(
      R"j({"type":"struct","fields":[{"name":"v","type":"variant","nullable":true,"metadata":{}}]})j");
  ASSERT_FALSE(schema);
  EXPECT_NE(schema.error().text().find("\"variant\""), std::string::npos);
  EXPECT_FALSE(parse_schema("{}"));
  EXPECT_FALSE(parse_schema("[1"));
  EXPECT_FALSE(
      parse_schema(R"j({"type":"struct","fields":[{"name":"d","type":"decimal(50,2)"}]})j"));
}

TEST(SchemaTest, sql_types_are_read_with_all_their_nesting) {
  auto type = type_of_sql(R"j(STRUCT("a ""b" INTEGER, c MAP(VARCHAR, DOUBLE[]))[])j");
  ASSERT_TRUE(type) << type.error().text();
  EXPECT_EQ(to_text(*type), "array<struct<a \"b:int,c:map<string,array<double>>>>");
  EXPECT_EQ(to_sql(*type), R"j(STRUCT("a ""b" INTEGER, "c" MAP(VARCHAR, DOUBLE[]))[])j");
  EXPECT_EQ(*type_of_sql(to_sql(*type)), *type);
  EXPECT_EQ(to_text(*type_of_sql("DECIMAL(18,3)")), "decimal(18,3)");
  EXPECT_EQ(to_text(*type_of_sql("INTEGER[3]")), "array<int>");
  EXPECT_EQ(to_text(*type_of_sql("ENUM('a)', 'b''')")), "string");
}

TEST(SchemaTest, sql_types_without_an_exact_delta_type_are_refused) {
  for (auto refused : {"HUGEINT", "UBIGINT", "TIME", "INTERVAL", "TIMESTAMP_NS", "HUGEINT[]",
                       "STRUCT(a TIME)", "DECIMAL(", "MAP(VARCHAR", "", "BIGINT)"}) {
    EXPECT_FALSE(type_of_sql(refused)) << refused;
  }
}

TEST(SchemaTest, a_plain_timestamp_becomes_an_instant) {
  EXPECT_EQ(type_of_sql("TIMESTAMP")->kind, Kind::timestamp);
  EXPECT_EQ(to_sql(*type_of_sql("TIMESTAMP")), "TIMESTAMP WITH TIME ZONE");
}

TEST(SchemaTest, names_that_spark_refuses_are_refused) {
  auto with_names = [](std::vector<std::string> names) {
    Schema schema;
    for (auto& name : names) schema.fields.push_back(Field{.name = name, .type = {}});
    return check_names(schema);
  };
  EXPECT_TRUE(with_names({"a", "b_c", "ü"}));
  EXPECT_FALSE(with_names({"a", "A"}));
  EXPECT_FALSE(with_names({"a b"}));
  EXPECT_FALSE(with_names({""}));
  EXPECT_FALSE(with_names({}));
}

TEST(SchemaTest, data_must_fit_the_table) {
  Schema table{{Field{.name = "a", .type = *type_of_sql("BIGINT"), .nullable = false},
                Field{.name = "b", .type = *type_of_sql("DOUBLE[]")}}};
  Schema good{{Field{.name = "A", .type = *type_of_sql("BIGINT")}}};
  EXPECT_TRUE(check_fits(table, good));
  Schema other_type{{Field{.name = "a", .type = *type_of_sql("INTEGER")}}};
  EXPECT_FALSE(check_fits(table, other_type));
  Schema missing{{Field{.name = "b", .type = *type_of_sql("DOUBLE[]")}}};
  EXPECT_FALSE(check_fits(table, missing));
  Schema unknown = good;
  unknown.fields.push_back(Field{.name = "z", .type = {}});
  EXPECT_FALSE(check_fits(table, unknown));
}

}  // namespace
}  // namespace pinpipe::lake
