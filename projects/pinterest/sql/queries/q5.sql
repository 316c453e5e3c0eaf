-- title: Median followers in each age group
-- chart: {type: bar, x: age_group, y: median_follower_count}
-- columns: [age_group, median_follower_count]
-- defaults: the lower median; one value per post, repeated rows count again
select bands.age_group, percentile_approx(pin.follower_count, 0.5) as median_follower_count
from clean.pin as pin
join clean.user as users on pin.ind = users.ind
join age_groups as bands on users.age between bands.min_age and bands.max_age
group by bands.age_group, bands.min_age
order by bands.min_age
