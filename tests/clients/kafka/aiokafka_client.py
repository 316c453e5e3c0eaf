#!/usr/bin/env python3
"""What aiokafka's users do: codecs, idempotence, two members of a group, seeking by time, admin.

usage: aiokafka_client.py host:port     ends with 0 when all is well
"""
import asyncio
import sys
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError

bootstrap = sys.argv[1]
name = "aiokafka-%d" % time.time_ns()


async def produce(topic, codec, values, **settings):
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, compression_type=codec, **settings)
    await producer.start()
    try:
        sent = [await producer.send(topic, value, key=value[-2:], headers=[("n", value)]) for value in values]
        return [await one for one in sent]
    finally:
        await producer.stop()


async def consume(member, count):
    values = []
    async with asyncio.timeout(40):
        while len(values) < count:
            for batch in (await member.getmany(timeout_ms=500)).values():
                values += [record.value for record in batch]
    return values


async def main():
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, 2, 1, topic_configs={"retention.ms": "3600000"})])
    answer = await admin.create_topics([NewTopic(name, 2, 1)])
    assert answer.topic_errors[0][1] == TopicAlreadyExistsError.errno, answer
    before = int(time.time() * 1000)
    wanted = []
    for codec in (None, "gzip", "snappy", "lz4", "zstd"):
        values = [b"%s %d" % (str(codec).encode(), i) for i in range(200)]
        await produce(name, codec, values, enable_idempotence=True)
        wanted += values

    first, second = (AIOKafkaConsumer(name, bootstrap_servers=bootstrap, group_id=name + "-group", auto_offset_reset="earliest",
                                      enable_auto_commit=False, session_timeout_ms=6000, heartbeat_interval_ms=500)
                     for _ in range(2))
    await first.start()
    assert sorted(await consume(first, len(wanted))) == sorted(wanted)
    await first.commit()
    await second.start()
    async with asyncio.timeout(40):
        while len(first.assignment()) != 1 or len(second.assignment()) != 1:
            await asyncio.sleep(0.1)
    await second.stop()
    async with asyncio.timeout(40):
        while len(first.assignment()) != 2:
            await asyncio.sleep(0.1)
    both = [TopicPartition(name, p) for p in (0, 1)]
    ends = await first.end_offsets(both)
    assert sum(ends.values()) == len(wanted)
    for where in both:
        assert await first.committed(where) == ends[where]
    assert (await first.offsets_for_times({both[0]: before}))[both[0]].offset == 0
    assert (await first.offsets_for_times({both[0]: before + 10_000_000}))[both[0]] is None
    first.seek(both[0], 3)
    assert (await first.getone(both[0])).offset == 3
    await first.stop()

    await admin.create_partitions({name: NewPartitions(4)})
    assert len((await admin.describe_topics([name]))[0]["partitions"]) == 4
    configs = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
    assert "3600000" in str(configs), configs
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs={"retention.ms": "1000"})])
    assert any(group[0] == name + "-group" and group[1] == "consumer" for group in await admin.list_consumer_groups())
    positions = await admin.list_consumer_group_offsets(name + "-group")
    assert {where: position.offset for where, position in positions.items()} == ends, positions
    await admin.delete_topics([name])
    assert name not in await admin.list_topics()
    await admin.close()
    print("all is well")


asyncio.run(main())
