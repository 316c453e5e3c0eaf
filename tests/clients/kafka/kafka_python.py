#!/usr/bin/env python3
"""What kafka-python does against a broker: admin, produce, groups, seek by time.

usage: kafka_python.py host:port     ends with 0 when all is well
"""
import sys
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic

bootstrap = sys.argv[1]
topic = "python-%d" % time.time_ns()

admin = KafkaAdminClient(bootstrap_servers=bootstrap)
admin.create_topics([NewTopic(topic, num_partitions=2, replication_factor=1,
                              topic_configs={"retention.ms": "3600000"})])
assert topic in admin.list_topics()

producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", compression_type="gzip")
before = int(time.time() * 1000)
sent = [producer.send(topic, key=b"k%d" % i, value=b"v%d" % i, partition=i % 2,
                      headers=[("n", b"%d" % i)]) for i in range(500)]
producer.flush()
places = [future.get(timeout=10) for future in sent]
assert sorted(p.offset for p in places if p.partition == 0) == list(range(250))

consumer = KafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=topic + "-group",
                         auto_offset_reset="earliest", consumer_timeout_ms=5000,
                         enable_auto_commit=False)
values = set()
for record in consumer:
    values.add(record.value)
    assert record.headers[0][0] == "n"
    if len(values) == 500:
        break
assert len(values) == 500, len(values)
consumer.commit()
partition = TopicPartition(topic, 0)
assert consumer.committed(partition) == 250
assert consumer.beginning_offsets([partition])[partition] == 0
assert consumer.end_offsets([partition])[partition] == 250
assert consumer.offsets_for_times({partition: before})[partition].offset == 0
assert consumer.offsets_for_times({partition: before + 10_000_000})[partition] is None
consumer.close()

admin.create_partitions({topic: NewPartitions(3)})
for _ in range(50):
    if len(admin.describe_topics([topic])[0]["partitions"]) == 3:
        break
    time.sleep(0.1)
assert len(admin.describe_topics([topic])[0]["partitions"]) == 3
described = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
assert "3600000" in str(described), described
assert topic + "-group" in str(admin.list_consumer_groups() if hasattr(admin, "list_consumer_groups")
                               else admin.list_groups())
admin.delete_topics([topic])
assert topic not in admin.list_topics()
print("all is well")
