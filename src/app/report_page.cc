#include "app/report_page.h"

#include <fmt/format.h>

#include "app/bar_chart.h"

namespace pinpipe::app {
namespace {

using codec::Json;

constexpr std::string_view style = R"(
:root { color-scheme: light dark; --line: #8884; --bar: #3b6ea8; --bad: #b3261e; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; margin: .5rem 0; } th, td { padding: .15rem .7rem; text-align: left;
border-bottom: 1px solid var(--line); } td.number { text-align: right; font-variant-numeric: tabular-nums; }
.note { opacity: .75; margin: .2rem 0; } .bad { color: var(--bad); font-weight: 600; }
svg { width: 100%; max-width: 46rem; display: block; } svg rect { fill: var(--bar); }
svg text { font-size: 12px; fill: currentColor; } svg text.label { text-anchor: end; }
.flow { display: flex; flex-wrap: wrap; gap: .4rem; padding: 0; list-style: none; }
.flow li { border: 1px solid var(--line); border-radius: .4rem; padding: .3rem .7rem; }
)";

std::string cell_of(const Json& cell) {
  if (cell.is_null()) return "<td></td>";
  if (auto text = cell.as_string()) return "<td>" + html_text(*text) + "</td>";
  return "<td class=\"number\">" + html_text(codec::to_json(cell)) + "</td>";
}

std::string table_of(const Answer& answer) {
  std::string out = "<table><thead><tr>";
  for (const std::string& name : answer.columns) out += "<th>" + html_text(name) + "</th>";
  out += "</tr></thead><tbody>\n";
  for (size_t i = 0; i < answer.rows.size() && i < report_rows_max; ++i) {
    out += "<tr>";
    for (const Json& cell : answer.rows[i]) out += cell_of(cell);
    out += "</tr>\n";
  }
  out += "</tbody></table>\n";
  if (answer.rows.size() > report_rows_max)
    out += fmt::format("<p class=\"note\">the first {} of {} rows</p>\n", report_rows_max,
                       answer.rows.size());
  return out;
}

std::string notes_of(const Answer& answer) {
  std::string out;
  for (const std::string& note : answer.notes)
    out += "<p class=\"note\">" + html_text(note) + "</p>\n";
  return out;
}

std::string pipeline_of(const std::vector<PartHealth>& parts) {
  std::string out = "<ul class=\"flow\">\n";
  for (const PartHealth& part : parts) {
    out += fmt::format(
        "<li{}><b>{}</b> {} {}<br><span class=\"note\">{}</span></li>\n",
        part.behind ? " class=\"bad\"" : "", html_text(part.part), html_text(part.state),
        part.count.is_null() ? "" : html_text(codec::to_json(part.count)), html_text(part.note));
  }
  return out + "</ul>\n";
}

std::string section_of(const Answer& answer) {
  std::string out = "<h2>" + html_text(answer.title) + "</h2>\n" + notes_of(answer);
  if (answer.rows.empty()) return out + "<p>No rows.</p>\n";
  out += svg_chart(bars_of(answer), answer.title);
  return out + "<details><summary>as a table</summary>\n" + table_of(answer) + "</details>\n";
}

}  // namespace

std::string report_page(const ReportContents& contents) {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n"
      "<title>pinpipe: {0}</title>\n<style>{1}</style></head><body>\n<h1>{0}</h1>\n"
      "<p class=\"note\">made by pinpipe at {2}</p>\n",
      html_text(contents.project), style, html_text(contents.made_at));
  out += "<h2>Pipeline</h2>\n" + pipeline_of(contents.parts);
  if (!contents.books.columns.empty())
    out += "<h2>Accounting</h2>\n" + table_of(contents.books) + notes_of(contents.books);
  if (!contents.run.columns.empty()) {
    out += "<h2>Last batch run</h2>\n<p>" + html_text(contents.run.title) + "</p>\n";
    out += table_of(contents.run) + notes_of(contents.run);
  }
  if (!contents.checks.rows.empty()) out += "<h2>Checks</h2>\n" + table_of(contents.checks);
  for (const Answer& answer : contents.answers) out += section_of(answer);
  return out + "</body></html>";
}

}  // namespace pinpipe::app
