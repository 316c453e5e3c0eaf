# The house's objects are in an S3 service elsewhere, which here is another pinpipe: the connector writes its objects there,
# batch and stream tables are in its bucket's folder delta/, and a house with an empty disk but the same bucket reads them.

write $TMP/keys/pinpipe.yaml
  auth: required
  access_keys: { AKIAELSEWHERE: its+secret }
elsewhere --overlay $TMP/keys
write $TMP/authentication_credentials.csv
  User name,Access key ID,Secret access key
  databricks-user,AKIAELSEWHERE,its+secret
write $TMP/remote/pinpipe.yaml
  objects: { store: s3, endpoint: $ELSEWHERE, credentials: $TMP/authentication_credentials.csv }
with --overlay $HERE/overlays/quick --overlay $TMP/remote
start
rows into $GATEWAY/topics/$ID.user
  {"ind": 1, "first_name": "Ada", "last_name": "Byron", "age": 36, "date_joined": "2015-12-10T10:15:00"}
  {"ind": 2, "first_name": "Bob", "last_name": "Cox", "age": 20, "date_joined": "2016-12-10T10:15:00"}
until 20s objects of $ID.user hold each record once
GET $ELSEWHERE/user-$ID-bucket
-> 403
  ~ <Code>AccessDenied</Code>
cli run
-> 0
cli sql "select ind, user_name from clean.user order by ind" -o csv
-> 0
  ind,user_name
  1,Ada Byron
  2,Bob Cox
cli sql "select count(*) as n from objects('s3://user-$ID-bucket/topics/$ID.user/*')" -o csv
-> 0
  n
  2
PUT $GATEWAY/test/streams/streaming-$ID-user/record
  {"PartitionKey": "a", "Data": {"ind": 3, "first_name": "Cy", "last_name": "Dee", "age": 50, "date_joined": "2017-12-10T10:15:00"}}
-> 200
until 20s cli sql "select ind, user_name from 0e90e0175553_user_table" -o csv
-> 0
  ind,user_name
  3,Cy Dee
cli table describe 0e90e0175553_user_clean -o csv
-> 0
  ~ ^location,s3://user-$ID-bucket/delta/0e90e0175553_user_clean$$

# Nothing of it is on this machine's disk.
names $ID.user+0+0000000000.json in $TMP outside $TMP/elsewhere
-> 0
names _delta_log in $TMP outside $TMP/elsewhere
-> 0

# Our own door is a way to the buckets elsewhere, also in parts.
PUT $AWS/user-$ID-bucket/by/door
  through
cli object cat s3://user-$ID-bucket/by/door
-> 0
  through
POST $AWS/user-$ID-bucket/large?uploads
keep UPLOAD <UploadId>(\w+)<
PUT $AWS/user-$ID-bucket/large?partNumber=1&uploadId=$UPLOAD
  << 20000000 bytes of x
GET $AWS/user-$ID-bucket/large?uploadId=$UPLOAD
keep ETAG <ETag>(&quot;\w+&quot;|"\w+")<
POST $AWS/user-$ID-bucket/large?uploadId=$UPLOAD
  <CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>$ETAG</ETag></Part></CompleteMultipartUpload>
-> 200
cli object stat s3://user-$ID-bucket/large -o csv
-> 0
  ~ ^bytes,20000000$$

# Killed and started again it goes on; a house with an empty disk and the same bucket has the tables.
kill
start
rows into $GATEWAY/topics/$ID.user
  {"ind": 4, "first_name": "Eve", "last_name": "Fox", "age": 30, "date_joined": "2018-12-10T10:15:00"}
until 20s objects of $ID.user hold each record once
cli run
cli sql "select count(*) as n from clean.user" -o csv
-> 0
  n
  3
stop
fresh
start
cli table read 0e90e0175553_user_clean -o csv
-> 0
  ~ Ada Byron
  ~ Eve Fox
stop

# A key that is not theirs, and settings that cannot be.
write $TMP/authentication_credentials.csv
  User name,Access key ID,Secret access key
  databricks-user,AKIAELSEWHERE,another
start
-> 8
  ! objects: . store: s3
