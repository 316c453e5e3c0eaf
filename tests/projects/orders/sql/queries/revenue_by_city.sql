-- title: What was paid in each city
-- columns: [city, orders, revenue]
-- chart: {type: bar, x: city, y: revenue}
select customers.city, count(*) as orders, cast(sum(orders.amount) as double) as revenue
from clean.orders as orders
join clean.customers as customers on orders.customer = customers.name
where orders.paid
group by customers.city
order by revenue desc, customers.city
