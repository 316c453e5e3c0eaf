# Topics and groups from the command line, as kcat's users and those of Kafka's tools expect it.

start
cli topic create orders --partitions 2 --config retention.ms=86400000
-> 0
cli topic create orders
-> 7
  ! exists already
cli topic create orders --if-absent --partitions 5 -o csv
-> 0
  ~ ^orders,2,
cli topic create wrong --config retention.sm=1
-> 2
  ! retention.ms
write $TMP/lines
  d:1
  b:2
  c:
  d:3
cli topic produce orders --file $TMP/lines -K: -Z -H from=story -o csv
-> 0
  ~ ^partition,first,last,records
  ~ ^1,0,1,2
cli topic consume orders -e -Z -K = -f "%s %h\n"
-> 0
  ~ ^d=1 from=story$
  ~ ^d=3 from=story$
  ~ ^c=NULL from=story$
cli topic consume orders -e -c 1 -o ndjson -p 1
-> 0
  ~ "partition":1,"offset":0,.*"headers":.{"key":"from","value":"story"}.
cli topic consume orders -e -o -1 -p 1 -f "%p %o %T %K %S %%\n"
-> 0
  ~ ^1 [0-9]+ [0-9]{13} 1 [-0-9]+ %
cli topic consume orders -e --since 1h -o csv
-> 0
  ~ ^partition,offset,time,key,value,headers
  ~ ,b,2,
cli topic consume orders -e -o end
-> 0
cli topic consume orders -e -o nowhere
-> 2
  ! is no place in a topic
cli topic consume order -e
-> 5
  ! orders
cli topic consume orders -f %q
-> 2
  ! %s %k %h

# A group goes on where it was, can be moved, and says what is left.
cli topic consume orders -G readers -c 3
-> 0
cli group list -o csv
-> 0
  ~ ^readers,Empty,,0,1,1$
cli topic consume orders -G readers -e -o csv
-> 0
cli group list -o csv
-> 0
  ~ ^readers,Empty,,0,1,0$
cli group seek readers --shift -1 --dry-run -o csv
-> 0
  ~ ^topic,partition,before,position,lag
  ~ ^orders,1,[0-9],[0-9],1
cli group seek readers --to beginning
-> 0
cli group describe readers -o csv
-> 0
  ~ ^orders,1,0,
cli group seek readers
-> 2
  ! --to or --shift
cli group seek readers --topic orders --partition 7 --to end
-> 5
  ! partitions 0 to 1
cli group delete readers
-> 0
cli group describe raeders
-> 5
  ! pinpipe group list

# What was shown as JSON is what can be produced; settings, growth, and the oldest go.
cli topic consume orders -e -J
keep LINE {"partition":1,"offset":0.*
write $TMP/json
  $LINE
  {"value": {"plain": "json"}}
  {"key": {"base64": "//4="}, "value": null, "headers": {"h": "1"}}
cli topic produce copies --file $TMP/json -J
-> 0
cli topic consume copies -e -f "%k|%s|%h|%K|%S\n"
-> 0
  ~ from=story
  ~ ^[|]{"plain":"json"}[|][|]-1[|]16
write $TMP/json
  {"value": "kept"}
  no json
cli topic produce copies --file $TMP/json -J
-> 2
  ! record 2 of the input
cli topic consume copies -e -o -1
-> 0
  kept
cli topic config copies cleanup.policy=compact,delete --unset retention.ms --partitions 3 -o csv
-> 0
  ~ ^cleanup.policy,"compact,delete",topic
cli topic config copies cleanup.policy=shred
-> 2
  ! delete and compact
cli topic config copies --partitions 1
-> 2
  ! can only grow
cli topic describe copies -o csv
-> 0
  ~ ^partition,start,end,records,bytes,leader_epoch
  ~ ^2,0,0,0,
cli topic trim orders --before -1 -p 1 -o csv
-> 0
  ~ ^partition,start,end,deleted
cli topic trim orders --before end
-> 0
cli topic consume orders -e -o csv
-> 0
  partition,offset,time,key,value,headers
