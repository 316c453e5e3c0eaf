-- title: Most popular categories in each age group, ties listed
-- chart: {type: bar, x: age_group, y: category_count, series: category}
-- columns: [age_group, category, category_count]
-- defaults: all winners; repeated rows count again
select age_group, category, category_count
from (
  select age_group, min_age, category, category_count,
    rank() over (partition by age_group order by category_count desc) as place
  from (
    select bands.age_group, bands.min_age, pin.category, count(*) as category_count
    from clean.pin as pin
    join clean.user as users on pin.ind = users.ind
    join age_groups as bands on users.age between bands.min_age and bands.max_age
    group by bands.age_group, bands.min_age, pin.category
  ) as counted
) as ranked
where place = 1
order by min_age, category
