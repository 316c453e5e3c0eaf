-- title: Posts that sql/clean/pin.sql refuses
select _source, _line, _bytes, 'follower_count is beyond int' as reason
from raw.pin_records
where length(follower_count) > 4
  and regexp_like(follower_count, '^[0-9]+([.][0-9]+)?[kM]?$')
    and try_cast(replace(replace(follower_count, 'k', ''), 'M', '') as double)
      * case right(follower_count, 1) when 'k' then 1000 when 'M' then 1000000 else 1 end
      >= 2147483648
