# A MariaDB server of the story's own: filled by pinpipe, read by the emulator, ending in topics.

database mariadb

# Filling is told, and told apart from what is there already.
cli source create --to $DSN --seed 1 -o csv
-> 0
  ~ pinterest_data,11154,made
  ~ user_data,11154,made
cli source create --to $CREDS --seed 1 -o csv
-> 0
  ~ user_data,11154,"was there, left as it is"
cli source create --to $CREDS --rows 500
-> 7
  ! pinterest_data with 11154 rows already
cli source create --to $CREDS --seed 2
-> 7
  ! not those of seed 1|not those of seed 2

# What is posted from the database is what the generator posts, byte for byte; the classic draws begin with index 7528.
start
for user,from in databaseuser,$CREDS generatoruse,generated
  cli emulate batch --source $from --user-id $user --mode random --seed 100 --count 40 --concurrency 8 -o csv
  -> 0
    ~ batch,40,120,120,0,0
for user,from in oncedatabase,$DSN oncegenerate,generated
  cli emulate batch --source $from --user-id $user --mode once --count 600 --concurrency 16 -o csv
  -> 0
    ~ batch,600,1800,1800,0,0
  cli emulate stream --source $from --count 5 -o csv
  -> 0
    ~ stream,5,15,15,0,0
for table in pin geo user
  cli topic tail generatoruse.$table --count 40 -o json
  values to $TMP/rows
  topic databaseuser.$table holds $TMP/rows
  cli topic tail oncegenerate.$table --count 600 -o json
  values to $TMP/rows
  topic oncedatabase.$table holds $TMP/rows
cli topic tail databaseuser.pin --count 40
-> 0
  ~ "index": ?7528

# Another way to name it: the project.
stop
write $TMP/project/pinpipe.yaml
  source: "$DSN"
with --overlay $TMP/project
start
cli emulate batch --user-id fromproject0 --mode sequential --count 3 -o csv
-> 0
  ~ batch,3,9,9,0,0

# Who may not come in is told so, and where nobody is; never with the password.
cli emulate batch --source $WRONG --count 1
-> 8
  ! cannot reach mysql://127[.]0[.]0[.]1:[0-9]+/pinterest_data
cli emulate batch --source mysql://nobody:secret@127.0.0.1:1/nowhere --count 1
-> 1
  ! cannot reach mysql://127[.]0[.]0[.]1:1/nowhere
stop
