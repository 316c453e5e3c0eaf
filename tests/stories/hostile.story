# Whatever arrives at the doors gets a clear refusal, changes nothing and takes nothing down.

start
POST $GATEWAY/topics/guest
  {"records": [{"value": {"a": 1}}]}

# Bodies that are no record.
POST $GATEWAY/topics/guest
  {bad
-> 400
  {"error_code": 400, "message": "..."}
POST $GATEWAY/topics/guest
  {"ind": 7, "age": 3}
-> 422
  ~ Unrecognized field: ind
POST $GATEWAY/topics/guest
  {"records": []}
-> 422
POST $GATEWAY/topics/guest
  {"records": [{"value": 1}, {"valeu": 2}]}
-> 422
POST $GATEWAY/topics/guest
  Content-Type: text/plain
  {"records": [{"value": 1}]}
-> 415
POST $GATEWAY/topics/guest
  << 70000000 bytes of x
-> 413
POST $GATEWAY/topics/guest
  << 1000000 bytes of [
-> 400
GET $GATEWAY/topics/nobody
-> 404
  {"error_code": 40401, "message": "..."}

# Names that are paths.
for name in ..%2f..%2fetc .. a%00b %2e%2e%2frun
  POST $GATEWAY/topics/$name
    {"records": [{"value": 1}]}
  -> 422
POST $GATEWAY/topics/../../etc/passwd
  {"records": [{"value": 1}]}
-> 404
cli topic create ../x
-> 2
  ! is no name for a topic
PUT $AWS/user-$ID-bucket/../../../escaped
  hello
-> 200
PUT $AWS/user-$ID-bucket/..%2f..%2f..%2fescaped
  hello
-> 200
GET $AWS/user-$ID-bucket/../../../escaped
-> 200
  hello
PUT $AWS/../escaped
  hello
-> 400
cli object cat s3://user-$ID-bucket/../../FORMAT
-> 5
names escaped in $TMP outside $DATA/buckets
-> 0

# A page elsewhere on the web, and a name that somebody else's DNS points at this machine.
for door in $GATEWAY $CONSOLE $AWS
  GET $door/topics
    Host: evil.example
  -> 403
  GET $door/topics
    Origin: http://evil.example
  -> 403

# Reading is free, changing needs the token.
POST $CONSOLE/api/v1/topic/list
-> 200
for call in run topic/create topic/delete dag/run dag/pause
  POST $CONSOLE/api/v1/$call
    {"topic": "guest"}
  -> 403
    {"error": {"code": "denied", "message": "..."}}
  POST $CONSOLE/api/v1/$call
    Authorization: Bearer 00000000000000000000000000000000
    {"topic": "guest"}
  -> 403
POST $CONSOLE/api/v1/topic/list
  [1]
-> 400
POST $CONSOLE/api/v1/topic/list
  {"zz": 1}
-> 400
cli env -o csv
-> 0
keep TOKEN PINPIPE_TOKEN,(\w+)
POST $CONSOLE/api/v1/topic/delete
  Authorization: Bearer $TOKEN
  {"topic": "guest"}
-> 200

# A question that wants out of its house.
cli run
cli sql "select * from read_csv('/etc/passwd')"
-> 8
  ! Permission Error
cli sql "copy (select 1) to '$TMP/copied'"
-> 8
cli sql "drop table clean.pin"
-> 8

# Nothing of it was stored, and everybody is well.
cli topic list -o csv
-> 0
  topic,partitions,start,end,records
  $ID.geo,1,0,0,0
  $ID.pin,1,0,0,0
  $ID.user,1,0,0,0
  streaming-$ID-geo,1,0,0,0
  streaming-$ID-pin,1,0,0,0
  streaming-$ID-user,1,0,0,0
names copied in $TMP outside $DATA/buckets
-> 0
GET $CONSOLE/livez
-> 200
GET $CONSOLE/readyz
-> 200
POST $GATEWAY/topics/$ID.user
  {"records": [{"value": {"ind": 1, "first_name": "Ada", "last_name": "Byron", "age": 36,
    "date_joined": "2015-12-10T10:15:00"}}]}
-> 200
stop
