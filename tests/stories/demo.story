# The demo: everything once, then again with nothing left to do, then with something taken away that nobody may miss.

with
cli demo --rows 400 --ports auto
-> 0
  ~ ^\[2/8\] posts      1200 posts over REST: 1200 acknowledged, 0 failed, 0 unknown, 0 retried
  ~ ^\[3/8\] connector  1200 records are in objects of s3://user-0e90e0175553-bucket/topics/
  ~ ^\[4/8\] stream     1200 posts over the Kinesis mapping: 1200 acknowledged
  ~ ^\[5/8\] DAG        manual__20[^ ]*: 1200 rows loaded, 1200 clean;
  ~ ^q8: Median followers
  ~ ^\[7/8\] accounting closes
  ~ ^REST: sent 1200 = acknowledged 1200 [+] failed 0 [+] unknown 0; stored 1200$$
  ~ ^mapping: sent 1200 = acknowledged 1200
  ~ ^\[8/8\] report     .*/report.html
  ~ trace 7528
cli account -o csv
-> 0
  ~ ^pin,stream,400,0,400,400,400,0,0,400,400,closes$$

# Again: what the log has is not posted again.
cli demo --rows 400 --ports auto
-> 0
  ~ ^\[2/8\] posts      1200 were there already; nothing left to post over REST
  ~ ^\[4/8\] stream     1200 were there already; nothing left to post over the Kinesis mapping
  ~ ^\[5/8\] DAG        manual__20[^ ]*: 1200 rows loaded, 1200 clean;
  ~ ^\[7/8\] accounting closes
# More rows: only those that are missing.
cli demo --rows 450 --ports auto
-> 0
  ~ ^\[2/8\] posts      1200 were there already; 150 posts over REST: 150 acknowledged
  ~ ^\[7/8\] accounting closes

# Records that are arrays of rows, records that cannot be read, records that the connector keeps apart: all are told.
start
rows into $GATEWAY/topics/$ID.user
  [{"ind": 1, "first_name": "Ada"}, {"ind": 2}, {"ind": "x"}]
  []
  "no row"
kcat -P -t $ID.user
  no json
cli connector flush
until 20s cli run
-> 0
until 20s cli account -o csv
-> 0
  ~ ^user,batch,454,1,454,453,454,0,2,452,452,closes$$
PUT $GATEWAY/test/streams/streaming-$ID-user/record
  {"StreamName": "x", "Data": [{"ind": 1}, {"ind": 2}], "PartitionKey": "p"}
PUT $GATEWAY/test/streams/streaming-$ID-user/record
  {"StreamName": "x", "Data": "no row", "PartitionKey": "p"}
until 20s cli account -o csv
-> 0
  ~ ^user,stream,452,0,452,452,453,0,1,452,452,closes$$
cli status -o csv
-> 0
  ~ ^accounting,closes,

# A connector that is stopped says nothing: that is no loss.
cli connector stop
cli account -o csv
-> 0
  ~ ^user,batch,454,.*,unknown$$
cli connector resume
until 20s cli account -o csv
-> 0
  ~ ^user,batch,454,1,454,453,454,0,2,452,452,closes$$

# A stream table that was emptied and began again counts from there; what lies before where it began is passed over.
cli stream-job stop user
cli stream-job reset user
cli stream-job start user
until 20s cli account -o csv
-> 0
  ~ ^user,stream,452,0,452,452,453,0,1,452,452,closes$$
cli stream-job stop user
cli stream-job reset user --start latest
cli stream-job start user
until 20s cli account -o csv
-> 0
  ~ ^user,stream,452,452,452,0,0,0,0,0,0,closes$$
cli stream-job stop user
cli stream-job reset user
cli stream-job start user
until 20s cli account -o csv
-> 0
  ~ ^user,stream,452,0,452,452,453,0,1,452,452,closes$$
stop

# An object that is gone is missed: by the accounting, and the demo ends with 1.
cli object rm s3://user-$ID-bucket/topics/$ID.geo/partition=0/$ID.geo+0+0000000000.json
-> 0
cli demo --rows 450 --ports auto
-> 1
  ~ ^\[7/8\] accounting does NOT close
  ~ ^does not close: geo [(]batch[)]: \d+ records in objects not read by a run yet

# A line that nobody posted is as bad.
with
fresh
cli demo --rows 50 --ports auto
-> 0
start
PUT $AWS/user-$ID-bucket/topics/$ID.user/partition=0/by-hand.json
  {"ind": 4, "first_name": "Mary", "last_name": "Shelley", "age": 21, "date_joined": "2016-01-02 03:04:05"}
cli run
cli account
-> 1
  ~ does not close
  ! user [(]batch[)]: 1 record in objects that the connector did not write there
cli status
-> 0
  ! behind: accounting
stop

# `make demo-clean` removes a data directory that nobody uses, and nothing else.
make demo-clean DATA=$TMP
-> 2
  ! nothing was removed
start
make demo-clean DATA=$DATA
-> 2
  ! end it first
stop
make demo-clean DATA=$DATA
-> 0
  ~ is removed
make demo-clean DATA=$DATA
-> 0
  ~ nothing to remove
