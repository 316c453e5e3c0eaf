# Every exit code has a reason that says what, where, and what to do next.

# Without a data directory: nothing is made by asking.
cli --data $TMP/nowhere status
-> 5
  ! pinpipe demo
names nowhere in $TMP outside $DATA
-> 0

# A command line that is wrong.
cli status --frob
-> 2
  ! --frob
cli ask
-> 2
  ! question
cli -o xml status
-> 2
  ! table, json, ndjson or csv
cli statsu
-> 2
  ! there is no command "statsu"; did you mean "status"
cli topic lsit
-> 2
  ! topic has no command "lsit"; did you mean "list"
cli sql "select 1" --rows many
-> 2
  ! many
cli completion csh
-> 2
  ! bash, zsh and fish
cli --help
-> 0
  ~ pinpipe demo

# A project that is wrong: file, line and column, and the name that was meant.
write $TMP/wrong/pinpipe.yaml
  version: 1
  project: wrong
  buckts: [a]
with --project $TMP/wrong
cli validate
-> 3
  ! $TMP/wrong/pinpipe[.]yaml:3:1
  ! buckets
cli up --ports auto
-> 3
  ! $TMP/wrong/pinpipe[.]yaml:3:1
cli demo --ports auto
-> 3
  ! $TMP/wrong/pinpipe[.]yaml:3:1
with --project $TMP/absent
cli validate
-> 3
  ! absent
names data in $TMP outside $DATA/buckets
-> 0

# One process holds a data directory, one a port.
with --overlay $HERE/overlays/quick
start
cli up --ports auto
-> 7
  ! in use by another pinpipe
write $TMP/taken/pinpipe.yaml
  ports: {kafka: $PORT}
cli --data $TMP/second --overlay $TMP/taken up
-> 7
  ! port $PORT for kafka is taken
  ! --ports auto

# What this machine lacks is said with what to do about it.
cli --overlay $TMP/taken doctor -o csv
-> 0
  ~ data directory,ok,.* a pinpipe runs on it
  ~ ports,ok
cli --data $TMP/second --overlay $TMP/taken doctor -o csv
-> 1
  ~ ports,PROBLEM,.*$PORT [(]kafka[)].*--ports auto
names .pinpipe-doctor in $TMP outside $DATA
-> 0

# Things that are not there, or there already.
cli run
cli ask q99
-> 5
  ! q1 q2 q3a
cli topic tail nobody
-> 5
  ! nobody
cli object ls s3://nobody
-> 5
cli dag run nobody
-> 5
  ! nobody
cli topic create $ID.pin
-> 7
  ! exists already
cli sql "select * from clean.pni"
-> 2
  ! line 1, column 15
  ! did you mean clean.pin
cli sql "selec 1"
-> 2
  ! SELECT
cli sql "select * from read_csv('/etc/passwd')"
-> 8
cli sql "select * from topic('nobody')"
-> 5
cli sql "select 1" --watch soon
-> 2
cli sql "drop table clean.pin"
-> 8

# When down has answered, the directory is free.
cli down -o csv
-> 0
  ~ ^\d+,ended$$
cli status
-> 0
cli down
-> 5
start

# A server that hangs up: what is left of a killed one is not taken for a running one.
kill
cli status
-> 0
cli emulate batch --count 1
-> 4
  ! pinpipe up
cli emulate batch --mode shuffled
-> 2
  ! once, random or sequential
cli emulate batch --sleep 3
-> 2
  ! none or random
