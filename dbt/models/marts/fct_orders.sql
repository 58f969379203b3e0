with orders as (
    select * from {{ ref('stg_app__orders') }}
),

sites as (
    select * from {{ ref('dim_sites') }}
),

events as (
    select
        site_id,
        order_id,
        count(*) as commerce_events
    from {{ ref('stg_app__commerce_events') }}
    where order_id is not null
    group by site_id, order_id
),

conversions as (
    select
        site_id,
        order_id,
        count(*) as conversions,
        count(*) filter (where outcome = 'accepted') as accepted,
        count(*) filter (where outcome = 'unmatched') as unmatched,
        count(*) filter (where outcome = 'rejected') as rejected,
        count(*) filter (where outcome = 'waiting') as waiting,
        count(*) filter (where outcome = 'expired') as expired,
        count(*) filter (where outcome = 'unknown') as unknown,
        count(*) filter (where outcome = 'withheld') as withheld,
        sum(value_at_google) as value_at_google,
        min(reason) filter (where outcome in ('unmatched', 'rejected', 'expired', 'withheld')) as reason
    from {{ ref('int_conversions') }}
    where order_id is not null
    group by site_id, order_id
),

final as (
    select
        ---------- ids
        orders.site_id,
        sites.site_name,
        orders.order_id,
        orders.number as order_number,
        orders.customer_key,
        ---------- facts
        orders.status,
        orders.financial_status,
        orders.currency,
        orders.total,
        orders.refunded,
        orders.total - orders.refunded as net_total,
        orders.is_test,
        coalesce(events.commerce_events, 0) as commerce_events,
        coalesce(conversions.conversions, 0) as conversions,
        coalesce(conversions.accepted, 0) as accepted,
        coalesce(conversions.unmatched, 0) as unmatched,
        coalesce(conversions.rejected, 0) as rejected,
        coalesce(conversions.waiting, 0) as waiting,
        coalesce(conversions.expired, 0) as expired,
        coalesce(conversions.unknown, 0) as unknown,
        coalesce(conversions.withheld, 0) as withheld,
        conversions.value_at_google,
        case
            when conversions.conversions is null then 'no_match'
            when conversions.unknown > 0 then 'unknown'
            when conversions.waiting > 0 then 'waiting'
            when conversions.accepted > 0 then 'accepted'
            when conversions.unmatched > 0 then 'unmatched'
            when conversions.rejected > 0 then 'rejected'
            when conversions.expired > 0 then 'expired'
            else 'withheld'
        end as outcome,
        conversions.reason,
        ---------- times
        orders.ordered_at,
        orders.paid_at,
        orders.cancelled_at
    from orders
    left join sites on sites.site_id = orders.site_id
    left join events on events.site_id = orders.site_id and events.order_id = orders.order_id
    left join conversions on conversions.site_id = orders.site_id and conversions.order_id = orders.order_id
)

select * from final
