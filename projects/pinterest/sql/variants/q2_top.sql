-- title: Most popular category of each year, 2018 to 2022
-- chart: {type: bar, x: post_year, y: category_count, series: category}
-- columns: [post_year, category, category_count]
-- defaults: one winner, by count and then by name; year of the post; repeated rows count again
select post_year, category, category_count
from (
  select post_year, category, category_count,
    row_number() over (partition by post_year order by category_count desc, category) as place
  from (
    select cast(year(geo.`timestamp`) as int) as post_year, pin.category, count(*) as category_count
    from clean.pin as pin
    join clean.geo as geo on pin.ind = geo.ind
    where year(geo.`timestamp`) between 2018 and 2022
    group by cast(year(geo.`timestamp`) as int), pin.category
  ) as counted
) as ranked
where place = 1
order by post_year
