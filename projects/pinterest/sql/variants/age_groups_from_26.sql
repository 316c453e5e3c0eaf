-- title: Age groups, the second from 26
-- Everybody up to 25 is in the first group; the last two are named 35-50 and 50+.
select age_group, min_age, max_age
from (
  values
    ('18-24', 0, 25),
    ('25-35', 26, 35),
    ('35-50', 36, 50),
    ('50+', 51, 2147483647)
) as bands(age_group, min_age, max_age)
