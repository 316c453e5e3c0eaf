// What Spark wrote with a byte changed or the end torn off: an error, or actions that a snapshot
// takes; never a crash. The files are those that the fuzzers begin with.
#include <gtest/gtest.h>

#include "base/random.h"
#include "codec/json.h"
#include "io/files.h"
#include "kit/memory_files.h"
#include "kit/seed.h"
#include "lake/checkpoint_rows.h"
#include "lake/snapshot.h"

namespace pinpipe::lake {
namespace {

constexpr int changes = 150;
constexpr int tears = 50;

std::string seed_file(const std::string& name) {
  auto bytes = io::posix_files().read_all(PINPIPE_SOURCE_DIR "/fuzz/seeds/" + name);
  EXPECT_TRUE(bytes) << bytes.error().text();
  return bytes ? std::move(*bytes) : std::string();
}

// How many files are live afterwards; nothing when it was refused.
std::optional<size_t> files_of_checkpoint(const std::string& bytes) {
  kit::MemoryFiles disk;
  (void)disk.make_directories("/disk");
  auto file = disk.open("/disk/checkpoint", io::OpenMode::create);
  if (!file || !(*file)->write_at(bytes, 0)) return std::nullopt;
  Snapshot snapshot;
  snapshot.begin_checkpoint(3);
  Status read = read_checkpoint_rows(**file, [&snapshot](Actions actions) {
    return snapshot.apply_checkpoint_rows(std::move(actions));
  });
  if (!read) return std::nullopt;
  return snapshot.files().size();
}

std::optional<size_t> files_of_commit(const std::string& bytes) {
  codec::JsonScanner scanner;
  auto actions = decode_commit(scanner, bytes);
  if (!actions) return std::nullopt;
  Snapshot snapshot;
  if (!snapshot.apply_commit(0, std::move(*actions), bytes.size())) return std::nullopt;
  return snapshot.files().size();
}

TEST(DamagedFiles, a_checkpoint_with_a_wrong_byte_or_without_its_end_ends_no_program) {
  Random random(kit::seed());
  for (const char* name : {"spark_checkpoint", "spark_checkpoint_part", "spark_sidecar"}) {
    std::string whole = seed_file(std::string("delta_files/") + name).substr(1);
    ASSERT_TRUE(files_of_checkpoint(whole)) << name;
    int refused = 0;
    for (int i = 0; i < changes; ++i) {
      std::string damaged = whole;
      char& at = damaged[random.below(damaged.size())];
      at = static_cast<char>(at ^ static_cast<char>(1 + random.below(255)));
      refused += !files_of_checkpoint(damaged);
    }
    for (int i = 0; i < tears; ++i) {
      bool taken = files_of_checkpoint(whole.substr(0, random.below(whole.size()))).has_value();
      EXPECT_FALSE(taken) << name << ": it is torn";
    }
    EXPECT_GT(refused, 0) << name;
  }
}

TEST(DamagedFiles, a_commit_without_its_end_is_no_commit) {
  for (const char* name : {"spark_commit_1", "spark_commit_2", "spark_commit_3"}) {
    std::string whole = seed_file(std::string("delta_log/") + name);
    size_t lines = 0;
    for (size_t end = 0; end < whole.size(); ++end) {
      // What ends with a line may be a whole commit of fewer actions: a put is never seen in part.
      if (end > 0 && (whole[end - 1] == '\n' || whole[end] == '\n')) {
        ++lines;
        continue;
      }
      EXPECT_FALSE(files_of_commit(whole.substr(0, end))) << name << " at " << end;
    }
    EXPECT_GT(lines, 0U);
  }
}

}  // namespace
}  // namespace pinpipe::lake
