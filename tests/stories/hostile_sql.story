# Questions of somebody who means harm: each ends by itself, and the next one is answered.

start
rows into $GATEWAY/topics/$ID.user
  {"ind": 1, "first_name": "Ada", "last_name": "Byron", "age": 36, "date_joined": "2015-12-10T10:15:00"}
until 20s objects of $ID.user hold each record once
cli run

# Files outside, by any way there is.
for file in /etc/passwd $DATA/FORMAT $DATA/state/jobs.db $DATA/lake/../state/jobs.db
  cli sql "select * from read_text('$file')"
  -> 8
  cli sql "select * from read_csv('$file')"
  -> 8
  cli sql "select * from sniff_csv('$file')"
  -> 8
cli sql "select * from glob('/etc/*')"
-> 8
cli sql "select * from objects('s3://user-$ID-bucket/../../../../etc/pass*')"
-> 5
cli sql "select * from objects('s3://../etc/pass*')"
-> 2

# Nothing is written, and no setting changes.
cli sql "copy (select 1) to '$TMP/out.csv'"
-> 8
cli sql "with x as (select 1) select * from x; copy (select 1) to '$TMP/out.csv'"
-> 8
cli sql "create table t as select 1"
-> 8
cli sql "set memory_limit = '100GB'"
-> 8
cli sql "attach '$TMP/out.db'"
-> 8
cli sql "select * from enable_logging()"
-> 8
names out in $TMP outside $DATA
-> 0

# The next one is answered.
cli sql "select count(*) as n from clean.user" -o csv
-> 0
  n
  1
cli status
-> 0
