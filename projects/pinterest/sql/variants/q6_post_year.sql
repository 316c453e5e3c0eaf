-- title: Users who posted in each year, 2018 to 2022
-- chart: {type: bar, x: post_year, y: number_users_joined}
-- columns: [post_year, number_users_joined]
-- defaults: year of the post instead of the year of joining; one row of user is one user
select post_year, count(*) as number_users_joined
from (
  select cast(year(geo.`timestamp`) as int) as post_year
  from clean.user as users
  join clean.geo as geo on users.ind = geo.ind
) as posts
where post_year between 2018 and 2022
group by post_year
order by post_year
