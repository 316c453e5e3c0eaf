-- title: Users with the most followers in each country, ties listed
-- chart: {type: bar, x: poster_name, y: follower_count}
-- columns: [country, poster_name, follower_count]
-- defaults: all winners
select distinct country, poster_name, follower_count
from (
  select geo.country, pin.poster_name, pin.follower_count,
    rank() over (partition by geo.country order by follower_count desc nulls last) as place
  from clean.pin as pin
  join clean.geo as geo on pin.ind = geo.ind
) as ranked
where place = 1
order by country, poster_name
