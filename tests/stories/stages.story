# The URLs of the original: any stage name before the path, Kinesis behind the gateway, doubled and trailing slashes.

start
for stage in test prod stage-2 0e90e0175553-stage
  POST $GATEWAY/$stage/topics/$ID.pin
    {"records": [{"value": {"index": 7}}]}
  -> 200
  GET $GATEWAY/$stage/topics
  -> 200
    ~ "0e90e0175553[.]pin"
POST $GATEWAY/test/topics/$ID.pin/
  {"records": [{"value": {"index": 8}}]}
-> 200
  {"offsets": [{"partition": 0, "offset": 4}]}
PUT $GATEWAY/test/streams/streaming-$ID-pin/record
  {"StreamName": "another", "Data": {"index": 7, "category": "art"}, "PartitionKey": "partition-1"}
-> 200
  {"ShardId": "shardId-000000000000", "SequenceNumber": "..."}
PUT $GATEWAY/test//streams/streaming-$ID-pin/record
  {"StreamName": "streaming-$ID-pin", "Data": {"index": 8, "category": "art"}, "PartitionKey": 8}
-> 200

# A stage alone is no resource; what is below it and no stream goes to the REST proxy, as the original's {proxy+} does.
GET $GATEWAY/nowhere
-> 403
  {"message": "Missing Authentication Token"}
GET $GATEWAY/test/nowhere
-> 404
  {"error_code": 404}
cli topic list -o csv
-> 0
  ~ ^0e90e0175553[.]pin,1,0,5,5$$
  ~ ^streaming-0e90e0175553-pin,1,0,2,2$$
