-- title: Most popular category in each country
-- chart: {type: bar, x: category, y: category_count}
-- columns: [country, category, category_count]
-- defaults: one winner, by count and then by name; repeated rows count again
select country, category, category_count
from (
  select country, category, category_count,
    row_number() over (partition by country order by category_count desc, category) as place
  from (
    select geo.country, pin.category, count(*) as category_count
    from clean.pin as pin
    join clean.geo as geo on pin.ind = geo.ind
    group by geo.country, pin.category
  ) as counted
) as ranked
where place = 1
order by country, category
