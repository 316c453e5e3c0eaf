# Objects and connectors at the command line: files in and out, links, the project's mounts; with the server and without it.

start
write $TMP/home/a.txt
  first
  second
write $TMP/home/rows.json
  {"n": 1}
  {"n": 41}
for how in served alone
  cli object cp $TMP/home/rows.json dbfs:/mnt/pinterest/rows/ -o csv
  -> 0
    ~ ,s3://user-$ID-bucket/rows/rows[.]json,19$$
  for path in s3://user-$ID-bucket/rows/rows.json s3a://user-$ID-bucket/rows//*.json s3n://KEY:se%2Fcr@user-$ID-bucket/rows/ user-$ID-bucket/rows/* /mnt/pinterest/rows/rows.json /mnt/pinterest//rows/*.json dbfs:/mnt/pinterest/rows/ /dbfs/mnt/pinterest/rows/r?ws.json
    cli sql "select sum(n) as all_rows from objects('$path')" -o csv
    -> 0
      ~ ^42$$
  for path in /etc/passwd file:/etc/passwd file:///etc/passwd
    cli sql "select * from objects('$path')"
    -> 2
      ! a path of this machine, and SQL reads buckets only
  cli sql "select * from objects('/mnt/pinterest/../../etc/passwd')"
  -> 2
    ! would lead out of the mount
  cli sql "select * from objects('dbfs:/FileStore/rows.json')"
  -> 5
    ! no mount of the project covers /FileStore/rows[.]json; there is /mnt/pinterest
  cli object rm s3://user-$ID-bucket/rows/rows.json
  -> 0
  cli object cp $TMP/home/a.txt s3://user-$ID-bucket/in/ -o csv
  -> 0
    ~ ,s3://user-$ID-bucket/in/a[.]txt,13$$
  cli object cp $TMP/home/a.txt dbfs:/mnt/pinterest/in/b.txt
  -> 0
  cli object cp s3a://user-$ID-bucket/in/a.txt /mnt/pinterest/in/c.txt
  -> 0
  cli object cat s3n://user-$ID-bucket/in/c.txt
  -> 0
    first
    second
  cli object cp /mnt/pinterest/in/b.txt -
  -> 0
    first
    second
  cli object cp s3://user-$ID-bucket/in/b.txt $TMP/home/$how.txt
  -> 0
  cli object stat s3://user-$ID-bucket/in/a.txt -o csv
  -> 0
    ~ ^bytes,13$$
    ~ ^etag,b00f5ebd2719660908505ec74f769ad0$$
  cli object ls /mnt/pinterest/in/ -o csv
  -> 0
    ~ ^in/a.txt,13,
    ~ ^in/b.txt,13,
    ~ ^in/c.txt,13,
  cli sql "select count(*) as n from objects('dbfs:/mnt/pinterest/in/*.json')"
  -> 5
    ! names no object
  cli object rm s3://user-$ID-bucket/in/ --recursive -o csv
  -> 0
    ~ 3 objects removed$$
  cli object cat s3://user-$ID-bucket/in/a.txt
  -> 5
  cli object rm s3://user-$ID-bucket/in/a.txt
  -> 5
  cli object cp s3://user-$ID-bucket/in/none.txt $TMP/home/none.txt
  -> 5
  cli object cp $TMP/home/a.txt $TMP/home/b.txt
  -> 2
    ! one of the two is an object
  cli object cp $TMP/home/a.txt dbfs:/elsewhere/b.txt
  -> 5
    ! no mount of the project covers /elsewhere/b[.]txt; there is /mnt/pinterest
  cli object cp $TMP/home/a.txt dbfs:/mnt/pinterest/../b.txt
  -> 2
    ! would lead out of the mount
  stop
  ->
start

# A link to put, and one to get.
cli object presign s3://user-$ID-bucket/linked --put
keep LINK (http.*)
PUT $LINK
  by link
-> 200
cli object presign s3://user-$ID-bucket/linked --expires 60
keep LINK (http.*)
GET $LINK
-> 200
  by link
cli object presign s3://user-$ID-bucket/linked --expires 999999
-> 2
  ! from 1 to 604800

# A connector of a properties file: what it waits for, its pause, its restart, its end.
write $TMP/home/slow.properties
  name=slow
  connector.class=$ID-plugin
  topics=slow.topic
  flush.size=100
  file.age.max.ms=60000
  s3.bucket.name=user-$ID-bucket
  format.class=io.confluent.connect.s3.format.json.JsonFormat
cli connector create --file $TMP/home/slow.properties -o csv
-> 0
  ~ ^slow,created$$
cli connector create --file $TMP/home/slow.properties
-> 7
  ! --replace
rows into $GATEWAY/topics/slow.topic
  {"n": 1}
  {"n": 2}
  {"n": 3}
until 20s cli connector status slow -o csv
-> 0
  ~ ,slow.topic,0,0,3,0,0,"3 of 100 records, \d+ s left"$$
cli connector pause slow
cli connector status slow -o csv
-> 0
  ~ ^0,PAUSED,slow.topic,
cli connector flush slow
-> 7
  ! is paused; resume it first
cli connector resume slow
cli connector restart slow
cli connector flush slow
-> 0
cli object cat s3://user-$ID-bucket/topics/slow.topic/partition=0/slow.topic+0+0000000000.json
-> 0
  ~ ^."n":1.$$
  ~ ^."n":2.$$
  ~ ^."n":3.$$
cli connector status slow -o csv
-> 0
  ~ ^0,RUNNING,slow.topic,0,3,0,1,0,
write $TMP/home/wrong.json
  {"name": "wrong", "config": {"connector.class": "S3Sink", "topics": "t", "flush.size": "0", "format.class": "AvroFormat",
    "s3.bucket.name": "b", "rotate.intervall.ms": "5", "avro.codec": "snappy"}}
cli connector create --file $TMP/home/wrong.json
-> 2
  ! flush.size: '0' is not a number from 1
  ! format.class: 'AvroFormat' is not supported
  ! rotate.intervall.ms: is not known; did you mean rotate.interval.ms
  ! avro.codec: is not supported
write $TMP/home/shape.json
  {"name": "shape", "config": 5}
cli connector create --file $TMP/home/shape.json
-> 2
  ! a configuration is an object of keys and values
write $TMP/home/list.json
  {"name": "list", "config": {"topics": ["a", "b"]}}
cli connector create --file $TMP/home/list.json
-> 2
  ! the value of topics is no text
write $TMP/home/nowhere.properties
  name=nowhere
  topics=t
  connector.class=S3Sink
  flush.size=1
  s3.bucket.name=no-such-bucket
  format.class=JsonFormat
cli connector create --file $TMP/home/nowhere.properties
-> 0
  ! pinpipe bucket create no-such-bucket
cli connector delete nowhere
cli object cp /etc s3://user-$ID-bucket/folder
-> 2
  ! Is a directory
cli connector delete slow
cli connector status slow
-> 5
stop
