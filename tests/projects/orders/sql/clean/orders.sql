-- title: Orders that were paid or may still be
select order_id, lower(trim(customer)) as customer, placed, amount, coalesce(paid, false) as paid
from raw.orders
where amount >= 0 or amount is null
