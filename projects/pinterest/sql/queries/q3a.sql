-- title: User with the most followers in each country
-- chart: {type: bar, x: poster_name, y: follower_count}
-- columns: [country, poster_name, follower_count]
-- defaults: one winner, by followers and then by name
select country, poster_name, follower_count
from (
  select country, poster_name, follower_count,
    row_number() over (partition by country order by follower_count desc nulls last, poster_name) as place
  from (
    select geo.country, pin.poster_name, max(pin.follower_count) as follower_count
    from clean.pin as pin
    join clean.geo as geo on pin.ind = geo.ind
    group by geo.country, pin.poster_name
  ) as posters
) as ranked
where place = 1
order by country, poster_name
