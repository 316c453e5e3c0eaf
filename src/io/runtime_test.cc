#include "io/runtime.h"

#include <condition_variable>
#include <gtest/gtest.h>
#include <mutex>

#include "io/scope.h"
#include "io/stoppable.h"
#include "io/timer.h"

namespace pinpipe::io {
namespace {

struct RuntimeTest : testing::Test {
  Runtime runtime{{.loops = 2, .disk_threads = 2, .work_threads = 1}};
};

TEST_F(RuntimeTest, a_task_runs_on_its_loop) {
  bool on_it = wait_on(runtime.loop(1), [](Loop& loop) -> Task<bool> {
    co_return loop.is_current();
  }(runtime.loop(1)));
  EXPECT_TRUE(on_it);
}

TEST_F(RuntimeTest, the_pool_gives_values_back_to_the_same_loop) {
  auto task = [](Runtime& all) -> Task<int> {
    int value = co_await all.disk().run([] { return Loop::on_a_loop() ? 0 : 41; });
    co_return all.loop(0).is_current() ? value + 1 : -1;
  };
  EXPECT_EQ(wait_on(runtime.loop(0), task(runtime)), 42);
}

TEST_F(RuntimeTest, the_pool_does_all_of_the_work_also_when_its_threads_are_busy) {
  ThreadPool pool("busy", 2);
  std::atomic<int> done = 0;
  auto thousand = [&] {
    std::vector<std::move_only_function<void()>> work;
    for (int i = 0; i < 1'000; ++i) work.emplace_back([&done] { ++done; });
    return work;
  };
  // Each of these waits for the others on a pool that has no thread left to help.
  std::vector<std::move_only_function<void()>> outer;
  for (int i = 0; i < 4; ++i) outer.emplace_back([&] { pool.run_all(thousand()); });
  pool.run_all(std::move(outer));
  EXPECT_EQ(done, 4'000);
  pool.run_all({});
}

TEST_F(RuntimeTest, a_scope_cancels_and_joins_its_children) {
  auto task = [](Runtime& all) -> Task<int> {
    Scope scope(all.loop(0));
    int cancelled_count = 0;
    auto sleeper = [](int& count) -> Task<> {
      Status slept = co_await sleep_until(never);
      if (!slept && slept.error().code() == Code::cancelled) ++count;
      // Once cancelled, later waits end at once as well.
      Status again = co_await sleep_until(never);
      if (!again) ++count;
    };
    for (int i = 0; i < 10; ++i) scope.spawn("sleeper", sleeper(cancelled_count));
    scope.cancel();
    co_await scope.join();
    scope.spawn("too late", sleeper(cancelled_count));
    co_return cancelled_count + static_cast<int>(scope.size());
  };
  EXPECT_EQ(wait_on(runtime.loop(0), task(runtime)), 20);
}

TEST_F(RuntimeTest, work_that_can_stop_hears_of_its_callers_cancellation) {
  auto until_stopped = [](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any woken;
    std::unique_lock lock(mutex);
    woken.wait(lock, stop, [] { return false; });
    return 7;
  };
  auto task = [&](Runtime& all) -> Task<int> {
    Scope scope(all.loop(0));
    int value = 0;
    scope.spawn("caller", [](auto& pool, auto work, int& out) -> Task<> {
      out += co_await run_stoppable(pool, work);
      out += co_await run_stoppable(pool, work);  // cancelled before it begins
    }(all.work(), until_stopped, value));
    (void)co_await sleep_for(Millis(5));
    scope.cancel();
    co_await scope.join();
    co_return value;
  };
  EXPECT_EQ(wait_on(runtime.loop(0), task(runtime)), 14);
  auto answered = [](Runtime& all) -> Task<int> {
    co_return co_await run_stoppable(all.work(), [](const std::stop_token&) { return 3; });
  };
  EXPECT_EQ(wait_on(runtime.loop(0), answered(runtime)), 3);
}

TEST_F(RuntimeTest, a_throwing_task_stops_the_process) {
  // The fixture has threads: the child starts anew instead of forking among them.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Runtime inner({.loops = 1});
        run_on(inner.loop(0), []() -> Task<> {
          throw std::runtime_error("boom");
          co_return;
        }());
      },
      "no exception leaves a task");
}

}  // namespace
}  // namespace pinpipe::io
