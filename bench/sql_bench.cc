// Decoding, cleaning and asking, against DuckDB's own read_json with the same SQL on the same
// files.
//   bench_sql [posts, default 1000000] [threads, default 2]
// The rows imitate the real ones in length and kind; what is printed are rates and the ratio of the
// two ways in the same process, each with an engine of its own, best of three.
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <sstream>

#include "base/random.h"
#include "columns/batch.h"
#include "columns/json_decoder.h"
#include "sql/connection.h"
#include "sql/parquet.h"

namespace {

using namespace pinpipe;
using columns::Column;
using columns::Schema;
using columns::Type;
namespace fs = std::filesystem;

constexpr int repetitions = 3;

// CPU seconds of all threads: on a machine that others use too, wall time measures the others.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double seconds_of(const std::function<void()>& work) {
  double begin = cpu_seconds();
  work();
  return cpu_seconds() - begin;
}

double best_of(const std::function<void()>& work) {
  double best = 1e9;
  for (int i = 0; i < repetitions; ++i) best = std::min(best, seconds_of(work));
  return best;
}

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().text());
  std::exit(1);
}
void must(Status status) {
  if (status) return;
  fmt::print(stderr, "{}\n", status.error().text());
  std::exit(1);
}

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string words(Random& random, size_t length) {
  constexpr std::string_view letters = "etaoinshrdlu etaoins,";
  std::string text;
  while (text.size() < length) text += letters[random.below(letters.size())];
  return text;
}

struct Data {
  std::string pin, geo, user;
};

Data make_data(int posts) {
  Random random(7);
  Data data;
  const char* categories[] = {"art",     "beauty", "christmas", "education",
                              "finance", "travel", "vehicles"};
  for (int i = 0; i < posts; ++i) {
    bool dirty = random.below(20) == 0;
    uint64_t poster = random.below(5081);  // who has one country, as in the real data
    data.pin += fmt::format(
        "{{\"index\":{},\"unique_id\":\"fbe53c66-3442-4773-b19e-{:012x}\",\"title\":\"{}\","
        "\"description\":\"{}\",\"poster_name\":\"{}\",\"follower_count\":\"{}\",\"tag_list\":\"{}"
        "\","
        "\"is_image_or_video\":\"image\",\"image_src\":\"https://i.pinimg.com/originals/{}.jpg\","
        "\"downloaded\":1,\"save_location\":\"Local save in /data/{}\",\"category\":\"{}\"}}\n",
        i, i, dirty ? "No Title Data Available" : words(random, 50), words(random, 150),
        fmt::format("Poster number {}", poster),
        dirty ? "User Info Error" : fmt::format("{}k", random.below(999)), words(random, 110),
        words(random, 40), categories[random.below(7)], categories[random.below(7)]);
    data.geo += fmt::format(
        "{{\"ind\":{},\"timestamp\":\"20{}-0{}-1{} "
        "11:30:59\",\"latitude\":-{}.5173,\"longitude\":{}.689,"
        "\"country\":\"Country {}\"}}\n",
        i, 18 + random.below(5), 1 + random.below(9), random.below(9), random.below(90),
        random.below(180), poster % 240);
    data.user += fmt::format(
        "{{\"ind\":{},\"first_name\":\"Abigail\",\"last_name\":\"Ali\",\"age\":{},"
        "\"date_joined\":\"201{}-10-24 11:23:51\"}}\n",
        i, 20 + random.below(41), 5 + random.below(3));
  }
  return data;
}

Schema schema_of(std::string_view dataset) {
  auto column = [](const char* name, Type type) {
    return Column{.name = name, .type = type, .nullable = true, .synonyms = {}};
  };
  using enum Type;
  if (dataset == "pin") {
    return *Schema::make(
        {column("index", int32), column("unique_id", text), column("title", text),
         column("description", text), column("poster_name", text), column("follower_count", text),
         column("tag_list", text), column("is_image_or_video", text), column("image_src", text),
         column("downloaded", int32), column("save_location", text), column("category", text)});
  }
  if (dataset == "geo") {
    return *Schema::make({column("ind", int32), column("timestamp", text),
                          column("latitude", float64), column("longitude", float64),
                          column("country", text)});
  }
  return *Schema::make({column("ind", int32), column("first_name", text), column("last_name", text),
                        column("age", int32), column("date_joined", text)});
}

double decode_rate(const std::string& bytes) {
  Schema schema = schema_of("pin");
  columns::Batch batch(schema, 2048);
  columns::Target target = batch.target();
  // The engine's vectors take short texts in place; the batch's strings would measure the
  // allocator.
  target.put_text = [](const columns::ColumnTarget&, size_t, std::string_view, bool) {};
  double seconds = best_of([&] {
    columns::JsonDecoder decoder(schema, [](const columns::Refused&) { std::exit(1); });
    decoder.start("bench", bytes);
    while (decoder.fill(target, 0) == target.rows_max) continue;
  });
  return static_cast<double>(bytes.size()) / seconds / 1e6;
}

constexpr const char* datasets[] = {"pin", "geo", "user"};

class Bench {
 public:
  Bench(const Data& data, fs::path directory, int threads)
      : data_(data), directory_(std::move(directory)), threads_(threads) {}

  // Everything from the text to the answers.
  struct Times {
    double scan = 1e9, clean = 1e9, questions = 1e9;
    double all() const { return clean + questions; }
  };
  // Who reads the JSON, and whether clean rows go straight into Parquet files, as the batch job
  // does it, or through a table, as a notebook would.
  struct Way {
    bool ours = true;
    bool straight = true;
  };

