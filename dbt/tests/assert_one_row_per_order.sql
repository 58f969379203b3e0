-- The grain of fct_orders: a join that fans out would count an order's value twice.
select site_id, order_id, count(*) as rows_found
from {{ ref('fct_orders') }}
group by site_id, order_id
having count(*) > 1
