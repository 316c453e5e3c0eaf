#include "app/bar_chart.h"

#include <gmock/gmock.h>

namespace pinpipe::app {
namespace {

using testing::HasSubstr;

Answer answer() {
  Answer answer;
  answer.columns = {"year", "category", "count"};
  answer.add_row({2018, "art", 4});
  answer.add_row({2019, "<b>", 1});
  answer.add_row({2020, nullptr, nullptr});
  return answer;
}

TEST(BarChart, the_last_column_of_numbers_is_drawn_and_the_others_name_it) {
  Bars bars = bars_of(answer());
  EXPECT_EQ(bars.measure, "count");
  ASSERT_EQ(bars.bars.size(), 3U);
  EXPECT_EQ(bars.bars[0].label, "2018 · art");
  EXPECT_EQ(bars.bars[2].text, "(null)");
  EXPECT_EQ(text_chart(bars, 40),
            "count\n"
            "2018 · art         4 ███████████████████\n"
            "2019 · <b>         1 ████▊\n"
            "2020 · (null) (null) \n");
}

TEST(BarChart, every_line_fits_the_width) {
  Answer wide = answer();
  wide.add_row({2021, "a very long name that does not fit anywhere", 123456789});
  std::string text = text_chart(bars_of(wide), 30);
  while (!text.empty()) {
    size_t end = text.find('\n');
    EXPECT_LE(display_width(text.substr(0, end)), 31U) << text.substr(0, end);
    text.erase(0, end + 1);
  }
}

TEST(BarChart, without_numbers_there_is_nothing_to_draw) {
  Answer texts;
  texts.columns = {"name"};
  texts.add_row({"a"});
  EXPECT_THAT(text_chart(bars_of(texts), 40), HasSubstr("nothing to draw"));
  EXPECT_EQ(svg_chart(bars_of(texts), "t"), "");
}

TEST(BarChart, rows_beyond_the_bound_are_counted) {
  Answer many;
  many.columns = {"n"};
  for (size_t i = 0; i < bars_max + 5; ++i) many.add_row({i});
  EXPECT_THAT(text_chart(bars_of(many), 40), HasSubstr("and 5 rows more"));
}

TEST(BarChart, a_page_shows_letters_and_never_obeys_them) {
  std::string svg = svg_chart(bars_of(answer()), "a \"title\" & more");
  EXPECT_THAT(svg, HasSubstr("2019 · &lt;b&gt;"));
  EXPECT_THAT(svg, HasSubstr("&amp; more"));
  EXPECT_THAT(svg, testing::Not(HasSubstr("<b>")));
}

}  // namespace
}  // namespace pinpipe::app
