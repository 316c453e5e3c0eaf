#include "log/producers.h"

#include <algorithm>

namespace pinpipe::log {

// 2^31 − 1 is followed by 0.
int32_t sequence_after(int32_t sequence, int32_t by) {
  return static_cast<int32_t>((static_cast<int64_t>(sequence) + by) & 0x7fff'ffff);
}

Producers::Verdict Producers::check(const BatchHeader& header) const {
  if (header.producer_id < 0) return Fresh{};
  auto found = all_.find(header.producer_id);
  if (found == all_.end()) return Fresh{};
  const Producer& producer = found->second;
  std::string who = "producer " + std::to_string(header.producer_id);
  if (header.producer_epoch < producer.epoch)
    return Refusal{Fault::stale_producer_epoch,
                   who + " has epoch " + std::to_string(producer.epoch) + " now"};
  if (header.producer_epoch > producer.epoch) {
    if (header.base_sequence == 0) return Fresh{};
    return Refusal{Fault::out_of_order_sequence, who + " must begin a new epoch with sequence 0"};
  }
  // By the offsets, not the count: compaction may have left fewer records than were sent.
  int32_t last_sequence = sequence_after(header.base_sequence, header.last_offset_delta);
  for (const ProducerBatch& batch : producer.batches) {
    if (batch.first_sequence == header.base_sequence && batch.last_sequence == last_sequence)
      return batch;
  }
  if (producer.batches.empty()) return Fresh{};
  int32_t expected = sequence_after(producer.batches.back().last_sequence, 1);
  if (header.base_sequence == expected) return Fresh{};
  return Refusal{Fault::out_of_order_sequence, who + " sent sequence " +
                                                   std::to_string(header.base_sequence) + ", " +
                                                   std::to_string(expected) + " is next"};
}

void Producers::note(const BatchHeader& header, Offset base_offset, int64_t now_ms) {
  if (header.producer_id < 0) return;
  if (all_.size() >= producers_max && !all_.contains(header.producer_id)) {
    auto quietest = std::ranges::min_element(
        all_, {}, [](const auto& entry) { return entry.second.touched_ms; });
    all_.erase(quietest);
  }
  Producer& producer = all_[header.producer_id];
  if (producer.epoch != header.producer_epoch) producer.batches.clear();
  producer.epoch = header.producer_epoch;
  producer.touched_ms = now_ms;
  if (producer.batches.size() == Producer::batches_max)
    producer.batches.erase(producer.batches.begin());
  producer.batches.push_back(
      {.first_sequence = header.base_sequence,
       .last_sequence = sequence_after(header.base_sequence, header.last_offset_delta),
       .base_offset = base_offset,
       .timestamp_ms = header.max_timestamp_ms});
}

void Producers::expire(int64_t older_than_ms) {
  std::erase_if(all_, [&](const auto& entry) { return entry.second.touched_ms < older_than_ms; });
}

}  // namespace pinpipe::log
