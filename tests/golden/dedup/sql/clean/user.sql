-- title: Clean users, equal ones once
-- As sql/clean/user.sql, but rows that are equal in every column are kept once.
select distinct
  ind,
  concat(first_name, ' ', last_name) as user_name,
  age,
  try_cast(
    case
      when substr(date_joined, 5, 1) = ':' then concat(replace(substr(date_joined, 1, 10), ':', '-'), substr(date_joined, 11))
      when substr(date_joined, 3, 1) = '/' then concat(
        substr(date_joined, 7, 4), '-', substr(date_joined, 1, 2), '-', substr(date_joined, 4, 2), ' ', substr(date_joined, 13))
      else date_joined
    end as timestamp
  ) as date_joined
from raw.user
