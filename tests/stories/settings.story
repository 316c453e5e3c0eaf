# What the project says of topics and streams is what they get, also those that are made by first use.

with --overlay $HERE/overlays/settings
start
cli topic list -o csv
-> 0
  ~ plain-orders,3,
  ~ $ID[.]pin,2,
rows into $GATEWAY/topics/made-by-use
  {"n": 1}
cli topic list -o csv
-> 0
  ~ made-by-use,2,
GET $GATEWAY/test/streams/clicks
-> 200
  {"StreamDescription": {"StreamName": "clicks", "RetentionPeriodHours": 48}}
