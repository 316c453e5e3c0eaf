-- title: Median followers by year of joining, 2015 to 2020
-- chart: {type: line, x: post_year, y: median_follower_count}
-- columns: [post_year, median_follower_count]
-- defaults: year of joining; the lower median; one value per post, repeated rows count again
select post_year, percentile_approx(follower_count, 0.5) as median_follower_count
from (
  select cast(year(users.date_joined) as int) as post_year, pin.follower_count
  from clean.pin as pin
  join clean.user as users on pin.ind = users.ind
) as joined
where post_year between 2015 and 2020
group by post_year
order by post_year
