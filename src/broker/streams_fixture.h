// For tests of streams: a broker and its streams, opened and ended together. Their state is in a
// directory of its own; the log is on whatever files the test gives.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>

#include "broker/streams.h"
#include "kit/fake_clock.h"
#include "kit/temporary_directory.h"

namespace pinpipe::broker {

class OpenStreams {
 protected:
  void open_on(io::Files& files, const std::string& log_directory, io::Pool& disk) {
    auto broker = Broker::open(
        {.log_directory = log_directory, .state_path = directory_.path() + "/broker.db"}, files,
        disk, clock_, auth::Policy::open_for_local());
    ASSERT_TRUE(broker) << broker.error().text();
    broker_ = std::move(*broker);
    auto streams =
        Streams::open({.state_path = directory_.path() + "/streams.db"}, *broker_, disk, clock_);
    ASSERT_TRUE(streams) << streams.error().text();
    streams_ = std::move(*streams);
    access_.emplace(streams_->as(auth::local_principal()));
  }
  // As they are, closed or not. Before the files and the pool go.
  void forget() {
    access_.reset();
    streams_.reset();
    broker_.reset();
  }

  kit::TemporaryDirectory directory_;
  kit::FakeClock clock_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<Streams> streams_;
  std::optional<StreamAccess> access_;
};

}  // namespace pinpipe::broker
