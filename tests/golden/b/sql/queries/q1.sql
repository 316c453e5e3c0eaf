-- title: Most popular categories in each country, ties listed
-- chart: {type: bar, x: category, y: category_count}
-- columns: [country, category, category_count]
-- defaults: all winners; repeated rows count again
select country, category, category_count
from (
  select country, category, category_count,
    rank() over (partition by country order by category_count desc) as place
  from (
    select geo.country, pin.category, count(*) as category_count
    from clean.pin as pin
    join clean.geo as geo on pin.ind = geo.ind
    group by geo.country, pin.category
  ) as counted
) as ranked
where place = 1
order by country, category
