-- Each paid order stands in each model, and the daily figures lose none of it.
with paid as (
    select count(*) * 5 as orders, coalesce(sum(total), 0) * 5 as total
    from {{ ref('fct_orders') }}
    where paid_day is not null and not is_test
),

credited as (
    select coalesce(sum(order_credit), 0) as orders, coalesce(sum(value_credit), 0) as total
    from {{ ref('fct_attribution_daily') }}
)

select paid.orders, credited.orders as credited, paid.total, credited.total as credited_total
from paid
cross join credited
where paid.orders != credited.orders or paid.total != credited.total
