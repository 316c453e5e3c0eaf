#include "io/wake.h"

#include <gtest/gtest.h>

#include "base/check.h"
#include "io/runtime.h"
#include "io/scope.h"

namespace pinpipe::io {
namespace {

struct WakeTest : testing::Test {
  Runtime runtime{{.loops = 2, .disk_threads = 2}};
};

TEST_F(WakeTest, a_value_set_on_another_thread_arrives) {
  auto task = [](Runtime& all) -> Task<int> {
    int sum = 0;
    for (int i = 0; i < 1000; ++i) {
      OneShot<int> shot;
      CHECK(all.disk().submit([shot, i]() mutable { shot.set(i); }), "queued");
      Result<int> got = co_await shot.wait();
      if (got) sum += *got;
    }
    co_return sum;
  };
  EXPECT_EQ(wait_on(runtime.loop(0), task(runtime)), 499'500);
}

TEST_F(WakeTest, the_deadline_ends_a_wait_and_the_first_value_counts) {
  auto task = []() -> Task<Code> {
    OneShot<int> shot;
    Result<int> got = co_await shot.wait(after(Millis(1)));
    co_return got ? Code::internal : got.error().code();
  };
  EXPECT_EQ(wait_on(runtime.loop(0), task()), Code::timeout);
  OneShot<int> shot;
  shot.set(1);
  shot.set(2);
  EXPECT_EQ(*wait_on(runtime.loop(0), shot.wait()), 1);
}

TEST_F(WakeTest, one_wakes_reaches_tasks_of_several_loops) {
  std::vector<OneShot<int>> shots(64);
  std::atomic<int> done = 0;
  auto waiter = [](OneShot<int> shot, std::atomic<int>& count) -> Task<> {
    if (co_await shot.wait()) count.fetch_add(1);
  };
  std::vector<std::unique_ptr<Scope>> scopes;
  for (size_t i = 0; i < 2; ++i) scopes.push_back(std::make_unique<Scope>(runtime.loop(i)));
  for (size_t i = 0; i < shots.size(); ++i) {
    runtime.loop(i % 2).post([&, i] { scopes[i % 2]->spawn("w", waiter(shots[i], done)); });
  }
  {
    Wakes wakes;
    for (auto& shot : shots) shot.set(1, wakes);
  }
  for (size_t i = 0; i < 2; ++i) run_on(runtime.loop(i), scopes[i]->join());
  EXPECT_EQ(done.load(), 64);
}

TEST_F(WakeTest, a_signal_is_not_missed_between_looking_and_waiting) {
  auto task = [](Runtime& all) -> Task<int> {
    Signal signal;
    std::atomic<int> value = 0;
    int seen = 0;
    for (int i = 1; i <= 1000; ++i) {
      uint64_t version = signal.version();
      CHECK(all.disk().submit([&signal, &value, i] {
        value = i;
        signal.notify_all();
      }),
            "queued");
      while (value.load() < i) {
        if (!co_await signal.wait_beyond(version, after(Millis(5000)))) co_return -1;
        version = signal.version();
      }
      ++seen;
      // The notifier may still hold the signal's lock: it dies only after all have been heard.
      while (signal.version() < static_cast<uint64_t>(i))
        (void)co_await signal.wait_beyond(signal.version(), after(Millis(1)));
    }
    co_return seen;
  };
  EXPECT_EQ(wait_on(runtime.loop(0), task(runtime)), 1000);
}

TEST_F(WakeTest, any_of_several_signals_wakes_and_none_is_left_registered) {
  auto task = [](Runtime& all) -> Task<bool> {
    Signal a;
    Signal b;
    CHECK(all.disk().submit([&b] { b.notify_all(); }), "queued");
    Status woken = co_await Signal::wait_any({{&a, a.version()}, {&b, 0}}, after(Millis(5000)));
    Status timed_out = co_await Signal::wait_any({{&a, a.version()}}, after(Millis(1)));
    co_return woken.has_value() && !timed_out.has_value();
  };
  EXPECT_TRUE(wait_on(runtime.loop(0), task(runtime)));
}

}  // namespace
}  // namespace pinpipe::io
