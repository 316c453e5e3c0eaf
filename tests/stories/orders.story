# A project of files alone: two data sets of a shop go from POST to answer, and no line of C++ knows them.

with --project $SOURCE/tests/projects/orders
cli validate -o csv
-> 0
  ~ ^orders,.*,2,2,
cli test -o csv
-> 0
  ~ ^a customer is one whatever the letters,ok,
start
POST $GATEWAY/topics/shop.customers
  {"records": [{"value": {"name": " Ada", "city": "London"}}, {"value": {"name": "ADA", "city": "London"}},
    {"value": {"name": "Grace", "city": "New York"}}, {"value": {"city": "Nowhere"}}]}
POST $GATEWAY/topics/shop.orders
  {"records": [{"value": {"id": 1, "customer": "Ada", "placed": "2026-01-02 03:04:05", "amount": 12.5, "paid": true}},
    {"value": {"order_id": 2, "customer": "grace ", "placed": "2026-01-02T03:04:05Z", "amount": "7.25", "paid": "true"}},
    {"value": {"order_id": 3, "customer": "ada", "placed": "2026-01-03", "amount": 1}},
    {"value": {"order_id": 4, "customer": "ada", "amount": -1}}, {"value": {"order_id": 5, "placed": "soon"}}]}
until 20s cli sql "select count(*) as n from objects('s3://shop-bucket/topics/*')" -o csv
-> 0
  n
  9

cli run -o csv
-> 0
  ~ ^customers,2,\d+,4,3,1,0,1,2,2,all: the first run$$
  ~ ^orders,3,\d+,5,4,1,1,0,3,3,all: the first run$$
cli ask revenue_by_city -o csv
-> 0
  city,orders,revenue
  London,1,12.5
  New York,1,7.25
cli ask open_orders -o csv
-> 0
  order_id,customer
  3,ada
cli quarantine list -o csv
-> 0
  ~ customers,.*column name has no value
  ~ orders,.*cannot read soon as timestamp
  ~ orders,.*a negative amount

# A check of severity error: the run fails, and what was there stays.
POST $GATEWAY/topics/shop.orders
  {"records": [{"value": {"order_id": 6, "customer": "nobody", "amount": 20000, "paid": true}}]}
until 20s cli sql "select count(*) as n from objects('s3://shop-bucket/topics/*')" -o csv
-> 0
  n
  10
cli run -o csv
-> 1
  ! error: clean.orders relationships\(customer -> clean.customers.name\): 1 rows fail, for example customer = nobody
  ! warning: clean.orders accepted_range\(amount, 0..10000\): 1 rows fail, for example amount = 20000
cli batch checks -o csv
-> 0
  ~ ^clean.orders,unique\(order_id\),error,ok,0,
cli ask revenue_by_city -o csv
-> 0
  city,orders,revenue
  London,1,12.5
  New York,1,7.25
cli sql "select count(*) from clean.orders version as of 99"
-> 5

# What was missing arrives; the failed run is done again over what it began with, and another one over all.
POST $GATEWAY/topics/shop.customers
  {"records": [{"value": {"name": "nobody", "city": "Ithaca"}}]}
until 20s cli sql "select count(*) as n from objects('s3://shop-bucket/topics/*')" -o csv
-> 0
  n
  11
cli retry
-> 1
cli run -o csv
-> 0
  ~ ^customers,3,.*,3,all: its SQL looks at more than one row$$
  ~ ^orders,4,.*,1,new objects$$
cli ask revenue_by_city -o csv
-> 0
  city,orders,revenue
  Ithaca,1,20000.0
  London,1,12.5
  New York,1,7.25
cli retry -o csv
-> 0

# The same day again: the same rows, whatever came since.
cli run --date 2026-01-05 -o csv
cli batch runs --count 1 -o csv
keep DIGEST success,.*,([0-9a-f]{12})$
POST $GATEWAY/topics/shop.orders
  {"records": [{"value": {"order_id": 7, "customer": "ada", "amount": 1, "paid": true}}]}
until 20s cli sql "select count(*) as n from objects('s3://shop-bucket/topics/*')" -o csv
-> 0
  n
  12
cli run -o csv
cli run --date 2026-01-05 -o csv
-> 0
  ~ ^orders,4,.*,0,nothing: the same run again$$
cli ask revenue_by_city --run date__2026-01-05 -o csv
-> 0
  city,orders,revenue
  Ithaca,1,20000.0
  London,1,12.5
  New York,1,7.25
cli ask revenue_by_city -o csv
-> 0
  city,orders,revenue
  Ithaca,1,20000.0
  London,2,13.5
  New York,1,7.25
