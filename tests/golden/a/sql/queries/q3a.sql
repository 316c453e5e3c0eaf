-- title: Users with the most followers in each country, ties listed
-- chart: {type: bar, x: poster_name, y: follower_count}
-- columns: [country, poster_name, follower_count]
-- defaults: all winners
select country, poster_name, follower_count
from (
  select country, poster_name, follower_count,
    rank() over (partition by country order by follower_count desc nulls last) as place
  from (
    select geo.country, pin.poster_name, max(pin.follower_count) as follower_count
    from clean.pin as pin
    join clean.geo as geo on pin.ind = geo.ind
    group by geo.country, pin.poster_name
  ) as posters
) as ranked
where place = 1
order by country, poster_name
