-- title: Clean posts
-- Empty and blank entries and the scraper's placeholders become null, each column its own. (A text below
-- '!' is empty or begins with a blank: only then is it worth looking closer, in a CASE of its own,
-- because AND works out both of its sides.) Follower counts (124k, 5M,
-- 1.2k, 437) become whole numbers, other texts there null. A count that no int holds is no row here:
-- sql/quarantine/pin.sql has it.
select
  `index` as ind,
  case
    when unique_id < '!' then case when trim(translate(unique_id, concat(chr(9), chr(10), chr(13)), '   ')) <> '' then unique_id end
    else unique_id
  end as unique_id,
  case
    when title < '!' then case when trim(translate(title, concat(chr(9), chr(10), chr(13)), '   ')) <> '' then title end
    when title = 'No Title Data Available' then null
    else title
  end as title,
  case
    when description < '!' then case when trim(translate(description, concat(chr(9), chr(10), chr(13)), '   ')) <> '' then description end
    when description in (
      'No description available Story format',
      'No description available',
      'Untitled'
    ) then null
    else description
  end as description,
  case
    when regexp_like(follower_count, '^[0-9]{1,10}([.][0-9]+)?[kM]?$') then
      cast(floor(
        try_cast(replace(replace(follower_count, 'k', ''), 'M', '') as decimal(16, 6))
        * case right(follower_count, 1) when 'k' then 1000 when 'M' then 1000000 else 1 end
      ) as int)
  end as follower_count,
  case
    when poster_name < '!' then case when trim(translate(poster_name, concat(chr(9), chr(10), chr(13)), '   ')) <> '' then poster_name end
    when poster_name = 'User Info Error' then null
    else poster_name
  end as poster_name,
  case
    when tag_list < '!' then case when trim(translate(tag_list, concat(chr(9), chr(10), chr(13)), '   ')) <> '' then tag_list end
    when tag_list = 'N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e' then null
    else tag_list
  end as tag_list,
  case
    when is_image_or_video < '!' then case when trim(translate(is_image_or_video, concat(chr(9), chr(10), chr(13)), '   ')) <> '' then is_image_or_video end
    else is_image_or_video
  end as is_image_or_video,
  case
    when image_src < '!' then case when trim(translate(image_src, concat(chr(9), chr(10), chr(13)), '   ')) <> '' then image_src end
    when image_src = 'Image src error.' then null
    else image_src
  end as image_src,
  case
    when save_location < '!' then case when trim(translate(save_location, concat(chr(9), chr(10), chr(13)), '   ')) <> '' then save_location end
    when save_location like 'Local save in %' then substr(save_location, 15)
    else save_location
  end as save_location,
  case
    when category < '!' then case when trim(translate(category, concat(chr(9), chr(10), chr(13)), '   ')) <> '' then category end
    else category
  end as category
from raw.pin
where follower_count is null
  or length(follower_count) <= 4
  or not (regexp_like(follower_count, '^[0-9]+([.][0-9]+)?[kM]?$')
    and try_cast(replace(replace(follower_count, 'k', ''), 'M', '') as double)
      * case right(follower_count, 1) when 'k' then 1000 when 'M' then 1000000 else 1 end
      >= 2147483648
  )
