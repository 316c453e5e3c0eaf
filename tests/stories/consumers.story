# REST consumer instances outlive their server: subscription and position are there after it was killed, and what one
# committed is the group's, whoever reads on.

start
POST $GATEWAY/prod/topics/$ID.pin
  {"records": [{"value": {"index": 1}}, {"value": {"index": 2}}]}
-> 200
POST $GATEWAY/prod/consumers/students
  {"name": "check", "format": "json", "auto.offset.reset": "earliest", "auto.commit.enable": "false"}
-> 200
  {"instance_id": "check", "base_uri": "$GATEWAY/prod/consumers/students/instances/check"}
POST $GATEWAY/prod/consumers/students/instances/check/subscription
  {"topics": ["$ID.pin"]}
-> 204
GET $GATEWAY/prod/consumers/students/instances/check/records?max_bytes=12
  Accept: application/vnd.kafka.json.v2+json
-> 200
  [{"topic": "0e90e0175553.pin", "key": null, "value": {"index": 1}, "partition": 0, "offset": 0}]
POST $GATEWAY/prod/consumers/students/instances/check/offsets
-> 200

kill
start
GET $GATEWAY/prod/consumers/students/instances/check/records
  Accept: application/vnd.kafka.json.v2+json
-> 200
  [{"topic": "0e90e0175553.pin", "key": null, "value": {"index": 2}, "partition": 0, "offset": 1}]
GET $GATEWAY/prod/consumers/students/instances/check/offsets?partitions=$ID.pin:0
-> 200
  {"offsets": [{"topic": "0e90e0175553.pin", "partition": 0, "offset": 1, "metadata": ""}]}
DELETE $GATEWAY/prod/consumers/students/instances/check
-> 204
GET $GATEWAY/prod/consumers/students/instances/check/records
  Accept: application/vnd.kafka.json.v2+json
-> 404
  {"error_code": 40403}
