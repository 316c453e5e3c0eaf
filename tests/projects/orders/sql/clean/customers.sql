-- title: Customers, once each
select lower(trim(name)) as name, max(city) as city
from raw.customers
group by lower(trim(name))
