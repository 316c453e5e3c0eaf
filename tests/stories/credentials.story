# Access keys as a Delta table: who owns the data directory has them; SQL, S3 and the other commands have not.

start
cli credential list
-> 5
cli credential create -o csv
-> 0
  user_name,access_key_id
  databricks-user,pinpipe
write $TMP/keys.csv
  User name,Access key ID,Secret access key
  ada,AKIAEXAMPLE,not/to+be=seen
cli credential create --from $TMP/keys.csv -o csv
-> 0
  user_name,access_key_id
  ada,AKIAEXAMPLE
cli credential list -o csv
-> 0
  user_name,access_key_id
  ada,AKIAEXAMPLE

# It is no table of the lake, and its files are nobody's to read.
cli table describe authentication_credentials
-> 5
cli table export authentication_credentials --to csv
-> 5
cli sql "select * from authentication_credentials"
-> 2
cli sql "select * from read_parquet('$DATA/state/private/authentication_credentials/*.parquet')"
-> 8
cli sql "select * from read_text('$DATA/state/private/authentication_credentials/_delta_log/00000000000000000000.json')"
-> 8
GET $AWS/user-$ID-bucket/delta/authentication_credentials/_delta_log/00000000000000000000.json
-> 404
GET $AWS/user-$ID-bucket/delta/../../state/private/authentication_credentials/_delta_log/00000000000000000000.json
-> 404
