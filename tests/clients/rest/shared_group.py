"""A REST instance and kafka-python are members of one group: each gets half of the partitions, and all when the other
leaves. usage: shared_group.py GATEWAY_URL KAFKA_ADDRESS"""
import sys
import time

import requests
from kafka import KafkaConsumer

gateway, kafka = sys.argv[1].rstrip("/"), sys.argv[2]
v2 = {"Content-Type": "application/vnd.kafka.v2+json"}
accept = {"Accept": "application/vnd.kafka.binary.v2+json"}


def until(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
    sys.exit(f"not within {seconds} s: {what}")


cluster = requests.get(f"{gateway}/v3/clusters").json()["data"][0]["cluster_id"]
made = requests.post(f"{gateway}/v3/clusters/{cluster}/topics", json={"topic_name": "shared", "partitions_count": 4})
assert made.status_code == 201, made.text
base = requests.post(f"{gateway}/consumers/both", headers=v2, json={"name": "rest", "auto.offset.reset": "earliest"}).json()["base_uri"]
assert requests.post(f"{base}/subscription", headers=v2, json={"topics": ["shared"]}).status_code == 204


def rest_partitions():
    requests.get(f"{base}/records?timeout=100", headers=accept)
    return len(requests.get(f"{base}/assignments", headers=v2).json()["partitions"])


until(lambda: rest_partitions() == 4, "the REST instance has all partitions while it is alone")
consumer = KafkaConsumer("shared", bootstrap_servers=kafka, group_id="both", auto_offset_reset="earliest")
until(lambda: consumer.poll(100) is not None and len(consumer.assignment()) == 2 and rest_partitions() == 2,
      "the two share the partitions")
records = [{"value": "MQ==", "partition": p} for p in range(4) for _ in range(5)]
posted = requests.post(f"{gateway}/topics/shared", headers={"Content-Type": "application/vnd.kafka.binary.v2+json"}, json={"records": records})
assert posted.status_code == 200, posted.text
seen = {"rest": 0, "kafka": 0}


def both_read():
    seen["rest"] += len(requests.get(f"{base}/records?timeout=100", headers=accept).json())
    seen["kafka"] += sum(len(some) for some in consumer.poll(100).values())
    return sum(seen.values()) >= 20


until(both_read, "all records are read")
assert seen == {"rest": 10, "kafka": 10}, seen
assert requests.delete(base, headers=v2).status_code == 204
until(lambda: consumer.poll(100) is not None and len(consumer.assignment()) == 4, "who stays gets the rest")
consumer.close()
