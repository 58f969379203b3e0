-- An order counts on the day it was paid, in the site's time zone. Test orders match nothing, so they are left out.
with orders as (
    select * from {{ ref('fct_orders') }}
    where paid_at is not null and not is_test
),

sites as (
    select * from {{ ref('dim_sites') }}
),

zones as (
    select * from {{ ref('int_zones') }}
),

final as (
    select
        orders.site_id,
        sites.site_name,
        {{ local_day('orders.paid_at', 'zones') }} as day,
        count(*) as orders,
        count(*) filter (where orders.outcome in ('accepted', 'unmatched', 'rejected')) as sent,
        count(*) filter (where orders.outcome = 'withheld' and orders.reason is not null) as withheld,
        count(*) filter (where orders.outcome in ('waiting', 'unknown')) as waiting,
        count(*) filter (where orders.outcome = 'expired') as expired,
        count(*) filter (where orders.outcome = 'no_match') as no_match
    from orders
    inner join sites on sites.site_id = orders.site_id
    left join zones on zones.zone = sites.time_zone
    group by 1, 2, 3
)

select * from final
