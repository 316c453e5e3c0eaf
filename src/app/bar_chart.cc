#include "app/bar_chart.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <optional>

#include "codec/xml.h"

namespace pinpipe::app {
namespace {

using codec::Json;

std::string cell_text(const Json& cell) {
  if (cell.is_null()) return "(null)";
  if (auto text = cell.as_string()) return std::string(*text);
  return codec::to_json(cell);
}

std::optional<size_t> measured_column(const Answer& answer) {
  for (size_t i = answer.columns.size(); i-- > 0;) {
    bool has_number = false;
    bool others = false;
    for (const auto& row : answer.rows) {
      has_number = has_number || row[i].is_number();
      others = others || (!row[i].is_number() && !row[i].is_null());
    }
    if (has_number && !others) return i;
  }
  return std::nullopt;
}

std::string cut(std::string text, size_t width) {
  if (display_width(text) <= width) return text;
  while (!text.empty() && display_width(text) >= width) {
    text.pop_back();
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80)
      text.pop_back();
  }
  return text + "…";
}

// Eighths of a block, so that small differences are seen.
std::string bar_of(double share, size_t width) {
  constexpr const char* eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  auto units = static_cast<size_t>(std::lround(share * static_cast<double>(width) * 8));
  std::string bar;
  for (size_t i = 0; i < units / 8; ++i) bar += "█";
  return bar + eighths[units % 8];
}

double largest(const Bars& bars) {
  double most = 0;
  for (const Bars::Bar& bar : bars.bars) most = std::max(most, std::abs(bar.value));
  return most;
}

}  // namespace

Bars bars_of(const Answer& answer) {
  Bars bars;
  auto measured = measured_column(answer);
  if (!measured) return bars;
  bars.measure = answer.columns[*measured];
  for (const auto& row : answer.rows) {
    if (bars.bars.size() == bars_max) {
      ++bars.left_out;
      continue;
    }
    Bars::Bar& bar = bars.bars.emplace_back();
    for (size_t i = 0; i < row.size(); ++i) {
      if (i == *measured) continue;
      bar.label += (bar.label.empty() ? "" : " · ") + cell_text(row[i]);
    }
    bar.value = row[*measured].as_double().value_or(0);
    bar.text = cell_text(row[*measured]);
  }
  return bars;
}

std::string text_chart(const Bars& bars, size_t width) {
  if (bars.bars.empty()) return "nothing to draw: no column of numbers\n";
  size_t label_width = 0;
  size_t number_width = 0;
  for (const Bars::Bar& bar : bars.bars) {
    label_width = std::max(label_width, display_width(bar.label));
    number_width = std::max(number_width, display_width(bar.text));
  }
  label_width = std::min(label_width, width / 3);
  constexpr size_t blanks = 2;
  size_t taken = label_width + number_width + blanks;
  size_t room = width > taken + 1 ? width - taken : 1;
  double most = largest(bars);
  std::string out = bars.measure + "\n";
  for (const Bars::Bar& bar : bars.bars) {
    std::string label = cut(bar.label, label_width);
    label.append(label_width - std::min(label_width, display_width(label)), ' ');
    std::string number(number_width - std::min(number_width, display_width(bar.text)), ' ');
    out += fmt::format("{} {}{} {}\n", label, number, bar.text,
                       bar_of(most == 0 ? 0 : std::abs(bar.value) / most, room));
  }
  if (bars.left_out > 0) out += fmt::format("… and {} rows more\n", bars.left_out);
  return out;
}

std::string html_text(std::string_view text) {
  std::string out;
  codec::append_xml_text(out, text);
  return out;
}

std::string svg_chart(const Bars& bars, std::string_view title) {
  if (bars.bars.empty()) return {};
  constexpr int row_px = 20;
  constexpr int label_px = 220;
  constexpr int bar_px = 400;
  constexpr int number_px = 110;
  constexpr size_t label_letters_max = 34;
  int height = static_cast<int>(bars.bars.size()) * row_px + 4;
  double most = largest(bars);
  std::string out = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n",
                                label_px + bar_px + number_px, height, html_text(title));
  for (size_t i = 0; i < bars.bars.size(); ++i) {
    const Bars::Bar& bar = bars.bars[i];
    int y = static_cast<int>(i) * row_px + 2;
    double length = most == 0 ? 0 : std::abs(bar.value) / most * bar_px;
    out += fmt::format(
        "<text x=\"{}\" y=\"{}\" class=\"label\">{}</text>"
        "<rect x=\"{}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"><title>{}: {}</title></rect>"
        "<text x=\"{:.1f}\" y=\"{}\">{}</text>\n",
        label_px - 8, y + 14, html_text(cut(bar.label, label_letters_max)), label_px, y + 2, length,
        row_px - 4, html_text(bar.label), html_text(bar.text), label_px + length + 6, y + 14,
        html_text(bar.text));
  }
  out += "</svg>\n";
  if (bars.left_out > 0)
    out += fmt::format("<p class=\"note\">… and {} rows more</p>\n", bars.left_out);
  return out;
}

}  // namespace pinpipe::app
