"""nlp-kafka-rest-api, as its own README uses it. usage: pypi_client.py GATEWAY_URL"""
import sys

from kafka_rest import Consumer, Producer

where = {"kafka_rest_api_url": sys.argv[1].rstrip("/") + "/prod", "topic_id": "nlp"}
keys = Producer(**where).produce([{"text": f"café {i}"} for i in range(10)], "predict")
assert len(keys) == 10
# What it consumes is in <topic>-response: the answers of a service, which we play.
answers = Producer(**{**where, "topic_id": "nlp-response"})
answers.produce([{"label": i} for i in range(10)], "predict", keys=keys)
with Consumer(**where) as consumer:
    got = [one for some, left in consumer.consume(keys, interval_sec=0) for one in some]
assert sorted(one["value"]["payload"]["label"] for one in got) == list(range(10)), got
assert {one["key"] for one in got} == set(keys)
