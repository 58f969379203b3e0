-- Credits of an order add up to it exactly, in each model: to one order, to its total, to what is left of it.
select
    credits.site_id,
    credits.order_id,
    credits.model
from {{ ref('fct_attribution') }} as credits
inner join {{ ref('fct_orders') }} as orders on orders.site_id = credits.site_id and orders.order_id = credits.order_id
group by credits.site_id, credits.order_id, credits.model, orders.total, orders.net_total
having
    sum(credits.order_credit) != 1
    or sum(credits.value_credit) is distinct from orders.total
    or sum(credits.net_value_credit) is distinct from orders.net_total
