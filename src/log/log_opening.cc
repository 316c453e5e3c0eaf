// Opening a partition: believe the clean marker, otherwise read again from the recovery point, cut
// at the first bad byte, say what was cut, begin a new leader epoch.
#include <algorithm>
#include <charconv>
#include <compare>
#include <optional>

#include "base/bytes.h"
#include "base/log_line.h"
#include "log/partition_log.h"
#include "log/segment_scan.h"

namespace pinpipe::log {
namespace {
constexpr int64_t clock_jump_max_ms = 24LL * 3600 * 1000;
}  // namespace

class LogOpening {
 public:
  LogOpening(PartitionLog& log, bool sync_found)
      : log_(log), files_(log.house_.files), sync_found_(sync_found) {}

  Status run() {
    if (Status looked = look(); !looked) return looked;
    if (files_found_.empty() && !had_checkpoint_) return begin_empty();
    if (is_clean()) return take_clean();
    return recover();
  }

 private:
  using Segment = PartitionLog::Segment;

  // A segment's file as its name tells: "<20 digits>.log" or "<20 digits>-<generation>.log".
  struct Found {
    Offset base = 0;
    int64_t generation = 0;
    auto operator<=>(const Found&) const = default;
  };

  static std::optional<Found> parse(std::string_view name) {
    constexpr std::string_view suffix = ".log";
    if (!name.ends_with(suffix)) return std::nullopt;
    name.remove_suffix(suffix.size());
    auto number = [&](int64_t& into) {
      auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), into);
      if (failure != std::errc{} || into < 0) return false;
      name.remove_prefix(static_cast<size_t>(end - name.data()));
      return true;
    };
    Found found;
    if (!number(found.base)) return std::nullopt;
    if (name.empty()) return found;
    name.remove_prefix(1);
    return number(found.generation) && name.empty() ? std::optional(found) : std::nullopt;
  }

  std::string stem_of(const Found& found) const {
    return PartitionLog::stem_of(log_.directory_, found.base, found.generation);
  }
  std::string stem_of(Offset base) const { return stem_of(Found{.base = base}); }

  void remove_files(const Found& found) {
    for (const char* suffix : {".log", ".index", ".timeindex"})
      (void)files_.remove(stem_of(found) + suffix);
  }

  Status look() {
    auto entries = files_.list(log_.directory_);
    if (!entries && entries.error().code() == Code::not_found) return {};
    if (!entries) return entries.error();
    for (const io::DirEntry& entry : *entries) {
      if (entry.name.find(".tmp") != std::string::npos)
        (void)files_.remove(log_.directory_ + "/" + entry.name);
      if (auto found = parse(entry.name)) files_found_.push_back(*found);
    }
    std::ranges::sort(files_found_);
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
      keep_newest_generations();
      if (!files_found_.empty()) checkpoint_.start = files_found_.front().base;
    }
    return {};
  }

  // Removal of old segments, or the exchange of cleaned ones, may have been cut short by a crash:
  // what the checkpoint does not name is not in force.
  void drop_forgotten() {
    std::erase_if(files_found_, [&](const Found& found) {
      if (found.base >= checkpoint_.recovery_base && found.generation == 0) return false;
      auto named = std::ranges::find(checkpoint_.closed, found.base, &ClosedSegment::base);
      bool in_force = named != checkpoint_.closed.end() && named->generation == found.generation;
      if (!in_force) remove_files(found);
      return !in_force;
    });
  }

  // Without a checkpoint to ask. A cleaned file has its name only once it is whole; those that it
  // replaced are then dropped because they do not connect.
  void keep_newest_generations() {
    for (size_t i = 0; i + 1 < files_found_.size();) {
      if (files_found_[i].base != files_found_[i + 1].base) {
        ++i;
        continue;
      }
      remove_files(files_found_[i]);
      files_found_.erase(files_found_.begin() + static_cast<ptrdiff_t>(i));
    }
  }

  Status begin_empty() {
    log_.epochs_ = {{0, 0}};
    add_segment({0, 0}, 0, 0, -1);
    return {};
  }

  void add_segment(const Found& found, Offset end, uint64_t size, int64_t max_timestamp_ms) {
    auto segment = std::make_shared<Segment>();
    segment->base = found.base;
    segment->generation = found.generation;
    segment->end = end;
    segment->size_bytes = size;
    segment->written_from = size;
    segment->max_timestamp_ms = max_timestamp_ms;
    segment->set_stem(stem_of(found));
    log_.segments_.push_back(std::move(segment));
  }

  bool is_clean() const {
    if (!checkpoint_.clean || files_found_.size() != checkpoint_.closed.size() + 1) return false;
    for (size_t i = 0; i < files_found_.size(); ++i) {
      bool active = i == checkpoint_.closed.size();
      Offset base = active ? checkpoint_.recovery_base : checkpoint_.closed[i].base;
      uint64_t size = active ? checkpoint_.clean->active_bytes : checkpoint_.closed[i].size_bytes;
      auto facts = files_.facts(stem_of(files_found_[i]) + ".log");
      if (files_found_[i].base != base || !facts || facts->size != size) return false;
    }
    return true;
  }

  void add_closed() {
    for (size_t i = 0; i < checkpoint_.closed.size(); ++i) {
      const ClosedSegment& closed = checkpoint_.closed[i];
      Offset end = i + 1 < checkpoint_.closed.size() ? checkpoint_.closed[i + 1].base
                                                     : checkpoint_.recovery_base;
      add_segment({closed.base, closed.generation}, end, closed.size_bytes,
                  closed.max_timestamp_ms);
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
    add_segment({checkpoint_.recovery_base, 0}, clean.end, clean.active_bytes, max_timestamp_ms);
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
    log_.cleaned_until_ = std::min(checkpoint_.cleaned_until, log_.segments_.back()->base);
    if (!log_.options_->append_time) return;
    // Append times go on from the last one given. One that a client chose, from before the topic
    // had append times, may lie far ahead: that one is not followed.
    int64_t ahead_max_ms = log_.house_.clock.wall_ms() + clock_jump_max_ms;
    for (const auto& segment : log_.segments_) {
      if (segment->max_timestamp_ms <= ahead_max_ms)
        log_.stamped_ms_ = std::max(log_.stamped_ms_, segment->max_timestamp_ms);
    }
  }

  Status recover() {
    log_.recovery_.clean = false;
    bool known = had_checkpoint_ && std::ranges::find(files_found_, checkpoint_.recovery_base,
                                                      &Found::base) != files_found_.end();
    if (known) {
      add_closed();
    } else {
      checkpoint_.closed.clear();
      checkpoint_.recovery_position = 0;
      checkpoint_.recovery_base =
          files_found_.empty() ? checkpoint_.start : files_found_.front().base;
      checkpoint_.producers = {};
    }
    log_.producers_ = checkpoint_.producers;
    std::erase_if(files_found_,
                  [&](const Found& found) { return found.base < checkpoint_.recovery_base; });
    if (files_found_.empty()) files_found_.push_back({checkpoint_.recovery_base, 0});
    Offset next = files_found_.front().base;
    bool cut = false;
    for (const Found& found : files_found_) {
      // What follows a cut, or a gap, is no longer connected to what was acknowledged before.
      if (cut || found.base != next) {
        if (Status dropped = drop(found); !dropped) return dropped;
        continue;
      }
      auto end = scan_segment(found);
      if (!end) return end.error();
      next = *end;
      cut = log_.recovery_.cut_bytes > 0;
    }
    return begin_new_epoch(next);
  }

  Status drop(const Found& found) {
    ++log_.recovery_.dropped_segments;
    if (log_.recovery_.reason.empty()) log_.recovery_.reason = "a gap between segments";
    for (const char* suffix : {".index", ".timeindex"})
      (void)files_.remove(stem_of(found) + suffix);
    return files_.remove(stem_of(found) + ".log");
  }

  // Where to begin reading: at the recovery point when the index up to there can be believed.
  uint64_t start_position(const Found& found, SegmentIndex& index) {
    if (found.base != checkpoint_.recovery_base || checkpoint_.recovery_position == 0) return 0;
    auto offsets = files_.read_all(stem_of(found) + ".index");
    auto times = files_.read_all(stem_of(found) + ".timeindex");
    if (!offsets || !times) return 0;
    auto loaded = SegmentIndex::from_bytes(*offsets, *times, checkpoint_.recovery_position);
    if (!loaded) return 0;
    index = std::move(*loaded);
    return checkpoint_.recovery_position;
  }

  Result<Offset> scan_segment(const Found& found) {
    const Offset base = found.base;
    auto file = files_.open(stem_of(found) + ".log", io::OpenMode::create);
    if (!file) return file.error();
    auto size = (*file)->size();
    if (!size) return size.error();
    SegmentIndex index;
    ScanFrom from{.position = start_position(found, index), .until = *size, .offset_least = base};
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
    if (sync_found_ && *size > from.position) {
      if (Status synced = (*file)->sync(); !synced) return synced.error();
    }
    add_segment(found, end->next_offset, end->position, index.max_timestamp_ms());
    log_.checkpointed_bytes_ = from.position;
    log_.checkpointed_offset_ = from.offset_least;
    active_index_ = std::move(index);
    return end->next_offset;
  }

  // Only closed segments carry a generation in their name.
  Status name_active() {
    Segment& active = *log_.segments_.back();
    if (active.generation == 0) return {};
    std::string from = active.path;
    active.generation = 0;
    active.set_stem(stem_of(active.base));
    if (Status renamed = files_.rename(from, active.path); !renamed) return renamed;
    return files_.sync_directory(log_.directory_);
  }

  Status begin_new_epoch(Offset end) {
    if (Status named = name_active(); !named) return named;
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
    // No checkpoint yet: the first write makes one, and until then a crash finds the same again. So
    // ten thousand partitions start without ten thousand syncs.
    log_.active_index_ = std::move(active_index_);
    log_.unclosed_ = true;
    return {};
  }

  PartitionLog& log_;
  io::Files& files_;
  const bool sync_found_;
  std::vector<Found> files_found_;  // by base, then generation
  bool had_checkpoint_ = false;
  Checkpoint checkpoint_;
  SegmentIndex active_index_;  // of the segment scanned last
};

Result<std::shared_ptr<PartitionLog>> PartitionLog::open(std::string directory, LogOptions options,
                                                         LogHouse house, bool sync_found) {
  std::shared_ptr<PartitionLog> log(new PartitionLog(std::move(directory), options, house));
  if (Status opened = LogOpening(*log, sync_found).run(); !opened)
    return opened.error().with(log->directory_);
  return log;
}

}  // namespace pinpipe::log
