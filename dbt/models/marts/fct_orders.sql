{{ config(
    materialized='kept_table',
    key=['site_id', 'order_id'],
    indexes=[
        {'columns': ['site_id', 'order_id'], 'unique': true},
        {'columns': ['site_id', 'customer_key']},
        {'columns': ['site_id', 'coalesce(ordered_day, paid_day)']},
        {'columns': ['site_id', "coalesce(customer_key, 'order:' || order_id)"]},
        {'columns': ['site_id', 'paid_day']},
    ],
    tells={
        'ordered_day': 'ordered_day',
        'paid_day': 'paid_day',
        'funnel_day': 'coalesce({}.ordered_day, {}.paid_day)',
        'customer': 'md5({}.customer_key)',
        'person': "md5(coalesce({}.customer_key, 'order:' || {}.order_id))",
    },
) }}

with orders as (
    select * from {{ ref('stg_app__orders') }}
    where {{ only_changed('site_id', 'order_id') }}
),

sites as (
    select * from {{ ref('int_sites') }}
),

all_events as (
    select * from {{ ref('fct_commerce_events') }}
    where order_id is not null
        and {{ only_changed('site_id', 'order_id') }}
),

events as (
    select
        site_id,
        order_id,
        count(*) as commerce_events
    from all_events
    group by site_id, order_id
),

-- Where an order came from is what its creation shows, else the first that is known of it.
first_events as (
    select distinct on (site_id, order_id)
        site_id,
        order_id,
        source,
        medium,
        campaign,
        click_kind
    from all_events
    order by site_id, order_id, (activity != 'order.created'), activity_at, event_id
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
        min({{ by_bytes('reason') }}) filter (where outcome in ('unmatched', 'rejected', 'expired', 'withheld')) as reason
    from {{ ref('fct_conversions') }}
    where order_id is not null
        and {{ only_changed('site_id', 'order_id') }}
    group by site_id, order_id
),

rates as (
    select * from {{ ref('fct_exchange_rates') }}
),

dated as (
    select
        orders.*,
        sites.site_name,
        {{ local_day('orders.ordered_at', 'sites') }} as ordered_day,
        {{ local_day('orders.paid_at', 'sites') }} as paid_day
    from orders
    inner join sites on sites.site_id = orders.site_id
),

final as (
    select
        ---------- ids
        dated.site_id,
        dated.site_name,
        dated.order_id,
        dated.number as order_number,
        dated.customer_key,
        ---------- facts
        dated.status,
        dated.financial_status,
        dated.currency,
        dated.total,
        dated.refunded,
        dated.total - dated.refunded as net_total,
        {{ reporting_currency() }} as reporting_currency,
        {{ in_reporting('dated.total', 'dated.currency', 'rates') }} as total_in_reporting,
        {{ in_reporting('dated.refunded', 'dated.currency', 'rates') }} as refunded_in_reporting,
        {{ in_reporting('(dated.total - dated.refunded)', 'dated.currency', 'rates') }} as net_total_in_reporting,
        {{ lacks_rate('dated.total', 'dated.currency', 'rates') }} as lacks_rate,
        first_events.source,
        first_events.medium,
        first_events.campaign,
        first_events.click_kind,
        dated.is_test,
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
        dated.ordered_at,
        dated.ordered_day,
        dated.paid_at,
        dated.paid_day,
        dated.cancelled_at,
        dated.updated_at
    from dated
    left join events on events.site_id = dated.site_id and events.order_id = dated.order_id
    left join first_events on first_events.site_id = dated.site_id and first_events.order_id = dated.order_id
    left join conversions on conversions.site_id = dated.site_id and conversions.order_id = dated.order_id
    left join rates on rates.currency = dated.currency and rates.day = coalesce(dated.ordered_day, dated.paid_day)
)

select * from final

{% call changed_keys() %}
    select site_id, order_id from {{ ref('stg_changes__orders') }} where {{ is_new('written_by') }}
    union
    select site_id, order_id from {{ ref('fct_commerce_events') }} where order_id is not null and {{ is_newly_kept() }}
    union
    select site_id, order_id from {{ ref('fct_conversions') }} where order_id is not null and {{ is_newly_kept() }}
    union
    select site_id, order_id from {{ this }}
    where md5(order_id) in (
        select key from {{ left_keys('fct_commerce_events', 'order') }} as departed
        union all
        select key from {{ left_keys('fct_conversions', 'order') }} as departed
    )
    union
    -- renamed, with what became of who ordered
    select kept.site_id, kept.order_id from {{ this }} as kept
    where exists (select from {{ ref('stg_changes__privacy_requests') }} where {{ is_new('written_by') }})
        and not exists (
            select from {{ ref('stg_changes__orders') }} as orders where orders.site_id = kept.site_id and orders.order_id = kept.order_id
        )
    union
    select site_id, order_id from {{ this }} where site_id in (select site_id from {{ ref('int_sites') }} where {{ is_newly_kept() }})
    union
    select site_id, order_id from {{ this }} where coalesce(ordered_day, paid_day)::text in {{ days_of_new_rates() }}
{% endcall %}
