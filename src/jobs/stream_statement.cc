#include "jobs/stream_statement.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <memory>
#include <string>

#include "base/ascii.h"
#include "sql/lexer.h"
#include "sql/rewrite.h"

namespace pinpipe::jobs {
namespace {

using sql::Token;

// The portable ones, and those of the engine that people use.
constexpr std::array aggregates = {"count",
                                   "sum",
                                   "avg",
                                   "mean",
                                   "min",
                                   "max",
                                   "median",
                                   "mode",
                                   "percentile",
                                   "quantile",
                                   "quantile_cont",
                                   "quantile_disc",
                                   "percentile_cont",
                                   "percentile_disc",
                                   "percentile_approx",
                                   "approx_percentile",
                                   "approx_quantile",
                                   "approx_count_distinct",
                                   "count_if",
                                   "max_by",
                                   "min_by",
                                   "arg_max",
                                   "arg_min",
                                   "any_value",
                                   "first_value",
                                   "last_value",
                                   "collect_list",
                                   "collect_set",
                                   "array_agg",
                                   "list",
                                   "string_agg",
                                   "group_concat",
                                   "listagg",
                                   "stddev",
                                   "stddev_pop",
                                   "stddev_samp",
                                   "std",
                                   "variance",
                                   "var_pop",
                                   "var_samp",
                                   "corr",
                                   "covar_pop",
                                   "covar_samp",
                                   "regr_slope",
                                   "skewness",
                                   "kurtosis",
                                   "entropy",
                                   "bool_and",
                                   "bool_or",
                                   "every",
                                   "some",
                                   "bit_and",
                                   "bit_or",
                                   "bit_xor",
                                   "histogram",
                                   "product",
                                   "fsum",
                                   "kahan_sum",
                                   "sumkahan",
                                   "approx_top_k",
                                   "row_number",
                                   "rank",
                                   "dense_rank",
                                   "ntile",
                                   "lag",
                                   "lead",
                                   "percent_rank",
                                   "cume_dist",
                                   "nth_value"};

class Checker {
 public:
  Checker(const project::Dataset& dataset, const project::SqlFile& file, project::Diagnostics& out)
      : file_(file),
        raw_("raw." + dataset.name),
        dataset_(dataset.name),
        source_(std::make_shared<project::Source>(
            project::Source{file.name.empty() ? file.path : file.name, file.text})),
        tokens_(sql::tokens_of(file.text)),
        out_(out) {}

  void run() {
    for (size_t at = 0; at < tokens_.size(); ++at) {
      if (tokens_[at].kind != Token::Kind::word) continue;
      std::string word = word_at(at);
      if (std::string why = why_wrong(at, word); !why.empty()) refuse(at, why);
    }
  }

 private:
  std::string word_at(size_t at) const {
    if (at >= tokens_.size()) return {};
    return lowered(tokens_[at].text);
  }

  bool is_part_of_name(size_t at) const {
    return (at > 0 && tokens_[at - 1].text == ".") || word_at(at + 1) == ".";
  }

  std::string why_wrong(size_t at, const std::string& word) {
    if (word == "raw" && word_at(at + 1) == "." && reads_batch(at + 2)) return {};
    if (is_part_of_name(at)) return {};
    std::string next = word_at(at + 1);
    bool is_call = next == "(";
    if (is_call && word == "over")
      return "a window reaches beyond its batch, and sees nothing there";
    if (is_call && std::ranges::find(aggregates, word) != aggregates.end())
      return fmt::format("{}() would be of one batch, not of all rows", word);
    if (word == "group" && next == "by") return "groups would be of one batch, not of all rows";
    if (word == "distinct") return "equal rows of other batches are not seen";
    if (word == "qualify") return "a window reaches beyond its batch, and sees nothing there";
    if (word == "limit" || (word == "fetch" && (next == "first" || next == "next")))
      return "it would count anew in each batch";
    if (word == "tablesample" || word == "sample") return "it would be drawn anew in each batch";
    if (word == "union" && next != "all") return "equal rows of other batches are not seen";
    bool is_exclusion = at > 0 && tokens_[at - 1].text == "*";  // SELECT * EXCEPT (column)
    if (word == "intersect" || (word == "except" && !is_exclusion))
      return "rows of other batches are not seen";
    return {};
  }

  // Whether the name behind "raw." is the batch; that it is read more than once may be told.
  bool reads_batch(size_t at) {
    std::string name = at < tokens_.size() ? sql::name_of(tokens_[at]) : std::string();
    bool is_batch = name == dataset_ || name == dataset_ + "_records";
    if (!is_batch || word_at(at + 1) == ".") return is_batch;
    if (++reads_ == 2 && !has_union_all())
      refuse(at - 2, raw_ + " is read a second time, where rows of other batches are missing");
    return is_batch;
  }

  bool has_union_all() const {
    for (size_t at = 0; at < tokens_.size(); ++at) {
      if (word_at(at) == "union" && word_at(at + 1) == "all") return true;
    }
    return false;
  }

  void refuse(size_t at, const std::string& why) {
    sql::Position place = sql::position_of(file_.text, tokens_[at].offset);
    out_.add(project::problems::not_per_batch,
             {source_, static_cast<int>(place.line), static_cast<int>(place.column)},
             fmt::format("the stream job runs this over one micro-batch at a time: {}", why),
             {.length = tokens_[at].text.size()});
  }

  const project::SqlFile& file_;
  const std::string raw_;
  const std::string dataset_;
  const std::shared_ptr<const project::Source> source_;
  const std::vector<Token> tokens_;
  project::Diagnostics& out_;
  int reads_ = 0;
};

}  // namespace

std::vector<project::Diagnostic> check_per_batch(const project::Dataset& dataset) {
  project::Diagnostics out;
  Checker(dataset, dataset.clean, out).run();
  if (!dataset.quarantine.text.empty()) Checker(dataset, dataset.quarantine, out).run();
  return out.take();
}

std::vector<project::Diagnostic> check_per_batch(const project::Project& project) {
  std::vector<project::Diagnostic> all;
  for (const project::Dataset& dataset : project.datasets) {
    if (project.stream_input(dataset).empty()) continue;
    for (project::Diagnostic& one : check_per_batch(dataset)) all.push_back(std::move(one));
  }
  return all;
}

}  // namespace pinpipe::jobs
