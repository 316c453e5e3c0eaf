# Questions that would take all of the machine's memory end alone, and the next one is answered.
# Not under a sanitizer: its own allocator stands where the memory fence stands.

start
rows into $GATEWAY/topics/$ID.user
  {"ind": 1, "first_name": "Ada", "last_name": "Byron", "age": 36, "date_joined": "2015-12-10T10:15:00"}
until 20s objects of $ID.user hold each record once
cli run

# More memory, more letters, more rows than there are.
cli sql "select len(range(1000000000))"
-> 1
  ! Out of Memory
cli sql "select range(100000000)"
-> 1
cli sql "select len(list_transform(range(100000), x -> range(100000)))"
-> 1
  ! Out of Memory
cli sql "select format('{:2000000000}', 1)"
-> 8
cli sql "with recursive t(s, n) as (select 'x', 1 union all select s || s, n + 1 from t where n < 40) select max(length(s)) from t"
-> 1
cli sql "select count(*) as n from clean.user" -o csv
-> 0
  n
  1
cli status
-> 0