  void run(Way way, bool tell, Times& best) {
    auto engine = must(sql::Engine::open({.threads = threads_,
                                          .memory_bytes = uint64_t{6} << 30,
                                          .temp_root = directory_.string(),
                                          .readable_directories = {}}));
    auto connection = must(engine->connect());
    open_raw(*connection, way.ours);
    best.scan = std::min(
        best.scan, seconds_of([&] {
          must(connection->query(
              "select count(`index`), count(unique_id), count(title), count(description), "
              "count(poster_name), count(follower_count), count(tag_list), count(image_src), "
              "count(downloaded), count(save_location), count(category) from raw.pin"));
        }));
    best.clean = std::min(best.clean, seconds_of([&] {
                            for (const char* name : datasets) clean(*connection, name, way);
                          }));
    must(connection->create_table({"main", "age_groups"}, file("sql/tables/age_groups.sql")));
    best.questions =
        std::min(best.questions, seconds_of([&] {
                   for (const char* q : {"q1", "q2", "q3a", "q3b", "q4", "q5", "q6", "q7", "q8"}) {
                     double seconds = seconds_of([&] {
                       must(connection->query(file(fmt::format("sql/queries/{}.sql", q))));
                     });
                     if (tell) fmt::print("  {:<4} {:6.1f} ms\n", q, seconds * 1e3);
                   }
                 }));
    for (const char* name : datasets) fs::remove(parquet(name));
  }

 private:
  fs::path parquet(const char* name) const { return directory_ / fmt::format("{}.parquet", name); }

  void clean(sql::Connection& connection, const char* name, Way way) {
    std::string select = file(fmt::format("sql/clean/{}.sql", name));
    if (!way.straight) {
      must(connection.create_table({"clean", name}, select));
      select = fmt::format("select * from clean.{}", name);
    }
    must(connection.copy_to_parquet(select, parquet(name).string()));
    if (way.straight) {
      std::string path = parquet(name).string();
      must(connection.create_view({"clean", name},
                                  "select * from " + sql::read_parquet(std::span(&path, 1))));
    }
  }

  static std::string file(const std::string& path) {
    return read(fs::path(PINPIPE_SOURCE_DIR) / "projects/pinterest" / path);
  }

  void open_raw(sql::Connection& connection, bool ours) {
    const std::string* bytes[] = {&data_.pin, &data_.geo, &data_.user};
    for (int i = 0; i < 3; ++i) {
      Schema schema = schema_of(datasets[i]);
      if (ours) {
        sql::JsonInput input;
        input.schema = std::make_shared<Schema>(schema);
        const std::string* text = bytes[i];
        input.open = [text] {
          return sql::pieces_of(
              {{.source = "bench", .bytes = *text, .first_line = 1, .keep = nullptr}});
        };
        must(connection.create_json_view({"raw", datasets[i]}, input));
        continue;
      }
      std::string columns;
      for (const Column& column : schema.columns()) {
        columns += fmt::format("{}'{}': '{}'", columns.empty() ? "" : ", ", column.name,
                               columns::name_of(column.type));
      }
      must(connection.create_view({"raw", datasets[i]},
                                  fmt::format("select * from read_json('{}/{}.jsonl', format = "
                                              "'newline_delimited', columns = {{{}}})",
                                              directory_.string(), datasets[i], columns)));
    }
  }

  const Data& data_;
  const fs::path directory_;
  const int threads_;
};

}  // namespace

int main(int argc, char** argv) {
  int posts = argc > 1 ? std::atoi(argv[1]) : 1'000'000;
  int threads = argc > 2 ? std::atoi(argv[2]) : 2;
  Data data = make_data(posts);
  fs::path directory = fs::temp_directory_path() / fmt::format("pinpipe-bench-{}", getpid());
  fs::create_directories(directory);
  const std::string* bytes[] = {&data.pin, &data.geo, &data.user};
  for (int i = 0; i < 3; ++i) {
    std::ofstream(directory / fmt::format("{}.jsonl", datasets[i]), std::ios::binary) << *bytes[i];
  }
  fmt::print("{} posts, {:.0f} MB of pin, {} threads\n", posts,
             static_cast<double>(data.pin.size()) / 1e6, threads);
  fmt::print("decode alone, one core: {:.0f} MB/s\n", decode_rate(data.pin));
  Bench bench(data, directory, threads);
  Bench::Times ours, theirs, notebook;
  for (int i = 0; i < repetitions; ++i) {
    bench.run({}, i == 0, ours);
    bench.run({.ours = false}, false, theirs);
    bench.run({.ours = false, .straight = false}, false, notebook);
  }
  auto line = [](const char* what, double Bench::Times::* part, const auto& all) {
    auto [a, b, c] = all;
    fmt::print(
        "{:<28} {:8.3f} s   read_json {:8.3f} s, {:.2f}   through tables {:8.3f} s, {:.2f}\n", what,
        a.*part, b.*part, b.*part / (a.*part), c.*part, c.*part / (a.*part));
  };
  std::tuple all(ours, theirs, notebook);
  line("read all columns of pin", &Bench::Times::scan, all);
  line("clean all three to Parquet", &Bench::Times::clean, all);
  line("all questions", &Bench::Times::questions, all);
  fmt::print("{:<28} {:8.3f} s   read_json {:8.3f} s, {:.2f}   through tables {:8.3f} s, {:.2f}\n",
             "clean + Parquet + questions", ours.all(), theirs.all(), theirs.all() / ours.all(),
             notebook.all(), notebook.all() / ours.all());
  fs::remove_all(directory);
}
