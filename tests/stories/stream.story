# Posts that go by the streams give the same answers as posts that go by the topics; a server that is killed while they
# come puts each record into its table once.

start
cli emulate batch --count 300 --rows 300 --concurrency 8
cli emulate stream --count 300 --rows 300 --concurrency 8
for table in pin geo user
  until 20s objects of $ID.$table hold each record once
  until 30s cli stream-job status -o csv
  -> 0
    ~ ^$table,streaming-0e90e0175553-$table,0e90e0175553_[a-z]+_table,running,0,\d+,300,
cli run
for q in q1 q2 q3a q3b q4 q5 q6 q7 q8
  cli ask $q -o csv
  save $TMP/$q.csv
  cli ask $q --from stream -o csv
  -> 0 same rows as $TMP/$q.csv
  cli ask $q --from live -o csv
  -> 0 same rows as $TMP/$q.csv
stop
cli ask q1 --from stream -o csv
-> 0 same rows as $TMP/q1.csv

fresh
start
posting 800 rows to stream streaming-$ID-user
acknowledged 200
kill
start
acknowledged 500
kill
start
acknowledged 800
cli topic list -o csv
keep RECORDS ^streaming-0e90e0175553-user,1,0,(\d+),
covers $RECORDS
until 30s cli stream-job status -o csv
-> 0
  ~ ^user,streaming-0e90e0175553-user,[^,]*,running,0,\d+,$RECORDS,
kill
start
until 30s cli stream-job status -o csv
-> 0
  ~ ^user,streaming-0e90e0175553-user,[^,]*,running,0,\d+,$RECORDS,
cli ask q6 --from stream -o csv
-> 0
  post_year,number_users_joined
  2015,$RECORDS
cli stream-job stop user
posting 20 rows to stream streaming-$ID-user
acknowledged 20
cli topic list -o csv
keep ALL ^streaming-0e90e0175553-user,1,0,(\d+),
cli sql "select count(*) as n from live.user" -o csv
-> 0
  n
  $ALL
cli sql "select count(*) as n from 0e90e0175553_user_table" -o csv
-> 0
  n
  $RECORDS
cli ask q6 --from live -o csv
-> 0
  post_year,number_users_joined
  2015,$ALL
cli stream-job reset user
cli stream-job start user --trigger available-now --wait -o csv
-> 0
  ~ ^user,streaming-0e90e0175553-user,[^,]*,done,0,\d+,$ALL,
cli stream-job start user
until 30s cli stream-job status user -o csv
-> 0
  ~ ^user,streaming-0e90e0175553-user,[^,]*,running,0,\d+,$ALL,
