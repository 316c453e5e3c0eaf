# The server is killed three times while people post. Whoever got an answer finds the post stored; whoever had to ask
# again may find it twice, as with the original; and the bucket has each record once.

needs kcat
start
posting 1200 rows to $ID.user
acknowledged 200
kill
start
acknowledged 500
kill
start
acknowledged 900
kill
start
acknowledged 1200
account
until 20s objects of $ID.user hold each record once

# A server that is asked to end and one that is killed at rest leave the same: everything.
stop
start
account
objects of $ID.user hold each record once
kill
start
account
objects of $ID.user hold each record once
cli run -o csv
-> 0
  ~ ^user,
