-- title: Country of the user with the most followers
-- chart: {type: number, x: country, y: follower_count}
-- columns: [country, follower_count]
-- defaults: one country; of equals the first by name
select geo.country, max(pin.follower_count) as follower_count
from clean.pin as pin
join clean.geo as geo on pin.ind = geo.ind
group by geo.country
order by follower_count desc nulls last, country
limit 1
