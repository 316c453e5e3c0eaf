// The records of a topic or stream as rows, for topic('name') and stream('name') in SQL.
//   topic:  key, value, topic, partition, offset, timestamp           as Spark's Kafka source
//   stream: partitionKey, data, stream, shardId, sequenceNumber,
//           approximateArrivalTimestamp                               as Databricks' Kinesis source
// Keys and values are text; bytes that are no UTF-8 become U+FFFD. A query reads what is there when
// it begins, partition by partition.
// Bounds: fetch_bytes of records at a time.
#pragma once

#include <string>
#include <vector>

#include "broker/streams.h"
#include "broker/topics.h"
#include "io/loop.h"
#include "sql/row_scan.h"

namespace pinpipe::jobs {

struct RecordSource {
  static constexpr size_t fetch_bytes = size_t{4} << 20;

  broker::Topics* topics = nullptr;  // outlives every query
  io::Loop* loop = nullptr;          // where the topics are asked; never the caller's own thread
  std::string name;
  int32_t partitions = 1;
  broker::StreamPointer stream;  // null: a topic
};

sql::RowInput record_rows(RecordSource source);

}  // namespace pinpipe::jobs
