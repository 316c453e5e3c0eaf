# Posts become answers: two people post, one is asked for.

start
POST $GATEWAY/topics/$ID.pin
  {"records": [{"value": {"index": 7, "unique_id": "a", "title": "No Title Data Available", "description": "d",
    "poster_name": "Ada", "follower_count": "2M", "tag_list": "x", "is_image_or_video": "image", "image_src": "i",
    "downloaded": 1, "save_location": "Local save in /data/art", "category": "art"}}]}
-> 200
  {"offsets": [{"partition": 0, "offset": 0, "error_code": null, "error": null}],
   "key_schema_id": null, "value_schema_id": null}
POST $GATEWAY/topics/$ID.geo
  {"records": [{"value": {"ind": 7, "timestamp": "2020-02-03 04:05:06", "latitude": -1.5, "longitude": 2.5,
    "country": "Chad"}}]}
POST $GATEWAY/topics/$ID.user
  {"records": [{"value": {"ind": 7, "first_name": "Ada", "last_name": "Byron", "age": 36,
    "date_joined": "2015-12-10T10:15:00"}}]}

# Before the batch job ran there is nothing to ask; the answer says what to do. What needs no clean table is answered.
cli ask q1
-> 5
  ! pinpipe run
cli ask q33b
-> 5
  ! did you mean "q3b"
cli sql "select 1 as one" -o csv
-> 0
  one
  1
cli sql "select key, value ->> 'category' as category from topic('$ID.pin')" -o csv
-> 0
  key,category
  ,art

# The connector brings the records into the bucket under Confluent's names.
for topic in pin geo user
  until 20s cli object ls s3://user-$ID-bucket/topics/$ID.$topic/ -o csv
  -> 0
    ~ ^topics/0e90e0175553[.]$topic/partition=0/0e90e0175553[.]$topic[+]0[+]0000000000[.]json,

cli run -o csv
-> 0
  ~ ^dataset,objects,bytes,records,rows,refused,quarantined,filtered,clean,read,load$$
  ~ ^pin,1,\d+,1,1,0,0,0,1,1,all: the first run$$
cli ask q3b -o csv
-> 0
  country,follower_count
  Chad,2000000
cli ask q2 -o json
-> 0
  [{"post_year": 2020, "category": "art", "category_count": 1}]
cli sql "select ind, title, follower_count, save_location from clean.pin" -o csv
-> 0
  ind,title,follower_count,save_location
  7,,2000000,/data/art
cli status -o csv
-> 0
  ~ ^clean[.]pin,ok,1,

# All questions at once; a query by name and version; objects by their keys; bars; the shell reads from a pipe too.
cli ask all -o csv
-> 0
  ~ ^Chad,2000000$$
  ~ ^2020,art,1$$
cli sql "select count(*) as n from clean.pin version as of 0" -o csv
-> 0
  n
  0
cli sql "select ind, country from objects('s3://user-$ID-bucket/topics/$ID.geo/*') join clean.pin using (ind)" -o csv
-> 0
  ind,country
  7,Chad
cli sql "select category, count(*) as n from clean.pin group by 1" --chart
-> 0
  n
  art 1 ██████████████████████████████████████████████████████████████████████████
cli sql "select count(*) as n from clean.pin" --watch 10ms --times 2 -o csv
-> 0
  n
  1
  n
  1
cli sql -o csv
  select 1 as a,
    ';' as b; -- ; no end
  \form ndjson
  select count(*) as n from clean.pin
-> 0
  a,b
  1,;
  {"n":1}
cli report
-> 0
  ~ ^<!doctype html>$$
  ~ Chad
cli test --junit $TMP/junit.xml
-> 0

# The server ends by itself when asked to; what it knew is there without it.
stop
cli ask q3b -o csv
-> 0
  country,follower_count
  Chad,2000000
