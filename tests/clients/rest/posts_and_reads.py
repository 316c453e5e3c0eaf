"""What the course's scripts do through the gateway, with requests: posting as the emulators do, and RegnixS' way of
looking whether it arrived. usage: posts_and_reads.py GATEWAY_URL"""
import json
import sys
import time

import requests

gateway = sys.argv[1].rstrip("/")
invoke = gateway + "/prod"
json_records = {"Content-Type": "application/vnd.kafka.json.v2+json"}
v2 = {"Content-Type": "application/vnd.kafka.v2+json"}


def expect(condition, what):
    if not condition:
        sys.exit(f"not so: {what}")


def ok(answer, status=200):
    expect(answer.status_code == status, f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}")
    return answer


rows = [{"index": i, "title": f"café 😀 {i}", "at": "2020-10-15 18:51:13", "img_src": None} for i in range(20)]
for row in rows:
    reply = ok(requests.post(f"{invoke}/topics/req.pin", headers=json_records, data=json.dumps({"records": [{"value": row}]})))
    expect(reply.json()["offsets"][0]["error_code"] is None, reply.text)
ok(requests.post(f"{invoke}/topics/req.pin/", headers=json_records, json={"records": [{"value": rows}]}))
ok(requests.post(f"{invoke}//topics/req.pin", headers=json_records, data=json.dumps({"records": [{"value": json.dumps(rows[0])}]}, indent=4)))
expect("req.pin" in ok(requests.get(f"{invoke}/topics")).json(), "the topic is listed")

# As check_user_posting_emulation.py does.
created = ok(requests.post(f"{invoke}/consumers/students", headers=v2, data=json.dumps(
    {"name": "check", "format": "json", "auto.offset.reset": "earliest"}))).json()
expect(created["base_uri"] == f"{invoke}/consumers/students/instances/check", created)
base = created["base_uri"]
ok(requests.post(f"{base}/subscription", headers=v2, data=json.dumps({"topics": ["req.pin"]})), 204)
records = ok(requests.get(f"{base}/records", headers={"Accept": "application/vnd.kafka.json.v2+json"})).json()
expect(len(records) == 22, f"{len(records)} records at the first read")
expect([one["value"] for one in records[:20]] == rows, "rows come back as they were")
expect(records[20]["value"] == rows and json.loads(records[21]["value"]) == rows[0], "lists and double-encoded rows too")
expect(ok(requests.get(f"{base}/records", headers={"Accept": "application/vnd.kafka.json.v2+json"})).json() == [], "read once")
ok(requests.delete(base, headers=v2), 204)
expect(requests.delete(base, headers=v2).json()["error_code"] == 40403, "deleted twice")

# One keep-alive session; positions, commits, a second member.
with requests.Session() as session:
    made = ok(session.post(f"{gateway}/consumers/g", headers=v2, json={"format": "json", "auto.offset.reset": "earliest",
                                                                    "auto.commit.enable": "false"})).json()
    base = made["base_uri"]
    ok(session.post(f"{base}/assignments", headers=v2, json={"partitions": [{"topic": "req.pin", "partition": 0}]}), 204)
    accept = {"Accept": "application/vnd.kafka.json.v2+json"}
    first = ok(session.get(f"{base}/records?max_bytes=400", headers=accept)).json()
    expect(0 < len(first) < 22, "max_bytes bounds a read")
    ok(session.post(f"{base}/offsets", headers=v2))
    told = ok(session.get(f"{base}/offsets", headers=v2, json={"partitions": [{"topic": "req.pin", "partition": 0}]})).json()
    expect(told["offsets"][0]["offset"] == first[-1]["offset"] + 1, told)
    ok(session.post(f"{base}/positions/beginning", headers=v2, json={"partitions": [{"topic": "req.pin", "partition": 0}]}), 204)
    expect(ok(session.get(f"{base}/records", headers=accept)).json()[0]["offset"] == 0, "from the beginning again")
    ok(session.delete(base, headers=v2), 204)

# A client that gives up waiting: what came meanwhile is there at its next read.
made = ok(requests.post(f"{gateway}/consumers/patience", headers=v2, json={"name": "impatient", "format": "json",
                                                                 "consumer.request.timeout.ms": 20000})).json()
base = made["base_uri"]
ok(requests.post(f"{base}/assignments", headers=v2, json={"partitions": [{"topic": "req.pin", "partition": 0}]}), 204)
try:
    requests.get(f"{base}/records", headers=accept, timeout=0.3)
    sys.exit("the read was to be given up")
except requests.exceptions.ReadTimeout:
    pass
ok(requests.post(f"{invoke}/topics/req.pin", headers=json_records, json={"records": [{"value": "late"}]}))
began = time.monotonic()
late = ok(requests.get(f"{base}/records?timeout=10000", headers=accept)).json()
expect([one["value"] for one in late] == ["late"], late)
expect(time.monotonic() - began < 5, "without waiting for the read that was given up")

# v3, streaming: a generator makes requests send chunks.
cluster = ok(requests.get(f"{gateway}/v3/clusters")).json()["data"][0]["cluster_id"]
def chunks():
    for i in range(100):
        yield json.dumps({"key": {"type": "STRING", "data": str(i)}, "value": {"type": "JSON", "data": {"i": i}}}).encode()
reply = ok(requests.post(f"{gateway}/v3/clusters/{cluster}/topics/req.v3/records", data=chunks(),
                         headers={"Content-Type": "application/json"}))
answers = [json.loads(line) for line in reply.text.splitlines() if line]
expect(len(answers) == 100 and all(one["error_code"] == 200 for one in answers), reply.text[:300])
expect([one["offset"] for one in answers] == list(range(100)), "in order")
