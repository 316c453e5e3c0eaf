-- title: Posts per year and category, 2018 to 2022
-- chart: {type: bar, x: category, y: category_count, series: post_year}
-- columns: [post_year, category, category_count]
-- defaults: all categories; year of the post; repeated rows count again
select post_year, category, count(*) as category_count
from (
  select cast(year(geo.`timestamp`) as int) as post_year, pin.category
  from clean.pin as pin
  join clean.geo as geo on pin.ind = geo.ind
) as posts
where post_year between 2018 and 2022
group by post_year, category
order by post_year, category_count desc, category
