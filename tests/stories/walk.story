# Every command answers with the same columns from a running server and from the directory alone.
# A new command needs a line here: one that works.

start
rows into $GATEWAY/topics/$ID.user
  {"ind": 1, "first_name": "Ada", "last_name": "Byron", "age": 36, "date_joined": "2015-12-10T10:15:00"}
until 20s objects of $ID.user hold each record once
cli dag run --wait -o csv
-> 0
cli dag runs -o csv
-> 0
keep RUN manual__[^,]+
walk
  status
  env
  run
  ask q6
  questions
  sql "select count(*) as n from clean.user"
  topic list
  topic create walk-$$turn
  topic tail $ID.user
  topic delete walk-$$turn
  object ls
  object ls s3://user-$ID-bucket/topics/
  object cat s3://user-$ID-bucket/topics/$ID.user/partition=0/$ID.user+0+0000000000.json
  quarantine list
  batch runs
  stream-job status
  dag list
  dag run --wait
  dag show $RUN
  dag runs
  dag pause
  dag resume
  dag clear $RUN --dry-run
  task log $RUN batch
