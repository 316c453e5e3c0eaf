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

// One object to be: the records of a set that lie in the same directory.
struct OpenFile {
  int64_t first = 0;  // the first record's offset: the object's name
  int64_t records = 0;
  std::string bytes;
};

// Records [from, end) of a partition, or only skipped ones and no file. All files of a set are
// closed together, so that one offset says how far all is stored. Without a time layout there is
// one file, of the empty path.
struct ObjectSink::Upload {
  static constexpr size_t files_max = 1'000;

  int64_t from = 0;
  int64_t end = 0;
  int64_t records = 0;
  int64_t skipped = 0;
  std::map<std::string, OpenFile> files;  // by path
  size_t bytes = 0;                       // of all files
  int64_t first_ms = 0;                   // the first record's time, when there is a layout
  std::string last_path;
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
  // Whose place it has taken: it begins when the other's uploads have ended.
  std::shared_ptr<Follower> predecessor;
  size_t uploading = 0;
  io::Signal idle;  // an upload ended

  int64_t next = 0;  // to be read
  Upload file;       // open
  int64_t opened_wall_ms = 0;
  int64_t opened_steady_ms = 0;
  std::optional<int64_t> flush_to;
  std::deque<std::shared_ptr<Upload>> uploads;  // in order; the front ones leave when done
  std::map<int64_t, std::string> known_ends;    // from the state: where files ended, their path
  uint64_t boundaries = 0;                      // handed out
  uint64_t boundaries_durable = 0;
  bool boundary_failed = false;
  io::Signal boundary_written;

  int64_t durable = 0;
  int64_t committed = 0;
  int64_t high_watermark = 0;
  Totals durable_totals;
  Totals committed_totals;
};

}  // namespace pinpipe::sink
