"""httpx over h2: posts at once, a body larger than any window, and answers that are left half way."""
import asyncio
import json
import sys

import httpx

gateway, aws = sys.argv[1:]
RECORDS = {"content-type": "application/vnd.kafka.json.v2+json"}


async def post(client, number):
    body = json.dumps({"records": [{"value": {"n": number}}]})
    answer = await client.post(gateway + "/test/topics/http2.httpx", content=body, headers=RECORDS)
    assert answer.http_version == "HTTP/2" and answer.status_code == 200, answer.text
    return answer.json()["offsets"][0]["offset"]


async def main():
    async with httpx.AsyncClient(http1=False, http2=True, timeout=30) as client:
        offsets = await asyncio.gather(*(post(client, n) for n in range(300)))
        assert sorted(offsets) == list(range(300)), offsets
        large = bytes(range(256)) * 8192
        assert (await client.put(aws + "/httpx-bucket")).status_code == 200
        assert (await client.put(aws + "/httpx-bucket/large", content=large)).status_code == 200
        assert (await client.get(aws + "/httpx-bucket/large")).content == large
        # Not more often: httpx never gives the connection's window of 16 MiB back for what it leaves unread.
        for _ in range(5):
            async with client.stream("GET", aws + "/httpx-bucket/large") as answer:
                async for _ in answer.aiter_bytes(1000):
                    break
        assert (await client.head(aws + "/httpx-bucket/large")).headers["content-length"] == str(len(large))
        assert (await client.get(gateway + "/nowhere")).status_code in (403, 404)


asyncio.run(main())
