// ObjectSink's view of one partition: the open file, the uploads under way, and how far all is
// safe.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "broker/topics.h"
#include "sink/object_sink.h"

namespace pinpipe::sink {

// Whether trying again may help without anybody doing anything.
bool is_passing(Code code);

struct Totals {
  int64_t records = 0;
  int64_t objects = 0;
  int64_t skipped = 0;

  // As the metadata of the committed position, so that both move together.
  std::string text() const;
  static Totals of_text(std::string_view text);
};

// Records [from, end) of a partition that make one object, or only skipped ones and none.
struct ObjectSink::Upload {
  int64_t from = 0;
  int64_t end = 0;
  int64_t first = -1;  // the first stored record's offset: the object's name
  int64_t records = 0;
  int64_t skipped = 0;
  std::string bytes;
  bool by_clock = false;           // its end has to be remembered before it is uploaded
  uint64_t boundaries_before = 0;  // how many remembered ends have to be durable first
  bool done = false;
};

struct ObjectSink::Follower {
  FollowedPartition who;
  Uuid incarnation;
  int task = 0;
  bool abandoned = false;  // another follower has taken its place
  bool begun = false;

  int64_t next = 0;  // to be read
  Upload file;       // open
  int64_t opened_wall_ms = 0;
  int64_t opened_steady_ms = 0;
  std::optional<int64_t> flush_to;
  std::deque<std::shared_ptr<Upload>> uploads;  // in order; the front ones leave when done
  std::map<int64_t, int64_t> known_ends;        // from the state: file start -> end
  uint64_t boundaries = 0;                      // handed out
  uint64_t boundaries_durable = 0;
  io::Signal boundary_written;

  int64_t durable = 0;
  int64_t committed = 0;
  int64_t high_watermark = 0;
  Totals durable_totals;
  Totals committed_totals;
};

}  // namespace pinpipe::sink
