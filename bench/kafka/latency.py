#!/usr/bin/env python3
"""How long librdkafka waits for the acknowledgement of a record, at a steady rate: the milliseconds at the median and at the
slowest hundredth.

usage: latency.py HOST:PORT TOPIC BYTES RATE SECONDS      with a Python that has confluent-kafka
"""
import sys
import time

import confluent_kafka

WARM_SECONDS = 2  # do not count


def main():
    address, topic, size, rate, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
    producer = confluent_kafka.Producer({"bootstrap.servers": address, "acks": "all", "linger.ms": 0})
    value, waits = b"x" * size, []
    begin = time.perf_counter()

    def sent(at):
        def acknowledged(error, _):
            if error:
                raise SystemExit(str(error))
            if at - begin >= WARM_SECONDS:
                waits.append(time.perf_counter() - at)
        return acknowledged

    for number in range((WARM_SECONDS + seconds) * rate):
        due = begin + number / rate
        while True:
            left = due - time.perf_counter()
            producer.poll(max(0, left))
            if left <= 0:
                break
        producer.produce(topic, value, on_delivery=sent(time.perf_counter()))
    producer.flush()
    waits.sort()
    print(waits[len(waits) // 2] * 1000, waits[len(waits) * 99 // 100] * 1000)


main()
