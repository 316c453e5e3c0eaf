# What cannot be read is kept with its place and reason, and nothing else is lost with it.

start
rows into $GATEWAY/topics/$ID.user
  {"ind": 1, "first_name": "Ada", "last_name": "Byron", "age": 36, "date_joined": "2015-12-10T10:15:00"}
  {"ind": "one", "first_name": "Ada"}
  "no row"
  {"ind": 99999999999, "age": 3}
  [{"ind": 2, "first_name": "Grace", "last_name": "Hopper", "age": 20, "date_joined": "2016-01-02 03:04:05"}, {"ind": 3}]
rows into $GATEWAY/topics/$ID.pin
  {"index": 1, "category": "art", "follower_count": "2k"}
  {"index": 2, "category": "art", "follower_count": "99999999k"}
until 20s objects of $ID.user hold each record once
until 20s objects of $ID.pin hold each record once

# A file that somebody else put into the bucket, cut off in the middle.
PUT $AWS/user-$ID-bucket/topics/$ID.user/partition=0/by-hand.json
  {"ind": 4, "first_name": "Mary", "last_name": "Shelley", "age": 21, "date_joined": "2016-01-02 03:04:05"}
  {"ind": 5, "first_na

cli run -o csv
-> 0
  ~ ^pin,\d+,\d+,2,2,0,1,0,1$$
  ~ ^user,\d+,\d+,7,4,4,0,0,4$$
cli quarantine list -o csv
-> 0
  ~ ^dataset,object,line,reason,bytes$$
  ~ by-hand[.]json,2,a string has no end,"{""ind"": 5, ""first_na"$$
  ~ column ind: cannot read one as integer
  ~ column ind: 99999999999 is out of range
  ~ a string that holds no JSON object,"""no row"""
  ~ ^pin,.*99999999k
cli sql "select ind, user_name from clean.user order by ind" -o csv
-> 0
  ind,user_name
  1,Ada Byron
  2,Grace Hopper
  3,
  4,Mary Shelley
cli status -o csv
-> 0
  ~ ^clean[.]user,has quarantine,4,
