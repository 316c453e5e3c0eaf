// Which posts of an emulation the log has already: a demo that was ended half way goes on with the
// rest instead of posting all of it again.
#pragma once

#include <string>
#include <vector>

#include "broker/topics.h"
#include "io/task.h"
#include "project/project.h"
#include "source/rounds.h"

namespace pinpipe::app {

// By the posts' numbers, as the emulator counts them. In topics a post is known by its mark
// `run`/number; streams keep no marks: there it is known by its row's index, whoever sent it.
// Bounds: reads the topics or streams from end to end, a fetch at a time; a bit for each post.
class StoredPosts {
 public:
  static io::Task<Result<StoredPosts>> find(broker::Topics& topics, source::Target target,
                                            const source::Destinations& destinations,
                                            std::string run, uint64_t rounds);

  bool has(uint64_t number) const { return number < stored_.size() && stored_[number]; }
  uint64_t count() const { return count_; }

 private:
  explicit StoredPosts(uint64_t posts) : stored_(posts + 1) {}
  void note(uint64_t number);

  std::vector<bool> stored_;
  uint64_t count_ = 0;
};

}  // namespace pinpipe::app
