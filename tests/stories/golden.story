# Real rows of two people's notebooks, from POST to answer. Each row is posted by itself, as their scripts did; the
# connector writes objects, the batch job cleans them, and every question gives what stands in the golden set: under the
# project's own rules, under those of the notebook (an overlay of SQL files), and with equal rows kept once (another).

needs $GOLDEN/README.md

for set,rules,rows in A,a,320 B,b,883
  fresh
  with --overlay $HERE/overlays/quick --overlay $HERE/overlays/yearly
  start
  rows $GOLDEN/$set/pin.jsonl into $GATEWAY/topics/$ID.pin
  rows $GOLDEN/$set/geo.jsonl into $GATEWAY/topics/$ID.geo
  rows $GOLDEN/$set/user.jsonl into $GATEWAY/topics/$ID.user
  for table in pin geo user
    topic $ID.$table holds $GOLDEN/$set/$table.jsonl
    until 20s objects of $ID.$table hold each record once
  cli run -o csv
  -> 0
    ~ ^pin,\d+,\d+,$rows,$rows,0,0,0,$rows,\d+,all: the first run$$
  for q in q1 q2 q2_top q3a q3b q4 q5 q6 q7 q8
    cli ask $q -o csv
    -> 0 same rows as $GOLDEN/$set/expected_standard/$q.csv
  stop

  with --overlay $SOURCE/tests/golden/$rules --overlay $HERE/overlays/yearly_ties
  for q in q1 q2 q2_top q3a q3b q4 q5 q6 q7 q8
    cli ask $q -o csv
    -> 0 same rows as $GOLDEN/$set/expected/$q.csv
  for q in q1 q2 q3a q3b q4 q5 q6 q7 q8
    cli ask $q -o csv
    -> 0 has the rows of $GOLDEN/$set/expected/printed_$q.csv

  with --overlay $SOURCE/tests/golden/dedup --overlay $HERE/overlays/yearly
  cli validate
  -> 0
  cli run
  for q in q1 q2 q2_top q3a q3b q4 q5 q6 q7 q8
    cli ask $q -o csv
    -> 0 same rows as $GOLDEN/$set/expected_dedup/$q.csv
