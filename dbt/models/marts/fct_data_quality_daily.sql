-- Each finding counts on the day it came to us, in the site's time zone.
{{ config(materialized='kept_table', key=['coalesce({}.site_id, 0)', 'day']) }}

with sites as (
    select * from {{ ref('int_sites') }}
),

deliveries as (
    select
        d.site_id,
        {{ local_day('d.received_at', 'sites') }} as day,
        case
            when d.verdict = 'duplicate' then 'repeated'
            when d.verdict = 'refused' then 'refused'
            else d.outcome
        end as finding,
        d.reason
    from {{ ref('int_deliveries') }} as d
    left join sites on sites.site_id = d.site_id
    where (d.verdict != 'landed' or d.outcome in ('parked', 'ignored'))
        and {{ only_changed('coalesce(d.site_id, 0)', local_day('d.received_at', 'sites')) }}
),

events as (
    select * from {{ ref('fct_commerce_events') }}
    where {{ only_changed('site_id', 'arrived_day') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
    where not is_test and coalesce(ordered_day, paid_day) is not null and {{ only_changed('site_id', 'coalesce(ordered_day, paid_day)') }}
),

leaves as (
    select
        leaves.site_id,
        {{ local_day('leaves.first_seen_at', 'sites') }} as day,
        leaves.path,
        leaves.bodies
    from {{ ref('stg_app__odd_leaves') }} as leaves
    inner join sites on sites.site_id = leaves.site_id
    where {{ only_changed('leaves.site_id', local_day('leaves.first_seen_at', 'sites')) }}
),

findings as (
    select site_id, day, finding, reason, 1 as found from deliveries
    union all
    select site_id, arrived_day, 'late_event', activity, 1 from events
    where {{ seconds_between('activity_at', 'arrived_at') }} > {{ var('late_event_hours') | int }} * 3600
    union all
    select site_id, arrived_day, 'undone_event', activity, 1 from events
    where is_undone
    union all
    select site_id, coalesce(ordered_day, paid_day), 'order_without_customer', null, 1 from orders
    where customer_key is null
    union all
    select site_id, coalesce(ordered_day, paid_day), 'order_without_amount', null, 1 from orders
    where total is null or currency is null
    union all
    select site_id, coalesce(ordered_day, paid_day), 'amount_without_rate', currency, 1 from orders
    where lacks_rate
    union all
    select site_id, day, 'odd_leaf', path, bodies from leaves
),

final as (
    select
        findings.site_id,
        sites.site_name,
        findings.day,
        findings.finding,
        findings.reason,
        {{ sum_of_counts('findings.found') }} as found
    from findings
    left join sites on sites.site_id = findings.site_id
    group by 1, 2, 3, 4, 5
)

select * from final

{% call changed_keys() %}
    {{ days_of_new_arrivals() }}
    union
    select site_id, coalesce(ordered_day, paid_day) from {{ ref('fct_orders') }}
    where coalesce(ordered_day, paid_day) is not null and {{ is_newly_kept() }}
    union
    select site_id, cast(key as date) from {{ left_keys('fct_orders', 'funnel_day') }} as departed where key is not null
    union
    select leaves.site_id, {{ local_day('leaves.first_seen_at', 'sites') }}
    from {{ ref('stg_changes__odd_leaves') }} as leaves
    inner join {{ ref('int_sites') }} as sites on sites.site_id = leaves.site_id
    where {{ is_new('leaves.written_by') }}
    union
    select coalesce(site_id, 0), day from {{ this }} where site_id in (select site_id from {{ ref('int_sites') }} where {{ is_newly_kept() }})
    union
    -- weeks of raw events that are kept no longer
    select coalesce(site_id, 0), day from {{ this }}
    where finding in ('parked', 'ignored') and day < (select min(landed_week) - 1 from {{ ref('stg_landing__raw_events') }})
{% endcall %}
