-- title: Median followers by age group and year of joining, 2015 to 2020
-- chart: {type: heat, x: post_year, y: age_group, value: median_follower_count}
-- columns: [age_group, post_year, median_follower_count]
-- defaults: year of joining; the lower median; one value per post, repeated rows count again
select age_group, post_year, percentile_approx(follower_count, 0.5) as median_follower_count
from (
  select bands.age_group, bands.min_age, cast(year(users.date_joined) as int) as post_year,
    pin.follower_count
  from clean.pin as pin
  join clean.user as users on pin.ind = users.ind
  join age_groups as bands on users.age between bands.min_age and bands.max_age
) as joined
where post_year between 2015 and 2020
group by age_group, min_age, post_year
order by min_age, post_year
