-- title: Age groups
-- Both ends belong to the group. Nobody under 18 has a group.
select age_group, min_age, max_age
from (
  values
    ('18-24', 18, 24),
    ('25-35', 25, 35),
    ('36-50', 36, 50),
    ('+50', 51, 2147483647)
) as bands(age_group, min_age, max_age)
