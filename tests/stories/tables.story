# A table by its versions and moments: reading, exporting, restoring, and what is refused with which words.

start
rows into $GATEWAY/topics/$ID.user
  {"ind": 1, "first_name": "Ada", "last_name": "Byron", "age": 36, "date_joined": "2015-12-10T10:15:00"}
until 20s objects of $ID.user hold each record once
cli run
rows into $GATEWAY/topics/$ID.user
  {"ind": 2, "first_name": "Alan", "last_name": "Turing", "age": 41, "date_joined": "2016-06-23T10:15:00"}
until 20s objects of $ID.user hold each record once
cli run
cli table list -o csv
-> 0
  ~ ^0e90e0175553_user_clean,2,2,2,\d+,

# By version and by moment; SQL says the same in both spellings.
cli table read 0e90e0175553_user_clean --version 1 -o csv
-> 0
  ind,user_name,age,date_joined
  1,Ada Byron,36,2015-12-10 10:15:00
cli table read 0e90e0175553_user_clean --version 0 -o csv
-> 0
  ind,user_name,age,date_joined
cli table read 0e90e0175553_user_clean --timestamp 2999-01-02 --where "ind >= 2" -o csv
-> 0
  ind,user_name,age,date_joined
  2,Alan Turing,41,2016-06-23 10:15:00
cli sql "select count(*) as n from clean.user version as of 1" -o csv
-> 0
  n
  1
cli sql "select count(*) as n from lake.0e90e0175553_user_clean at (timestamp => '2999-01-02 10:15:00')" -o csv
-> 0
  n
  2

# What is not there is said with what is.
cli table read 0e90e0175553_user_claen
-> 5
  ! did you mean "0e90e0175553_user_clean"
cli table read 0e90e0175553_user_clean --version 99
-> 5
  ! has versions up to 2, not 99
cli sql "select * from clean.user version as of 99"
-> 5
  ! has versions up to 2, not 99
cli table read 0e90e0175553_user_clean --timestamp 2001-01-02
-> 5
  ! there is none at 2001-01-02
cli table read 0e90e0175553_user_clean --timestamp soon
-> 2
  ! one looks like 2026-01-02
cli table read 0e90e0175553_user_clean --version -7
-> 2
  ! --version is at least -1, not -7
cli table read 0e90e0175553_user_clean --version 1 --timestamp 2026-01-02
-> 2
  ! one of them is enough
cli table read 0e90e0175553_user_clean --rows 0
-> 2
  ! --rows is at least 1, not 0
cli table history 0e90e0175553_user_clean --count 0
-> 2
  ! --count is at least 1, not 0
cli table read 0e90e0175553_user_clean --where "ind = 1 or true"
-> 2
  ! joined by AND
cli table export 0e90e0175553_user_clean --to xml
-> 2
  ! --to is csv, json or parquet, not "xml"
cli table restore 0e90e0175553_user_clean
-> 2
  ! restore to what

# An export is a file, and a second one of that version takes its place.
for turn in 1 2
  cli table export 0e90e0175553_user_clean --version 1 --to csv -o csv
  -> 0
    ~ ^0e90e0175553_user_clean,1,1,\d+,.*/exports/0e90e0175553_user_clean-v1[.]csv$$
for form in json parquet
  cli table export 0e90e0175553_user_clean --to $form -o csv
  -> 0
    ~ ^0e90e0175553_user_clean,2,2,\d+,.*/exports/0e90e0175553_user_clean-v2[.]$form$$

# Vacuum keeps what former versions need, unless it is forced; nothing here is old enough to be an orphan.
cli table vacuum 0e90e0175553_user_clean --retain-hours 1
-> 2
  ! shorter than the table's 168 h
  ! --force
cli table vacuum 0e90e0175553_user_clean --dry-run
-> 0
  ! 0 files of 0 bytes would be deleted

# Restored, the old rows are a new version; once their files are gone the same is refused by the file's name.
cli table restore 0e90e0175553_user_clean --version 1 -o csv
-> 0
  table,version,restored_version
  0e90e0175553_user_clean,3,1
cli table read 0e90e0175553_user_clean -o csv
-> 0
  ind,user_name,age,date_joined
  1,Ada Byron,36,2015-12-10 10:15:00
cli table history 0e90e0175553_user_clean --count 1 -o csv
-> 0
  ~ ^3,20\d\d-.*,RESTORE,
cli table vacuum 0e90e0175553_user_clean --retain-hours 0 --force --dry-run -o csv
-> 0
  ~ ^part-00000-.*[.]parquet$$
cli table vacuum 0e90e0175553_user_clean --retain-hours 0 --force
-> 0
  ! 1 file of
cli table restore 0e90e0175553_user_clean --version 2
-> 5
  ! version 2 needs part-00000-
