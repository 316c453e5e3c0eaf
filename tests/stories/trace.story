# One post, followed: a clean one, a dirty one, one that came twice, those that got stuck, and one that nobody sent.

start
cli emulate stream --count 40 --rows 40
rows into $GATEWAY/topics/$ID.pin
  {"index": 3, "unique_id": "a", "title": "t", "follower_count": "2k", "poster_name": "Ada", "category": "art", "is_image_or_video": "image"}
  {"index": 7528, "unique_id": "fbe53c66-3442-4773-b19e-d3ec6f54dddf", "title": "No Title Data Available", "description": "No description available Story format", "poster_name": "User Info Error", "follower_count": "User Info Error", "tag_list": "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e", "is_image_or_video": "multi-video(story page format)", "image_src": "Image src error.", "downloaded": 0, "save_location": "Local save in /data/mens-fashion", "category": "mens-fashion"}
rows into $GATEWAY/topics/$ID.geo
  {"ind": 3, "timestamp": "2020-02-03 04:05:06", "latitude": -1.5, "longitude": 2.5, "country": "Chad"}
  {"ind": 7528, "timestamp": "2020-08-28T03:52:47", "latitude": -89.9787, "longitude": -173.293, "country": "Albania"}
POST $GATEWAY/topics/$ID.user
  pinpipe-post: mine/1
  {"records": [{"value": {"ind": 3, "first_name": "Ada", "last_name": "Byron", "age": 36, "date_joined": "2015-12-10T10:15:00"}}]}
-> 200

# Nobody has run anything: it is known how far each copy has come.
until 20s cli trace 3 -o csv
-> 0
  ~ ^user,batch,1,request,mine/1,its pinpipe-post header$$
  ~ ^user,batch,1,topic,0e90e0175553[.]user/0@0,arrived 20
  ~ ^user,batch,1,object,s3://user-0e90e0175553-bucket/topics/0e90e0175553[.]user/partition=0/0e90e0175553[.]user[+]0[+]0000000000[.]json:1,
  ~ ^user,batch,1,load,,not read yet; `pinpipe run` reads it$$
  ~ ^pin,batch,1,request,,it had no pinpipe-post header$$
  ~ ^user,stream,1,stream,streaming-0e90e0175553-user/0@3,"arrived 20.*, sequence number \d{56}"$$
cli run
cli trace 3 -o csv
-> 0
  ~ ^user,batch,1,load,manual__20[^,]*,$$
  ~ ^user,batch,1,row,clean,"{""ind"":3,""user_name"":""Ada Byron"",""age"":36,
  ~ ^user,batch,1,table,0e90e0175553_user_clean@1/part-[^,]*,"1 row of the post, since version 1"$$
  ~ ^,batch,,answer,q1,"Chad, art, 1 [(]another answer without it[)]"$$
  ~ ^,batch,,answer,q3a,"Chad, Ada, 2000 [(]another answer without it[)]"$$
until 20s cli trace 3 -o csv
-> 0
  ~ ^user,stream,1,load,commit \d+,$$
  ~ ^user,stream,1,row,clean,"{""ind"":3,
  ~ ^user,stream,1,table,0e90e0175553_user_table@\d+/part-[^,]*,"1 row of the post, since version \d+"$$
  ~ ^,stream,,answer,q6,

# The dirty one: what became of each placeholder; without a user no answer by age or year has it.
cli trace 7528 -o csv
-> 0
  ~ ^pin,batch,1,object,[^,]*[.]pin[+]0[+]000000000\d[.]json:\d,
  ~ ^pin,batch,1,row,clean,"{""ind"":7528,""unique_id"":""fbe53c66-3442-4773-b19e-d3ec6f54dddf"",""title"":null,""description"":null,""follower_count"":null,""poster_name"":null,""tag_list"":null,""is_image_or_video"":""multi-video.story page format."",""image_src"":null,""save_location"":""/data/mens-fashion"",
  ~ ^,batch,,answer,q1,"Albania, mens-fashion, 1 [(]another
cli trace 7528
-> 0
  ~ ^pin, batch, copy 1$$
  ~ ^  q1       Albania, mens-fashion, 1

# Sent again: each copy has its own place, run and file. An array of rows is one record with as many.
rows into $GATEWAY/topics/$ID.user
  {"ind": 3, "first_name": "Ada", "last_name": "Byron", "age": 36, "date_joined": "2015-12-10T10:15:00"}
rows into $GATEWAY/topics/$ID.user
  [{"ind": 3, "first_name": "Ada", "last_name": "King", "age": 36, "date_joined": "2015-12-10T10:15:00"}, {"ind": 3}, {"ind": 4}]
# What gets stuck says where and why: beyond int, no number, not sunk.
rows into $GATEWAY/topics/$ID.pin
  {"index": 5, "category": "art", "follower_count": "99999999k"}
rows into $GATEWAY/topics/$ID.user
  {"ind": 6, "age": "old"}
until 20s objects of $ID.user hold each record once
until 20s objects of $ID.pin hold each record once
cli run
cli trace 3 -o csv
-> 0
  ~ ^user,batch,1,topic,0e90e0175553[.]user/0@0,
  ~ ^user,batch,2,topic,0e90e0175553[.]user/0@1,
  ~ ^user,batch,2,table,0e90e0175553_user_clean@2/part-[^,]*,"3 rows of the post, since version 2"$$
  ~ ^user,batch,3,topic,0e90e0175553[.]user/0@2,
  ~ ^user,batch,3,row,clean: 2 rows,"{""ind"":3,
cli trace 5 -o csv
-> 0
  ~ ^pin,batch,1,row,quarantined,follower_count is beyond int$$
cli trace 6 -o csv
-> 0
  ~ ^user,batch,1,row,quarantined,column age: cannot read old as integer$$
cli connector pause
-> 0
rows into $GATEWAY/topics/$ID.user
  {"ind": 8, "first_name": "Ada", "last_name": "Byron", "age": 36, "date_joined": "2015-12-10T10:15:00"}
cli trace 8 -o csv
-> 0
  ~ ^user,batch,1,object,,in none yet

# By another column, and nothing at all.
cli trace Chad --by country -o csv
-> 0
  ~ ^geo,batch,1,topic,
  ~ ^,batch,,answer,q1,"Chad, art, 
cli trace 424242
-> 5
  ! no record and no object has ind 424242; looked at
cli trace 3 --by indx
-> 5
  ! no data set has a column

# The server is not needed.
stop
cli trace 3 -o csv
-> 0
  ~ ^user,batch,3,row,clean: 2 rows,
