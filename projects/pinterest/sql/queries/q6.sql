-- title: Users who joined in each year, 2015 to 2020
-- chart: {type: bar, x: post_year, y: number_users_joined}
-- columns: [post_year, number_users_joined]
-- defaults: year of joining; one row of user is one user
select post_year, count(*) as number_users_joined
from (
  select cast(year(date_joined) as int) as post_year
  from clean.user
) as joined
where post_year between 2015 and 2020
group by post_year
order by post_year
