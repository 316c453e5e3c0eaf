-- title: Clean places
-- Times come as 2022-05-27 11:30:59, 2022-05-27T11:30:59, 2022:05:27 11:30:59 or 05/27/2022, 11:30:59;
-- other texts become null.
select
  ind,
  case
    when country < '!' then case when trim(translate(country, concat(chr(9), chr(10), chr(13)), '   ')) <> '' then country end
    else country
  end as country,
  array(latitude, longitude) as coordinates,
  try_cast(
    case
      when substr(`timestamp`, 5, 1) = ':' then concat(replace(substr(`timestamp`, 1, 10), ':', '-'), substr(`timestamp`, 11))
      when substr(`timestamp`, 3, 1) = '/' then concat(
        substr(`timestamp`, 7, 4), '-', substr(`timestamp`, 1, 2), '-', substr(`timestamp`, 4, 2), ' ', substr(`timestamp`, 13))
      else `timestamp`
    end as timestamp
  ) as `timestamp`
from raw.geo
