# Every command answers with the same columns from a running server and from the directory alone.
# A new command needs a line here: one that works.

start
rows into $GATEWAY/topics/$ID.user
  {"ind": 1, "first_name": "Ada", "last_name": "Byron", "age": 36, "date_joined": "2015-12-10T10:15:00"}
  {"ind": "one"}
until 20s objects of $ID.user hold each record once
cli dag run --wait -o csv
-> 0
cli dag runs -o csv
-> 0
keep RUN manual__[^,]+
cli table list -o csv
-> 0
keep TABLE [^,\s]+_user_clean
write $DATA/walk.properties
  connector.class=io.confluent.connect.s3.S3SinkConnector
  topics=walk.none
  flush.size=1
  s3.bucket.name=user-$ID-bucket
  format.class=io.confluent.connect.s3.format.json.JsonFormat
walk
  status
  env
  run
  run --date 2026-01-02
  retry
  report
  names
  ask q6
  ask all
  questions
  sql "select count(*) as n from clean.user"
  sql "select count(*) as n from live.user"
  account
  trace 1
  topic list
  topic create walk-$$turn
  topic describe $ID.user
  topic config walk-$$turn retention.ms=1000 --partitions 2
  topic produce walk-$$turn --file $DATA/walk.properties
  topic consume walk-$$turn -e -o csv
  topic trim walk-$$turn --before 1 -p 0
  topic tail $ID.user
  group seek walk-$$turn --topic $ID.user --to beginning
  group list
  group describe walk-$$turn
  group delete walk-$$turn
  topic delete walk-$$turn
  stream list
  stream create walk-stream-$$turn --shards 2
  stream put walk-stream-$$turn '{"n": 1}' --key ada
  stream describe walk-stream-$$turn
  stream read walk-stream-$$turn
  stream reshard walk-stream-$$turn --shards 3
  stream reshard walk-stream-$$turn --shards 3
  stream delete walk-stream-$$turn
  object ls
  object ls s3://user-$ID-bucket/topics/
  bucket list
  bucket create walk-$$turn
  bucket delete walk-$$turn
  object stat s3://user-$ID-bucket/topics/$ID.user/partition=0/$ID.user+0+0000000000.json
  object presign s3://user-$ID-bucket/topics/$ID.user/partition=0/$ID.user+0+0000000000.json
  object rm s3://user-$ID-bucket/nothing-here/ --recursive
  connector list
  connector status
  connector pause
  connector stop
  connector resume
  connector restart
  connector flush
  connector create --file $DATA/walk.properties --name walk-$$turn
  connector delete walk-$$turn
  object cat s3://user-$ID-bucket/topics/$ID.user/partition=0/$ID.user+0+0000000000.json
  table list
  table describe $TABLE
  table history $TABLE
  table read $TABLE --version 0
  table export $TABLE --to json
  table optimize $TABLE
  table vacuum $TABLE --dry-run
  table restore $TABLE --version 0
  table checkpoint $TABLE
  credential create
  credential list
  quarantine list
  quarantine show 1
  quarantine replay 1 --again
  batch runs
  batch checks
  stream-job status
  stream-job stop geo
  stream-job reset geo
  stream-job start geo --trigger available-now --wait
  dag list
  dag run --wait
  dag show $RUN
  dag runs
  dag errors
  dag pause
  dag backfill --from 2025-01-0$$turn --to 2025-01-0$$turn
  dag cancel backfill__2025-01-0$$turnT00:00:00+00:00
  dag mark backfill__2025-01-0$$turnT00:00:00+00:00 --state success --dry-run
  dag note backfill__2025-01-0$$turnT00:00:00+00:00 seen
  dag delete backfill__2025-01-0$$turnT00:00:00+00:00
  dag resume
  dag clear $RUN --dry-run
  task log $RUN batch
