"""The barest Kafka REST proxy of the parts that Karapace is made of: aiohttp in front, aiokafka behind. It does nothing
but POST /topics/{topic} with JSON records, so it is quicker than what it stands in for, which no package index has.
usage: proxy.py PORT BOOTSTRAP"""
import asyncio
import json
import sys

from aiohttp import web
from aiokafka import AIOKafkaProducer


def compact(value):
    return None if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


async def produce(request):
    topic = request.match_info["topic"]
    producer = request.app["producer"]
    records = json.loads(await request.read())["records"]
    sent = [await producer.send(topic, compact(one.get("value")), key=compact(one.get("key"))) for one in records]
    placed = await asyncio.gather(*sent)
    offsets = [{"partition": one.partition, "offset": one.offset, "error_code": None, "error": None} for one in placed]
    return web.json_response({"offsets": offsets, "key_schema_id": None, "value_schema_id": None},
                             content_type="application/vnd.kafka.v2+json")


async def make():
    app = web.Application(client_max_size=64 << 20)
    app["producer"] = AIOKafkaProducer(bootstrap_servers=sys.argv[2], acks="all")
    await app["producer"].start()
    app.add_routes([web.post("/topics/{topic}", produce)])
    return app


web.run_app(make(), host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
