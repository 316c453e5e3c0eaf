# A stream by the command line: its shards are merged in the order in which records came, before and after resharding,
# with a server, after it was killed, and without one.

start
cli stream create orders --shards 2
-> 0
cli stream create orders --shards 2
-> 7
cli stream put orders '{"n": 1}' --key ada -o csv
-> 0
cli stream put orders --file - --key grace
  {"n": 2}
  no JSON
-> 0
cli stream reshard orders --shards 3 -o csv
-> 0
  stream,before,shards
  orders,2,3
cli stream put orders '{"n": 4}' --key ada
-> 0
cli stream read orders -o ndjson
-> 0
  ~ "key":"ada","data":\{"n":1\}
  ~ "key":"grace","data":\{"n":2\}
  ~ "key":"grace","data":"no JSON"
  ~ "key":"ada","data":\{"n":4\}
kill
start
cli stream read orders --follow --count 4
-> 0
  ~ "data":\{"n":1\}
  ~ "data":\{"n":4\}
cli stream reshard orders --merge 99
-> 5
cli stream read nothing
-> 5
stop
cli stream read orders --count 1 -o ndjson
-> 0
  ~ "data":\{"n":1\}
cli stream read orders --follow
-> 4
cli stream delete orders
-> 0
cli stream delete orders
-> 5
