// The project's own tests: given rows go the way of real ones, as JSON through the decoder and the
// project's SQL, and what comes out is held against what is expected.
// Blocks. Bounds: the project's files.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "project/project.h"
#include "sql/engine.h"

namespace pinpipe::jobs {

struct TestResult {
  std::string name;
  std::string place;  // "tests/clean.yaml:3"
  int64_t took_ms = 0;
  std::string difference;  // empty: as expected
};

// Each test in a session of its own. An error is one of the engine, not of a test.
Result<std::vector<TestResult>> run_tests(const project::Project& project,
                                          const sql::Engine::Options& engine, const Clock& clock);

}  // namespace pinpipe::jobs
