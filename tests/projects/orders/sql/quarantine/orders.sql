-- title: Orders that nobody can have placed
select _source, _line, _bytes, 'a negative amount' as reason
from raw.orders_records
where amount < 0
