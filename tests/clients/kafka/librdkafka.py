#!/usr/bin/env python3
"""What librdkafka's users do, through confluent-kafka: codecs, idempotence, groups with joins, leaves and
crashes, seeking by time, admin.

usage: librdkafka.py host:port     ends with 0 when all is well
"""
import os
import signal
import sys
import time

import confluent_kafka
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

RECORDS = 300
bootstrap = sys.argv[1]
name = "librdkafka-%d" % time.time_ns()
is_old = not hasattr(confluent_kafka, "ConsumerGroupState")
admin = AdminClient({"bootstrap.servers": bootstrap})


def done(futures):
    return {key: future.result(20) for key, future in futures.items()}


def consumer(group, **settings):
    return Consumer({"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest",
                     "enable.auto.commit": False, "session.timeout.ms": 6000, "heartbeat.interval.ms": 500, **settings})


def read(member, count, seconds=40):
    values, deadline = [], time.monotonic() + seconds
    while len(values) < count and time.monotonic() < deadline:
        message = member.poll(0.2)
        if message is None:
            continue
        assert message.error() is None, message.error()
        values.append(message.value())
    return values


def produce(topic, settings, values, partition=-1):
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, **settings})
    places = []

    def landed(error, message):
        assert error is None, error
        places.append((message.partition(), message.offset()))

    for i, value in enumerate(values):
        where = {} if partition < 0 else {"partition": partition}
        producer.produce(topic, value, key=b"%d" % i, headers=[("n", b"%d" % i), ("none", None)], on_delivery=landed, **where)
    assert producer.flush(20) == 0
    assert len(set(places)) == len(values)
    return places


def codecs():
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        topic = "%s-%s" % (name, codec)
        done(admin.create_topics([NewTopic(topic, 2, 1)]))
        sent = [b"%s value %d " % (codec.encode(), i) * 20 for i in range(RECORDS)]
        produce(topic, {"compression.type": codec, "enable.idempotence": True}, sent)
        member = consumer(topic)
        member.subscribe([topic])
        assert sorted(read(member, RECORDS)) == sorted(sent), codec
        member.commit(asynchronous=False)
        ends = [member.get_watermark_offsets(TopicPartition(topic, p)) for p in (0, 1)]
        assert sum(high for _, high in ends) == RECORDS, ends
        member.close()
        done(admin.delete_topics([topic]))


def groups():
    """Two share the partitions; one leaves, and a third that joined dies: the others take over."""
    topic = name + "-groups"
    done(admin.create_topics([NewTopic(topic, 4, 1)]))
    for p in range(4):
        produce(topic, {}, [b"%d/%d" % (p, i) for i in range(50)], p)
    child = os.fork()
    if child == 0:
        doomed = consumer(topic)
        doomed.subscribe([topic])
        while True:
            doomed.poll(0.1)
    first, second = consumer(topic), consumer(topic)
    for member in (first, second):
        member.subscribe([topic])
    deadline = time.monotonic() + 40
    while not (len(first.assignment()) == len(second.assignment()) + len(first.assignment()) - 1 == 1
               or {len(first.assignment()), len(second.assignment())} == {1, 2}):
        first.poll(0.1), second.poll(0.1)
        assert time.monotonic() < deadline, (first.assignment(), second.assignment())
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while len(first.assignment()) + len(second.assignment()) < 4:
        first.poll(0.1), second.poll(0.1)
        assert time.monotonic() < deadline, "nobody took over from the dead member"
    second.close()
    while len(first.assignment()) < 4:
        first.poll(0.1)
        assert time.monotonic() < deadline, "nobody took over from the member that left"
    for p in range(4):
        first.seek(TopicPartition(topic, p, 0))
    assert len(read(first, 200)) == 200
    first.commit(asynchronous=False)
    first.close()
    again = consumer(topic)
    committed = again.committed([TopicPartition(topic, p) for p in range(4)], 10)
    assert [one.offset for one in committed] == [50] * 4, committed
    again.close()
    found = [group for group in admin.list_groups(topic, 10) if group.id == topic]
    assert found and found[0].protocol_type == "consumer", (found, [g.protocol_type for g in found])


