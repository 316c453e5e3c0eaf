-- title: Orders that are not paid yet
-- columns: [order_id, customer]
select order_id, customer
from clean.orders
where not paid
order by order_id
