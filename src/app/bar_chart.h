// An answer drawn as bars: for terminals, and as SVG for pages.
// The last column of numbers is drawn, one bar a row; the other columns name it.
#pragma once

#include <string>
#include <vector>

#include "app/answer.h"

namespace pinpipe::app {

inline constexpr size_t bars_max = 60;  // further rows are counted, not drawn

struct Bars {
  std::string measure;  // the column that is drawn
  struct Bar {
    std::string label;
    double value = 0;
    std::string text;  // the number as it is printed
  };
  std::vector<Bar> bars;
  size_t left_out = 0;
};

// Nothing to draw when the answer has no column of numbers: then `bars` is empty.
Bars bars_of(const Answer& answer);

// Lines of at most `width` terminal columns.
std::string text_chart(const Bars& bars, size_t width);
std::string svg_chart(const Bars& bars, std::string_view title);

// & < > " for the inside of a page.
std::string html_text(std::string_view text);

}  // namespace pinpipe::app
