-- title: User with the most followers in each country
-- chart: {type: bar, x: poster_name, y: follower_count}
-- columns: [country, poster_name, follower_count]
-- defaults: one winner, by followers and then by name
-- Only posts that have their country's highest count are ranked: to rank every user of every country would
-- take most of the time of all questions together.
select country, poster_name, follower_count
from (
  select posts.country, posts.poster_name, posts.follower_count,
    row_number() over (partition by posts.country order by posts.poster_name) as place
  from (
    select geo.country, pin.poster_name, pin.follower_count
    from clean.pin as pin
    join clean.geo as geo on pin.ind = geo.ind
  ) as posts
  join (
    select geo.country, max(pin.follower_count) as follower_count
    from clean.pin as pin
    join clean.geo as geo on pin.ind = geo.ind
    group by geo.country
  ) as highest on posts.country is not distinct from highest.country
    and posts.follower_count is not distinct from highest.follower_count
) as ranked
where place = 1
order by country, poster_name
