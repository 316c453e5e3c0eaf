// Requests to answers, without any socket: frames of bytes go in, pieces of bytes come out in the
// order of the requests. A malformed or unknown request ends the exchange with an error; what came
// before it is answered.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "doors/kafka/call.h"
#include "doors/kafka/frames.h"

namespace pinpipe::kafka {

class Replies {
 public:
  virtual ~Replies() = default;
  virtual io::Task<Status> send(std::span<const Piece> pieces) = 0;
};

class Exchange {
 public:
  // About unsent_bytes_max of answers are collected before they are sent.
  Exchange(Session& session, Replies& replies, size_t unsent_bytes_max)
      : session_(session), replies_(replies), unsent_bytes_max_(unsent_bytes_max) {}

  io::Task<Status> answer(std::vector<Frame> frames);

 private:
  struct Pending {
    Call call;
    const Api* api;  // null: a version of ApiVersions that nobody knows
    std::unique_ptr<Begun> begun;
  };

  Status begin(Frame frame, std::deque<Pending>& pending);
  io::Task<Status> send(std::vector<Piece>& pieces);

  Session& session_;
  Replies& replies_;
  const size_t unsent_bytes_max_;
};

}  // namespace pinpipe::kafka
