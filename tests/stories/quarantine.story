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
  ~ ^pin,\d+,\d+,2,2,0,1,0,1,
  ~ ^user,\d+,\d+,7,4,4,0,0,4,
cli quarantine list -o csv
-> 0
  ~ ^number,dataset,object,line,reason,bytes,replayed$$
  ~ by-hand[.]json,2,a string has no end,"{""ind"": 5, ""first_na",$$
  ~ column ind: cannot read one as integer
  ~ column ind: 99999999999 is out of range
  ~ a string that holds no JSON object,"""no row""",
  ~ ^\d+,pin,.*99999999k
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

# One of them, whole; sent again, mended, it takes the way of any other. Twice only when asked for.
cli quarantine list -o csv
keep NUMBER ^(\d+),user,.*cannot read one as integer
cli quarantine show $NUMBER -o csv
-> 0
  ~ ^bytes,"{""ind"":""one"",""first_name"":""Ada""}"$$
cli quarantine replay $NUMBER --value '{"ind": 6, "first_name": "Ada", "last_name": "Again"}'
-> 0
cli quarantine replay $NUMBER
-> 7
  ! --again
cli quarantine replay 99999
-> 5
until 20s cli run -o csv
-> 0
  ~ ^user,\d+,\d+,8,5,4,0,0,5,
cli sql "select user_name from clean.user where ind = 6" -o csv
-> 0
  user_name
  Ada Again
cli quarantine list -o csv
-> 0
  ~ ^$NUMBER,user,.*,20\d\d-