def times():
    topic = name + "-times"
    done(admin.create_topics([NewTopic(topic, 1, 1)]))
    producer = Producer({"bootstrap.servers": bootstrap, "compression.type": "lz4"})
    for i in range(100):
        producer.produce(topic, b"%d" % i, timestamp=1_600_000_000_000 + 1000 * i, partition=0)
    assert producer.flush(20) == 0
    member = consumer(topic)
    found = member.offsets_for_times([TopicPartition(topic, 0, 1_600_000_041_500)], 10)
    assert found[0].offset == 42, found
    member.assign(found)
    assert read(member, 1) == [b"42"]
    # librdkafka turns a time behind the last record into the end.
    beyond = member.offsets_for_times([TopicPartition(topic, 0, 1_700_000_000_000)], 10)
    assert beyond[0].offset in (confluent_kafka.OFFSET_END, 100), beyond
    member.close()


def administration():
    topic = name + "-admin"
    done(admin.create_topics([NewTopic(topic, 1, 1, config={"retention.ms": "3600000"})]))
    try:
        done(admin.create_topics([NewTopic(topic, 1, 1)]))
        raise AssertionError("created twice")
    except KafkaException as error:
        assert error.args[0].code() == confluent_kafka.KafkaError.TOPIC_ALREADY_EXISTS, error
    done(admin.create_partitions([NewPartitions(topic, 3)]))
    assert len(admin.list_topics(topic, 10).topics[topic].partitions) == 3
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    configs = done(admin.describe_configs([resource]))[resource]
    assert configs["retention.ms"].value == "3600000" and configs["cleanup.policy"].value == "delete"
    done(admin.alter_configs([ConfigResource(ConfigResource.Type.TOPIC, topic, set_config={"retention.ms": "1000"})]))
    assert done(admin.describe_configs([resource]))[resource]["retention.ms"].value == "1000"
    if not is_old:
        modern_administration(topic)
    done(admin.delete_topics([topic]))


def modern_administration(topic):
    from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, IsolationLevel
    from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, OffsetSpec

    entry = ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.APPEND)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
    done(admin.incremental_alter_configs([resource]))
    plain = ConfigResource(ConfigResource.Type.TOPIC, topic)
    assert set(done(admin.describe_configs([plain]))[plain]["cleanup.policy"].value.split(",")) == {"compact", "delete"}
    produce(topic, {}, [b"%d" % i for i in range(10)], 0)
    where = TopicPartition(topic, 0)
    assert done(admin.list_offsets({where: OffsetSpec.latest()}, isolation_level=IsolationLevel.READ_UNCOMMITTED))[where].offset == 10
    assert 0 <= done(admin.list_offsets({where: OffsetSpec.max_timestamp()}))[where].offset <= 9
    assert done(admin.delete_records([TopicPartition(topic, 0, 4)]))[where].low_watermark == 4
    assert done(admin.list_offsets({where: OffsetSpec.earliest()}))[where].offset == 4

    group = topic + "-group"
    member = consumer(group)
    member.subscribe([topic])
    assert len(read(member, 6)) == 6
    member.commit(asynchronous=False)
    described = done(admin.describe_consumer_groups([group]))[group]
    assert described.state == ConsumerGroupState.STABLE and not described.is_simple_consumer_group, described
    assert {p.partition for p in described.members[0].assignment.topic_partitions} == {0, 1, 2}
    member.close()
    described = done(admin.describe_consumer_groups([group]))[group]
    assert described.state == ConsumerGroupState.EMPTY and not described.is_simple_consumer_group, described
    listed = admin.list_consumer_groups(states={ConsumerGroupState.EMPTY}).result(10)
    mine = [one for one in listed.valid if one.group_id == group]
    assert mine and not mine[0].is_simple_consumer_group and not listed.errors, listed
    done(admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 7)])]))
    offsets = done(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]))[group]
    assert [p.offset for p in offsets.topic_partitions if p.partition == 0] == [7], offsets
    done(admin.delete_consumer_groups([group]))
    cluster = admin.describe_cluster().result(10)
    assert len(cluster.nodes) == 1 and cluster.controller.id == cluster.nodes[0].id
    topics = done(admin.describe_topics(confluent_kafka.TopicCollection([topic])))[topic]
    assert len(topics.partitions) == 3 and not topics.is_internal


codecs()
groups()
times()
administration()
print("all is well", confluent_kafka.version(), confluent_kafka.libversion())
