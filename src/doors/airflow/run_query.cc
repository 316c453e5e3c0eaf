#include "doors/airflow/run_query.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "doors/airflow/order.h"

namespace pinpipe::airflow {

using scheduler::DagRun;
using scheduler::RunState;
using scheduler::RunType;

namespace {

constexpr int64_t scan_page = 100;

// A run and its place in the order they were made.
struct Row {
  int64_t number;
  DagRun run;
};

template <auto member>
bool before(const Row& a, const Row& b) {
  return a.run.*member < b.run.*member;
}

bool number_before(const Row& a, const Row& b) {
  return a.number < b.number;
}

bool state_before(const Row& a, const Row& b) {
  return name_of(a.run.state) < name_of(b.run.state);
}

constexpr std::array<OrderKey<Row>, 10> keys{{
    {"id", number_before},
    {"dag_id", before<&DagRun::dag_id>},
    {"run_id", before<&DagRun::run_id>},
    {"dag_run_id", before<&DagRun::run_id>},
    {"logical_date", before<&DagRun::logical_ms>},
    {"run_after", before<&DagRun::run_after_ms>},
    {"queued_at", before<&DagRun::queued_ms>},
    {"start_date", before<&DagRun::start_ms>},
    {"end_date", before<&DagRun::end_ms>},
    {"state", state_before},
}};

template <class Source>
Bounds read_bounds(Source& source, std::string_view field) {
  Bounds bounds;
  auto from = source.time_ms(fmt::format("{}_gte", field));
  auto above = source.time_ms(fmt::format("{}_gt", field));
  auto until = source.time_ms(fmt::format("{}_lte", field));
  auto below = source.time_ms(fmt::format("{}_lt", field));
  bounds.from = from;
  if (above) bounds.from = std::max(from.value_or(INT64_MIN), *above + 1);
  bounds.until = until;
  if (below) bounds.until = std::min(until.value_or(INT64_MAX), *below - 1);
  return bounds;
}

template <class Source>
void read_common(Source& source, std::string_view states, RunQuery& query) {
  query.run_after = read_bounds(source, "run_after");
  query.logical_date = read_bounds(source, "logical_date");
  query.start_date = read_bounds(source, "start_date");
  query.end_date = read_bounds(source, "end_date");
  for (const std::string& name : source.texts(states)) {
    if (auto state = scheduler::run_state_named(name)) {
      query.states.push_back(*state);
    } else {
      source.refuse("enum", states, "Input should be 'queued', 'running', 'success' or 'failed'");
    }
  }
}

bool lies_in(const Bounds& bounds, std::optional<int64_t> at_ms) {
  if (bounds.empty()) return true;
  if (!at_ms) return false;
  return (!bounds.from || *at_ms >= *bounds.from) && (!bounds.until || *at_ms <= *bounds.until);
}

std::optional<int64_t> moment(int64_t at_ms) {
  return at_ms == 0 ? std::nullopt : std::optional(at_ms);
}

template <class T>
bool lists(const std::vector<T>& wanted, const T& value) {
  return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

bool matches(const DagRun& run, const RunQuery& query) {
  return lists(query.dag_ids, run.dag_id) && lists(query.states, run.state) &&
         lists(query.types, run.type) && lies_in(query.run_after, run.run_after_ms) &&
         lies_in(query.logical_date, run.logical_ms) &&
         lies_in(query.start_date, moment(run.start_ms)) &&
         lies_in(query.end_date, moment(run.end_ms)) &&
         (query.run_id_pattern.empty() || matches_pattern(run.run_id, query.run_id_pattern));
}

bool store_answers(const RunQuery& query) {
  bool by_id = query.order_by.empty() ||
               (query.order_by.size() == 1 &&
                (query.order_by.front() == "id" || query.order_by.front() == "-id"));
  return by_id && query.dag_ids.size() <= 1 && query.states.size() <= 1 && query.types.empty() &&
         query.run_after.empty() && query.logical_date.empty() && query.start_date.empty() &&
         query.end_date.empty() && query.run_id_pattern.empty();
}

scheduler::RunFilter filter_of(const RunQuery& query) {
  scheduler::RunFilter filter;
  if (query.dag_ids.size() == 1) filter.dag_id = query.dag_ids.front();
  if (query.states.size() == 1) filter.state = query.states.front();
  return filter;
}

// The store gives the latest first, Airflow the oldest unless asked: counted from the other end.
io::Task<Result<FoundRuns>> find_page(scheduler::Scheduler& scheduler, const RunQuery& query) {
  bool latest_first = !query.order_by.empty() && query.order_by.front() == "-id";
  scheduler::RunFilter filter = filter_of(query);
  filter.limit = query.page.limit;
  filter.offset = query.page.offset;
  if (!latest_first) {
    scheduler::RunFilter counting = filter;
    counting.limit = 0;
    auto counted = co_await scheduler.list_runs(std::move(counting));
    if (!counted) co_return counted.error();
    int64_t end = std::max<int64_t>(0, counted->total - query.page.offset);
    filter.limit = std::min(end, query.page.limit);
    filter.offset = end - filter.limit;
  }
  auto page = co_await scheduler.list_runs(std::move(filter));
  if (!page) co_return page.error();
  if (!latest_first) std::ranges::reverse(page->runs);
  co_return FoundRuns{std::move(page->runs), page->total};
}

Error too_many() {
  return {Code::invalid,
          fmt::format("more than {} runs would have to be looked at: name one DAG or one state",
                      scanned_runs_max)};
}

}  // namespace

RunQuery read_run_query(Query& query) {
  RunQuery wanted;
  wanted.page = page_of(query);
  wanted.order_by = query.texts("order_by");
  wanted.run_id_pattern = query.text("run_id_pattern").value_or("");
  read_common(query, "state", wanted);
  for (const std::string& name : query.texts("run_type")) {
    if (auto type = scheduler::run_type_named(name)) {
      wanted.types.push_back(*type);
    } else {
      query.refuse("enum", "run_type", "Input should be 'scheduled', 'manual' or 'backfill'");
    }
  }
  return wanted;
}

RunQuery read_run_query(Body& body) {
  RunQuery wanted;
  wanted.page.limit = std::min(body.count("page_limit", page_max), page_max);
  wanted.page.offset = body.count("page_offset", 0);
  if (auto order_by = body.text("order_by")) wanted.order_by.push_back(*order_by);
  wanted.dag_ids = body.texts("dag_ids");
  read_common(body, "states", wanted);
  return wanted;
}

io::Task<Result<FoundRuns>> find_runs(scheduler::Scheduler& scheduler, const RunQuery& query) {
  if (store_answers(query)) co_return co_await find_page(scheduler, query);
  std::vector<Row> rows;
  size_t kept_bytes = 0;
  scheduler::RunFilter filter = filter_of(query);
  filter.limit = scan_page;
  while (true) {
    auto page = co_await scheduler.list_runs(filter);
    if (!page) co_return page.error();
    if (page->total > scanned_runs_max) co_return too_many();
    int64_t number = -filter.offset;
    for (DagRun& run : page->runs) {
      --number;
      if (!matches(run, query)) continue;
      kept_bytes += sizeof(Row) + run.conf.size() + run.note.size();
      if (kept_bytes > kept_bytes_max) co_return too_many();
      rows.push_back({number, std::move(run)});
    }
    filter.offset += scan_page;
    if (page->runs.size() < static_cast<size_t>(scan_page)) break;
  }
  std::ranges::reverse(rows);
  Status sorted = sort_by<Row>(rows, query.order_by, keys);
  if (!sorted) co_return sorted.error();
  FoundRuns found;
  found.total = static_cast<int64_t>(rows.size());
  for (int64_t i = query.page.offset; i < found.total && i < query.page.offset + query.page.limit;
       ++i) {
    found.runs.push_back(std::move(rows[static_cast<size_t>(i)].run));
  }
  co_return found;
}

}  // namespace pinpipe::airflow
