#!/usr/bin/env python3
"""How long a broker takes to be ready, and what it weighs: with many partitions, and with a large log, after
kill -9 and after a clean stop.

usage: kafka_starts.py KAFKA_SERVER [PARTITIONS [GIGABYTES]]
"""
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "clients", "kafka"))
from kafka_wire import Connection, batch  # noqa: E402

TOPIC_PARTITIONS = 1000
IN_FLIGHT = 8


def start(what):
    began = time.monotonic()
    process = subprocess.Popen([sys.argv[1], what[1]], stdout=subprocess.PIPE)
    port = int(process.stdout.readline())
    took = time.monotonic() - began
    with open("/proc/%d/status" % process.pid) as status:
        resident = next(line.split()[1] for line in status if line.startswith("VmRSS"))
    print("%-40s ready in %.2f s, %d MB" % (what[0], took, int(resident) // 1024))
    return process, Connection(port, timeout=300)


def produce_all(connection, sends):
    waiting = 0
    for topic, partition, stored in sends:
        connection.send_produce(topic, partition, stored)
        waiting += 1
        if waiting == IN_FLIGHT:
            connection.receive_produced()
            waiting -= 1
    for _ in range(waiting):
        connection.receive_produced()


def end(process, kindly):
    # The first answer came from a broker that may not listen to signals yet.
    time.sleep(1)
    began = time.monotonic()
    process.terminate() if kindly else process.kill()
    process.wait()
    return time.monotonic() - began


def partitions(count, data):
    process, connection = start(("an empty directory", data))
    for i in range(count // TOPIC_PARTITIONS):
        connection.create_topic("t%d" % i, TOPIC_PARTITIONS)
    one = batch([(b"key", b"v" * 100)])
    produce_all(connection, (("t%d" % i, k, one) for i in range(count // TOPIC_PARTITIONS)
                             for k in range(TOPIC_PARTITIONS)))
    end(process, False)
    process, _ = start(("%d written partitions, after kill -9" % count, data))
    print("%-40s stopped in %.2f s" % ("", end(process, True)))
    process, _ = start(("%d partitions, after a clean stop" % count, data))
    end(process, True)


def gigabytes(count, data):
    process, connection = start(("an empty directory", data))
    connection.create_topic("big", 4, {"fsync": "os"})
    large = batch([(b"key", os.urandom(1000)) for _ in range(900)])
    number = (count << 30) // len(large)
    began = time.monotonic()
    produce_all(connection, (("big", i % 4, large) for i in range(number)))
    print("%-40s %.0f MB/s, not synced" % ("wrote %d GB" % count,
                                           number * len(large) / 1e6 / (time.monotonic() - began)))
    end(process, False)
    process, _ = start(("%d GB, after kill -9" % count, data))
    end(process, True)


for measure, argument, standard in ((partitions, 2, 10_000), (gigabytes, 3, 10)):
    size = int(sys.argv[argument]) if len(sys.argv) > argument else standard
    if size > 0:
        with tempfile.TemporaryDirectory() as data:
            measure(size, data)
