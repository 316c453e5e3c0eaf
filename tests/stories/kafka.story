# One log behind all doors: kcat reads what was posted, and what kcat produces is posted, sunk and asked.

needs kcat
start
POST $GATEWAY/topics/$ID.user
  {"records": [{"key": "k", "value": {"ind": 1, "first_name": "Ada", "last_name": "Byron", "age": 36,
    "date_joined": "2015-12-10 10:15:00"}}]}
kcat -C -t $ID.user -o beginning -e -q -f "%k %s\n"
-> 0
  ~ ^"?k"? {"ind":1,"first_name":"Ada"
kcat -P -t $ID.user -z lz4
  {"ind": 2, "first_name": "Grace", "last_name": "Hopper", "age": 20, "date_joined": "2016-01-02 03:04:05"}
  {"ind": 3, "first_name": "Mary", "last_name": "Shelley", "age": 21, "date_joined": "2016-01-02 03:04:05"}
kcat -L -t $ID.user
-> 0
  ~ topic "0e90e0175553.user" with 1 partitions
kcat -C -t $ID.user -o 1 -e -q -f "%o %s\n"
-> 0
  ~ ^1 {"ind": 2, "first_name": "Grace"
  ~ ^2 {"ind": 3, "first_name": "Mary"
until 20s objects of $ID.user hold each record once
cli run
cli ask q6 -o csv
-> 0
  post_year,number_users_joined
  2015,1
  2016,2
