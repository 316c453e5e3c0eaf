// `pinpipe report`: what the pipeline holds and answers, as one page that needs nothing else: no
// script, no address of another machine. Bounds: report_rows_max rows of each answer are shown.
#pragma once

#include <string>
#include <vector>

#include "app/answer.h"
#include "app/health.h"

namespace pinpipe::app {

inline constexpr size_t report_rows_max = 50;

struct ReportContents {
  std::string project;
  std::string made_at;
  std::vector<PartHealth> parts;
  Answer books;                 // of every hop of both paths; no columns when they are unknown
  Answer run;                   // of the last batch run; no columns when there is none
  Answer checks;                // its checks
  std::vector<Answer> answers;  // of all questions, each with its title and notes
};

std::string report_page(const ReportContents& contents);

}  // namespace pinpipe::app
