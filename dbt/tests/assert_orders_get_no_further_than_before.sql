-- A step of the funnel has no more orders than the one before it; whole orders are all that were created, but test orders.
select site_id, day, 'more than before' as fault
from {{ ref('fct_order_funnel_daily') }}
where orders_paid > orders_created
    or orders_matched > orders_created
    or orders_sent > orders_matched
    or orders_accepted > orders_sent
    or orders_kept > orders_accepted
union all
select null, null, 'orders are missing'
from (
    select coalesce(sum(orders_created), 0) as orders from {{ ref('fct_order_funnel_daily') }} where definition_key is null
) as funnel
cross join (
    select count(*) as orders from {{ ref('fct_orders') }} where not is_test and coalesce(ordered_day, paid_day) is not null
) as facts
where funnel.orders != facts.orders
