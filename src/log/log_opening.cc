// Opening a partition: believe the clean marker, otherwise read again from the recovery point, cut
// at the first bad byte, say what was cut, begin a new leader epoch.
#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "base/log_line.h"
#include "log/partition_log.h"
#include "log/segment_scan.h"

namespace pinpipe::log {

class LogOpening {
 public:
  explicit LogOpening(PartitionLog& log) : log_(log), files_(log.house_.files) {}

  Status run() {
    if (Status looked = look(); !looked) return looked;
    if (bases_.empty() && !had_checkpoint_) return begin_empty();
    if (is_clean()) return take_clean();
    return recover();
  }

 private:
  using Segment = PartitionLog::Segment;

  std::string stem_of(Offset base) const { return fmt::format("{}/{:020}", log_.directory_, base); }

  Status look() {
    auto entries = files_.list(log_.directory_);
    if (!entries && entries.error().code() == Code::not_found) return {};
    if (!entries) return entries.error();
    for (const io::DirEntry& entry : *entries) {
      if (entry.name.find(".tmp") != std::string::npos)
        (void)files_.remove(log_.directory_ + "/" + entry.name);
      if (!entry.name.ends_with(".log")) continue;
      Offset base = 0;
      auto digits = std::string_view(entry.name).substr(0, entry.name.size() - 4);
      auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), base);
      if (failure == std::errc{} && end == digits.data() + digits.size()) bases_.push_back(base);
    }
    std::ranges::sort(bases_);
    auto text = files_.read_all(log_.directory_ + "/checkpoint");
    if (!text && text.error().code() != Code::not_found) return text.error();
    if (!text) return {};
    had_checkpoint_ = true;
    auto parsed = Checkpoint::from_text(*text);
    if (!parsed && parsed.error().code() == Code::invalid) return parsed.error();
    if (parsed) {
      checkpoint_ = std::move(*parsed);
      drop_forgotten();
    } else {
      log_warn("log", "a checkpoint is unreadable: all of the partition is read again",
               {{"directory", log_.directory_}});
      if (!bases_.empty()) checkpoint_.start = bases_.front();
    }
    return {};
  }

  // Removal of old segments may have been cut short by a crash.
  void drop_forgotten() {
    Offset first =
        checkpoint_.closed.empty() ? checkpoint_.recovery_base : checkpoint_.closed.front().base;
    while (!bases_.empty() && bases_.front() < first) {
      for (const char* suffix : {".log", ".index", ".timeindex"})
        (void)files_.remove(stem_of(bases_.front()) + suffix);
      bases_.erase(bases_.begin());
    }
  }

  Status begin_empty() {
    log_.epochs_ = {{0, 0}};
    add_segment(0, 0, 0, -1);
    return {};
  }

  void add_segment(Offset base, Offset end, uint64_t size, int64_t max_timestamp_ms) {
    auto segment = std::make_shared<Segment>();
    segment->base = base;
    segment->end = end;
    segment->size_bytes = size;
    segment->max_timestamp_ms = max_timestamp_ms;
    segment->stem = stem_of(base);
    log_.segments_.push_back(std::move(segment));
  }

  bool is_clean() const {
    if (!checkpoint_.clean || bases_.size() != checkpoint_.closed.size() + 1) return false;
    for (size_t i = 0; i < bases_.size(); ++i) {
      bool active = i == checkpoint_.closed.size();
      Offset base = active ? checkpoint_.recovery_base : checkpoint_.closed[i].base;
      uint64_t size = active ? checkpoint_.clean->active_bytes : checkpoint_.closed[i].size_bytes;
      auto facts = files_.facts(stem_of(bases_[i]) + ".log");
      if (bases_[i] != base || !facts || facts->size != size) return false;
    }
    return true;
  }

  void add_closed() {
    for (size_t i = 0; i < checkpoint_.closed.size(); ++i) {
      const ClosedSegment& closed = checkpoint_.closed[i];
      Offset end = i + 1 < checkpoint_.closed.size() ? checkpoint_.closed[i + 1].base
                                                     : checkpoint_.recovery_base;
      add_segment(closed.base, end, closed.size_bytes, closed.max_timestamp_ms);
    }
  }

  Status take_clean() {
    add_closed();
    const Checkpoint::Clean& clean = *checkpoint_.clean;
    int64_t max_timestamp_ms = -1;
    if (clean.active_bytes > 0) {
      // Twelve bytes at the end of a small file, in place of the whole index.
      auto times = files_.read_all(stem_of(checkpoint_.recovery_base) + ".timeindex");
      if (!times || times->size() < 12) return recover_again();
      max_timestamp_ms = load_be<int64_t>(times->data() + times->size() - 12);
    }
    add_segment(checkpoint_.recovery_base, clean.end, clean.active_bytes, max_timestamp_ms);
    take_facts(clean.end);
    log_.producers_ = checkpoint_.producers;
    log_.checkpointed_bytes_ = clean.active_bytes;
    log_.checkpointed_offset_ = clean.end;
    return {};
  }

  Status recover_again() {
    log_.segments_.clear();
    return recover();
  }

  void take_facts(Offset end) {
    log_.epochs_ = checkpoint_.epochs;
    if (log_.epochs_.empty()) log_.epochs_ = {{0, 0}};
    log_.start_ = std::min(std::max(checkpoint_.start, log_.segments_.front()->base), end);
    log_.next_offset_ = end;
    log_.high_watermark_ = end;
  }

  Status recover() {
    log_.recovery_.clean = false;
    bool known =
        had_checkpoint_ && std::ranges::find(bases_, checkpoint_.recovery_base) != bases_.end();
    if (known) {
      add_closed();
    } else {
      checkpoint_.closed.clear();
      checkpoint_.recovery_position = 0;
      checkpoint_.recovery_base = bases_.empty() ? checkpoint_.start : bases_.front();
      checkpoint_.producers = {};
    }
    log_.producers_ = checkpoint_.producers;
    std::erase_if(bases_, [&](Offset base) { return base < checkpoint_.recovery_base; });
    if (bases_.empty()) bases_.push_back(checkpoint_.recovery_base);
    Offset next = bases_.front();
    bool cut = false;
    for (Offset base : bases_) {
      // What follows a cut, or a gap, is no longer connected to what was acknowledged before.
      if (cut || base != next) {
        if (Status dropped = drop(base); !dropped) return dropped;
        continue;
      }
      auto end = scan_segment(base);
      if (!end) return end.error();
      next = *end;
      cut = log_.recovery_.cut_bytes > 0;
    }
    return begin_new_epoch(next);
  }

  Status drop(Offset base) {
    ++log_.recovery_.dropped_segments;
    if (log_.recovery_.reason.empty()) log_.recovery_.reason = "a gap between segments";
    for (const char* suffix : {".index", ".timeindex"}) (void)files_.remove(stem_of(base) + suffix);
    return files_.remove(stem_of(base) + ".log");
  }

  // Where to begin reading: at the recovery point when the index up to there can be believed.
  uint64_t start_position(Offset base, SegmentIndex& index) {
    if (base != checkpoint_.recovery_base || checkpoint_.recovery_position == 0) return 0;
    auto offsets = files_.read_all(stem_of(base) + ".index");
    auto times = files_.read_all(stem_of(base) + ".timeindex");
    if (!offsets || !times) return 0;
    auto loaded = SegmentIndex::from_bytes(*offsets, *times, checkpoint_.recovery_position);
    if (!loaded) return 0;
    index = std::move(*loaded);
    return checkpoint_.recovery_position;
  }

  Result<Offset> scan_segment(Offset base) {
    auto file = files_.open(stem_of(base) + ".log", io::OpenMode::create);
    if (!file) return file.error();
    auto size = (*file)->size();
    if (!size) return size.error();
    SegmentIndex index;
    ScanFrom from{.position = start_position(base, index), .until = *size, .offset_least = base};
    if (from.position > *size) {
      from.position = 0;
      index = {};
    }
    if (from.position > 0) from.offset_least = checkpoint_.recovery_offset;
    auto end =
        scan(**file, from, [&](const BatchHeader& header, uint64_t position, std::string_view) {
          index.note(base, header, position, log_.options_->index_interval_bytes);
          auto verdict = log_.producers_.check(header);
          if (std::holds_alternative<Producers::Fresh>(verdict))
            log_.producers_.note(header, header.base_offset, log_.house_.clock.wall_ms());
          return true;
        });
    if (!end) return end.error();
    log_.recovery_.scanned_bytes += end->position - from.position;
    if (end->position < *size) {
      if (!end->bad.empty()) {
        log_.recovery_.cut_bytes += *size - end->position;
        log_.recovery_.reason = end->bad;
      }
      if (Status cut = (*file)->truncate(end->position); !cut) return cut.error();
    }
    // What was found may still be only in the page cache: it counts as durable from now on.
    if (Status synced = (*file)->sync(); !synced) return synced.error();
    add_segment(base, end->next_offset, end->position, index.max_timestamp_ms());
    active_index_ = std::move(index);
    return end->next_offset;
  }

  Status begin_new_epoch(Offset end) {
    take_facts(end);
    log_.epochs_.push_back({log_.epochs_.back().epoch + 1, end});
    if (log_.recovery_.cut_bytes > 0 || log_.recovery_.dropped_segments > 0) {
      log_warn("log", "a partition was cut at the first bad byte",
               {{"directory", log_.directory_},
                {"reason", log_.recovery_.reason},
                {"cut_bytes", std::to_string(log_.recovery_.cut_bytes)},
                {"dropped_segments", std::to_string(log_.recovery_.dropped_segments)},
                {"end", std::to_string(end)}});
    }
    log_.active_index_ = std::move(active_index_);
    return log_.advance_checkpoint(true);
  }

  PartitionLog& log_;
  io::Files& files_;
  std::vector<Offset> bases_;
  bool had_checkpoint_ = false;
  Checkpoint checkpoint_;
  SegmentIndex active_index_;  // of the segment scanned last
};

Result<std::shared_ptr<PartitionLog>> PartitionLog::open(std::string directory, LogOptions options,
                                                         LogHouse house) {
  std::shared_ptr<PartitionLog> log(new PartitionLog(std::move(directory), options, house));
  if (Status opened = LogOpening(*log).run(); !opened) return opened.error().with(log->directory_);
  return log;
}

}  // namespace pinpipe::log
